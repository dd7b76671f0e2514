package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"fairfactor/bench/internal/report"
)

//go:embed report.html
var reportHTML string

// Size of the latency chart and its margins, in SVG units.
const (
	chartWidth, chartHeight              = 860, 300
	chartLeft, chartRight                = 70, 40
	chartTop, chartBottom                = 15, 40
	chartNines                           = 4.0 // the right edge is 99.99 percent
	chartInnerWidth, chartInnerHeight    = chartWidth - chartLeft - chartRight, chartHeight - chartTop - chartBottom
	chartLeastDecade, chartLargestDecade = 1_000, 1_000_000_000_000 // 1 us and 1000 s, in ns
)

// chart is the latency chart, ready to draw: the percentage of answers from left
// to right, its distance from 100 on a logarithmic scale, and the time upwards,
// logarithmic too.
type chart struct {
	Width, Height, Left, Right, Top, Bottom int
	Line                                    string
	Columns, Rows                           []tick
}

// tick is a grid line with its label.
type tick struct {
	At    float64
	Label string
}

// newChart draws points, which are in ascending order.
func newChart(points []curvePoint) chart {
	c := chart{
		Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartWidth - chartRight,
		Top: chartTop, Bottom: chartHeight - chartBottom,
	}
	low, high := decades(points)
	for _, percent := range []float64{0, 50, 90, 99, 99.9, 99.99} {
		c.Columns = append(c.Columns, tick{across(percent), fmt.Sprintf("%g %%", percent)})
	}
	for ns := low; ns <= high; ns *= 10 {
		c.Rows = append(c.Rows, tick{upwards(ns, low, high), time.Duration(ns).String()})
	}
	var line strings.Builder
	for i, p := range points {
		if i > 0 {
			line.WriteByte(' ')
		}
		fmt.Fprintf(&line, "%.1f,%.1f", across(p.Percent), upwards(float64(p.Time), low, high))
	}
	c.Line = line.String()
	return c
}

// across is where a percentage is drawn.
func across(percent float64) float64 {
	nines := chartNines
	if percent < 100 {
		nines = min(-math.Log10(1-percent/100), chartNines)
	}
	return chartLeft + nines/chartNines*chartInnerWidth
}

// upwards is where a time is drawn, in nanoseconds between low and high.
func upwards(ns, low, high float64) float64 {
	part := (math.Log10(max(ns, low)) - math.Log10(low)) / (math.Log10(high) - math.Log10(low))
	return chartTop + (1-part)*chartInnerHeight
}

// decades are the powers of ten, in nanoseconds, that hold all points.
func decades(points []curvePoint) (low, high float64) {
	low, high = chartLargestDecade/10, chartLeastDecade*10
	for _, p := range points {
		for low > chartLeastDecade && float64(p.Time) < low {
			low /= 10
		}
		for high < chartLargestDecade && float64(p.Time) > high {
			high *= 10
		}
	}
	return min(low, high/10), high
}

// callerCount is a line of the hand-out table.
type callerCount struct {
	Name  string
	Count int
}

// writeHTML writes a page that needs nothing else.
func (r *loadReport) writeHTML(file string) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"short": func(d time.Duration) string { return d.Round(time.Microsecond).String() },
		"whole": func(d time.Duration) string { return d.Round(10 * time.Millisecond).String() },
		"round": func(v float64) string { return report.Grouped(int64(v + 0.5)) },
		"count": func(n int) string { return report.Grouped(int64(n)) },
	}).Parse(reportHTML)
	if err != nil {
		return err
	}
	var callers []callerCount
	for name, n := range r.Jobs.HandOuts.PerCaller {
		callers = append(callers, callerCount{name, n})
	}
	slices.SortFunc(callers, func(a, b callerCount) int { return strings.Compare(a.Name, b.Name) })
	const shownCallers = 50
	var out bytes.Buffer
	err = page.Execute(&out, struct {
		*loadReport
		Chart   chart
		Callers []callerCount
		More    int
		Good    bool
	}{r, newChart(r.Curve), callers[:min(len(callers), shownCallers)], max(0, len(callers)-shownCallers), r.Submitting.Failed+r.Jobs.Tally.Bad() == 0})
	if err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}
