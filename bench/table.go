package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"
)

// row is one measured figure, what it is held against and what it should be.
type row struct {
	Figure string  `json:"figure"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	// Beside names the alternative that was measured in the same run; empty if
	// the figure stands for itself.
	Beside string  `json:"beside,omitempty"`
	Other  float64 `json:"other,omitempty"` // of the alternative, in the same unit
	Ratio  float64 `json:"ratio,omitempty"` // of Value to Other, or the median of several
	// Least and Most bound the ratio if there is an alternative, else the value.
	Least *float64 `json:"least,omitempty"`
	Most  *float64 `json:"most,omitempty"`
	// Must says that missing the target is an error, not a slow machine.
	Must bool `json:"must,omitempty"`
}

// figure is a row without an alternative or target.
func figure(what string, value float64, unit string) row {
	return row{Figure: what, Value: value, Unit: unit}
}

// against adds the alternative and the ratio to it.
func (r row) against(name string, other, ratio float64) row {
	r.Beside, r.Other, r.Ratio = name, other, ratio
	return r
}

func (r row) atLeast(bound float64) row { r.Least = &bound; return r }
func (r row) atMost(bound float64) row  { r.Most = &bound; return r }
func (r row) must() row                 { r.Must = true; return r }

// bounded is what the target speaks of.
func (r row) bounded() float64 {
	if r.Beside != "" {
		return r.Ratio
	}
	return r.Value
}

// met reports whether the figure is within its target; one without a target is.
func (r row) met() bool {
	return (r.Least == nil || r.bounded() >= *r.Least) && (r.Most == nil || r.bounded() <= *r.Most)
}

func (r row) measured() string { return strings.TrimSpace(amount(r.Value) + " " + r.Unit) }

func (r row) target() string {
	var words []string
	if r.Least != nil {
		words = append(words, ">= "+amount(*r.Least))
	}
	if r.Most != nil {
		words = append(words, "<= "+amount(*r.Most))
	}
	return strings.Join(words, ", ")
}

// amount writes a figure with about three significant digits.
func amount(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 1000 || v <= -1000:
		return grouped(int64(math.Round(v)))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1 || v <= -0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// grouped writes an integer with commas between groups of three digits.
func grouped(v int64) string {
	s := fmt.Sprint(v)
	first := 0
	if v < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// printRows prints rows as a table.
func printRows(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FIGURE\tMEASURED\tBESIDE\tRATIO\tTARGET\tMET")
	for _, r := range rows {
		beside, ratio, met := "-", "-", "-"
		if r.Beside != "" {
			beside = fmt.Sprintf("%s (%s)", amount(r.Other), r.Beside)
			ratio = fmt.Sprintf("%.2f", r.Ratio)
		}
		target := r.target()
		if target == "" {
			target = "-"
		} else if met = "no"; r.met() {
			met = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Figure, r.measured(), beside, ratio, target, met)
	}
	w.Flush()
}

// writeJSON writes a report for machines.
func writeJSON(file string, report any) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}
