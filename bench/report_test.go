package main

import (
	"strings"
	"testing"
	"time"
)

func TestChartStaysInside(t *testing.T) {
	for _, times := range [][]time.Duration{
		{0, 0, 0},
		{time.Microsecond, time.Millisecond, 10 * time.Second},
		{900 * time.Millisecond, time.Second, time.Second},
		{time.Hour, time.Hour, 2 * time.Hour},
	} {
		c := newChart([]curvePoint{{0, times[0]}, {99, times[1]}, {100, times[2]}})
		if len(c.Rows) < 2 || len(c.Columns) != 6 {
			t.Errorf("%v: %d rows, %d columns", times, len(c.Rows), len(c.Columns))
		}
		for _, r := range c.Rows {
			if r.At < chartTop-0.01 || r.At > chartHeight-chartBottom+0.01 {
				t.Errorf("%v: row %s is drawn at %g", times, r.Label, r.At)
			}
		}
		if strings.Contains(c.Line, "NaN") || strings.Contains(c.Line, "Inf") {
			t.Errorf("%v: %s", times, c.Line)
		}
	}
}

func TestFewestAndMost(t *testing.T) {
	if fewest, most := extremeCounts(map[string]int{"a": 4, "b": 2, "c": 9}); fewest != 2 || most != 9 {
		t.Errorf("%d to %d", fewest, most)
	}
	if fewest, most := extremeCounts(nil); fewest != 0 || most != 0 {
		t.Errorf("of none: %d to %d", fewest, most)
	}
}
