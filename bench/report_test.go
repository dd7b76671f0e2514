package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	l := newLatencies()
	if l.mean() != 0 || l.at(99) != 0 || l.count() != 0 {
		t.Errorf("without answers: mean %v, p99 %v", l.mean(), l.at(99))
	}
	for ms := 1000; ms >= 1; ms-- {
		l.add(time.Duration(ms) * time.Millisecond)
	}
	for _, c := range []struct {
		percent float64
		ms      float64
	}{{50, 500}, {90, 900}, {99, 990}, {99.9, 999}, {100, 1000}} {
		if got := millis(l.at(c.percent)); math.Abs(got-c.ms) > c.ms/500 {
			t.Errorf("p%g is %g ms, want %g", c.percent, got, c.ms)
		}
	}
	shortest, longest := l.extremes()
	if shortest != time.Millisecond || longest != time.Second || l.mean() != 500*time.Millisecond+500*time.Microsecond || l.count() != 1000 {
		t.Errorf("shortest %v, longest %v, mean %v, count %d", shortest, longest, l.mean(), l.count())
	}
	l.add(2 * longestLatency)
	if _, longest := l.extremes(); longest != 2*longestLatency || l.count() != 1001 || l.at(100) < longestLatency {
		t.Errorf("beyond the range: longest %v, p100 %v, count %d", longest, l.at(100), l.count())
	}
}

func TestRowsKnowTheirTarget(t *testing.T) {
	for _, c := range []struct {
		row    row
		met    bool
		target string
	}{
		{figure("x", 3, ""), true, ""},
		{figure("x", 3, "s").atMost(3), true, "<= 3"},
		{figure("x", 3.1, "s").atMost(3), false, "<= 3"},
		{figure("x", 100, "/s").against("y", 200, 0.5).atLeast(0.5), true, ">= 0.50"},
		{figure("x", 100, "/s").against("y", 200, 0.49).atLeast(0.5), false, ">= 0.50"},
		{figure("x", 60, "%").atLeast(45).atMost(55), false, ">= 45, <= 55"},
	} {
		if c.row.met() != c.met || c.row.target() != c.target {
			t.Errorf("%+v: met %v, target %q", c.row, c.row.met(), c.row.target())
		}
	}
}

func TestOnlyRowsThatMustHoldFailARun(t *testing.T) {
	slow, lost := figure("speed", 1, "/s").atLeast(2), figure("lost", 1, "").atMost(0)
	var out bytes.Buffer
	if err := finish(&out, "", 1, []row{slow, lost}, nil); err != nil {
		t.Errorf("a missed target that need not hold: %v", err)
	}
	if err := finish(&out, "", 1, []row{slow, lost.must()}, nil); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("a missed target that must hold: %v", err)
	}
	if !strings.Contains(out.String(), "no") || !strings.Contains(out.String(), ">= 2") {
		t.Errorf("the table says\n%s", out.String())
	}
}

func TestAmounts(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 1234567: "1,234,567", -1234: "-1,234", 12345.6: "12,346", 999: "999",
		0.5: "0.50", 12.34: "12.3", 123.4: "123", 0.01234: "0.0123",
	} {
		if got := amount(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v", c.values, got)
		}
	}
}

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
