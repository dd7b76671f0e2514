// Package report holds figures with their alternatives and targets, and prints
// them as a table and as JSON.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"
)

// Row is one measured figure, what it is held against and what it should be.
type Row struct {
	Figure string  `json:"figure"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	// Alternative names what was measured in the same run for comparison; empty
	// if the figure stands for itself.
	Alternative string  `json:"against,omitempty"`
	Other       float64 `json:"other,omitempty"` // of the alternative, in the same unit
	Ratio       float64 `json:"ratio,omitempty"` // of Value to Other, or the median of several
	// Least and Most bound the ratio if there is an alternative, else the value.
	Least *float64 `json:"least,omitempty"`
	Most  *float64 `json:"most,omitempty"`
	// Must says that missing the target is an error, not a slow machine.
	Required bool `json:"must,omitempty"`
}

// Figure is a row without an alternative or target.
func Figure(what string, value float64, unit string) Row {
	return Row{Figure: what, Value: value, Unit: unit}
}

// Against adds the alternative and the ratio to it.
func (r Row) Against(name string, other, ratio float64) Row {
	r.Alternative, r.Other, r.Ratio = name, other, ratio
	return r
}

// AtLeast sets the lower bound of the ratio, or of the value if there is no alternative.
func (r Row) AtLeast(bound float64) Row { r.Least = &bound; return r }

// AtMost sets the upper bound, as [Row.AtLeast] does the lower.
func (r Row) AtMost(bound float64) Row { r.Most = &bound; return r }

// Must makes a missed target an error.
func (r Row) Must() Row { r.Required = true; return r }

// bounded is what the target speaks of.
func (r Row) bounded() float64 {
	if r.Alternative != "" {
		return r.Ratio
	}
	return r.Value
}

// met reports whether the figure is within its target; one without a target is.
func (r Row) met() bool {
	return (r.Least == nil || r.bounded() >= *r.Least) && (r.Most == nil || r.bounded() <= *r.Most)
}

func (r Row) measured() string { return strings.TrimSpace(amount(r.Value) + " " + r.Unit) }

func (r Row) target() string {
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
		return Grouped(int64(math.Round(v)))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1 || v <= -0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// Grouped writes an integer with commas between groups of three digits.
func Grouped(v int64) string {
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
func printRows(out io.Writer, rows []Row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FIGURE\tMEASURED\tAGAINST\tRATIO\tTARGET\tMET")
	for _, r := range rows {
		against, ratio, met := "-", "-", "-"
		if r.Alternative != "" {
			against = fmt.Sprintf("%s (%s)", amount(r.Other), r.Alternative)
			ratio = fmt.Sprintf("%.2f", r.Ratio)
		}
		target := r.target()
		if target == "" {
			target = "-"
		} else if met = "no"; r.met() {
			met = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Figure, r.measured(), against, ratio, target, met)
	}
	w.Flush()
}

// WriteJSON writes a report for machines.
func WriteJSON(file string, report any) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}

// Finish prints the table and returns an error if a row that must hold does not.
func Finish(out io.Writer, file string, seed uint64, rows []Row, err error) error {
	printRows(out, rows)
	fmt.Fprintf(out, "\nseed %d\n", seed)
	if file != "" {
		err = errors.Join(err, WriteJSON(file, struct {
			Seed uint64 `json:"seed"`
			Rows []Row  `json:"rows"`
		}{seed, rows}))
	}
	for _, r := range rows {
		if r.Required && !r.met() {
			err = errors.Join(err, fmt.Errorf("%s: %s is not %s", r.Figure, r.measured(), r.target()))
		}
	}
	return err
}
