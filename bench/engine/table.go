package engine

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"fairfactor/bench/internal/report"
)

// engineTable is what `bench engine` prints.
type engineTable struct {
	Machine  report.Machine `json:"machine"`
	Versions []string       `json:"alternatives"`
	Seed     uint64         `json:"seed"`
	Bound    time.Duration  `json:"bound_ns"`
	Rows     []engineRow    `json:"rows"`
	Curves   []curveRow     `json:"curves,omitempty"`
}

// oursName is this engine among the figures of a row.
const oursName = "ours"

// engineRow is one size of number.
type engineRow struct {
	Input   string                 `json:"input"`
	Numbers int                    `json:"numbers"`
	Cells   map[string]*engineCell `json:"engines"`
	// Values are times faster instead of CPU per number if this is above zero.
	Speedup float64 `json:"speedup,omitempty"`
	// Least and Aim bound the CPU of this engine in nanoseconds, or the speedup from
	// below; 0: no target.
	Least float64 `json:"at_least,omitempty"`
	Aim   float64 `json:"aim,omitempty"`
	// Ratio bounds the ratio to each alternative; 0: no target.
	Ratio float64 `json:"at_most_ratio,omitempty"`
	Met   string  `json:"met"`
	// Sample are the numbers, if they are few.
	Sample []string `json:"sample,omitempty"`
}

// engineCell is what one engine took.
type engineCell struct {
	Numbers int           `json:"numbers"`
	CPU     time.Duration `json:"cpu_ns"`  // of all of them
	Ours    time.Duration `json:"ours_ns"` // of this engine for the same numbers
	// Above is what one number takes at least, if none was done.
	Above time.Duration `json:"above_ns,omitempty"`
}

// each is the CPU of one number.
func (c *engineCell) each() time.Duration { return c.CPU / time.Duration(max(c.Numbers, 1)) }

// ratio is this engine's time as a part of the other's; 0 if that was not
// measured.
func (c *engineCell) ratio() float64 {
	if c == nil || c.CPU <= 0 {
		return 0
	}
	return float64(c.Ours) / float64(c.CPU)
}

// mostSample is how many numbers are listed in a report.
const mostSample = 20

func (s *engineSize) row(numbers []string) engineRow {
	r := engineRow{
		Input: s.name, Numbers: len(numbers), Cells: map[string]*engineCell{},
		Least: float64(s.least), Aim: float64(s.aim), Ratio: s.ratio,
	}
	if len(numbers) <= mostSample {
		r.Sample = numbers
	}
	return r
}

// speedupRow is the row of two workers.
func speedupRow(name string, numbers int, times float64) engineRow {
	return engineRow{Input: name + ", 2 workers", Numbers: numbers, Speedup: times, Least: speedupLeast, Aim: speedupAim}
}

// add adds what an engine took for some numbers, and what this one took for them.
func (r *engineRow) add(name string, numbers int, cpu, own time.Duration) {
	c := r.Cells[name]
	if c == nil {
		c = new(engineCell)
		r.Cells[name] = c
	}
	c.Numbers += numbers
	c.CPU += cpu
	c.Ours += own
}

// bounded says of an engine that did nothing how long it takes at least.
func (r *engineRow) bounded(name string, above time.Duration) {
	if r.Cells[name] == nil {
		r.Cells[name] = &engineCell{Above: above}
	}
}

// met says whether the targets are reached: aim, yes, no, or - without one.
func (r *engineRow) met() string {
	if r.Least == 0 {
		return "-"
	}
	if r.Speedup > 0 {
		return grade(r.Speedup >= r.Least, r.Speedup >= r.Aim)
	}
	own := float64(r.Cells[oursName].each())
	least := own <= r.Least
	for _, c := range r.Cells {
		if r.Ratio > 0 && c.Ours != c.CPU {
			least = least && c.ratio() <= r.Ratio
		}
	}
	return grade(least, least && own <= r.Aim)
}

func grade(least, aim bool) string {
	switch {
	case aim:
		return "aim"
	case least:
		return "yes"
	}
	return "no"
}

// Print prints the table.
func (t *engineTable) Print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "INPUT\tNUMBERS\tOURS\tPARI\tOURS/PARI\tGNU\tOURS/GNU\tAT LEAST\tAIM\tMET")
	for i := range t.Rows {
		r := &t.Rows[i]
		r.Met = r.met()
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", r.Input, r.Numbers, r.own(), r.cells("PARI"), r.cells("GNU"), r.targets(), r.Met)
	}
	w.Flush()
	fmt.Fprintf(out, "\nCPU per number, one thread; ratios to the same numbers; against %s; seed %d\n", orNothing(t.Versions), t.Seed)
	printCurves(out, t.Curves)
}

func orNothing(versions []string) string {
	if len(versions) == 0 {
		return "nothing else"
	}
	return strings.Join(versions, ", ")
}

func (r *engineRow) own() string {
	if r.Speedup > 0 {
		return fmt.Sprintf("%.2f times", r.Speedup)
	}
	return short(r.Cells[oursName].each())
}

// cells are the two columns of an alternative.
func (r *engineRow) cells(name string) string {
	c := r.Cells[name]
	switch {
	case c == nil:
		return "-\t-"
	case c.Numbers == 0:
		return "> " + short(c.Above) + "\t-"
	}
	return fmt.Sprintf("%s\t%.3f", short(c.each()), c.ratio())
}

func (r *engineRow) targets() string {
	switch {
	case r.Least == 0:
		return "-\t-"
	case r.Speedup > 0:
		return fmt.Sprintf("%.1f times\t%.1f times", r.Least, r.Aim)
	}
	least := short(time.Duration(r.Least))
	if r.Ratio > 0 {
		least += fmt.Sprintf(", %g of each", r.Ratio)
	}
	return least + "\t" + short(time.Duration(r.Aim))
}

// short writes a time with three significant digits.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g us", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}
