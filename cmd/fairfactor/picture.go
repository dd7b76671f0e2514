package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fairfactor"
)

// plainCallers is how many callers a picture shows without a terminal.
const plainCallers = 20

// frame is what a picture has to fit.
type frame struct {
	width, height int // of the terminal; 0 without one
	url           string
	order         int // of the callers: an index of rateSorts
}

// rate is a caller with what changed since the picture before.
type rate struct {
	fairfactor.Caller
	jobs, cpu float64 // ended jobs and CPU seconds, each a second
}

// rateSorts are the orders of callers in top: what is busiest comes first.
var rateSorts = []struct {
	key     string
	compare func(a, b rate) int
}{
	{"cpu", func(a, b rate) int {
		return cmp.Or(cmp.Compare(b.cpu, a.cpu), cmp.Compare(b.Queued, a.Queued), cmp.Compare(b.CPU, a.CPU))
	}},
	{"queued", func(a, b rate) int { return cmp.Compare(b.Queued, a.Queued) }},
	{"running", func(a, b rate) int { return cmp.Compare(b.Running, a.Running) }},
	{"jobs", func(a, b rate) int { return cmp.Compare(b.jobs, a.jobs) }},
	{"completed", func(a, b rate) int { return cmp.Compare(b.Completed, a.Completed) }},
	{"failed", func(a, b rate) int { return cmp.Compare(b.Failed, a.Failed) }},
	{"name", func(a, b rate) int { return cmp.Compare(a.Name, b.Name) }},
}

func rateKeys() (keys []string) {
	for _, s := range rateSorts {
		keys = append(keys, s.key)
	}
	return keys
}

func (p *picture) rates(before *picture) (all []rate) {
	was := map[string]fairfactor.Caller{}
	var passed float64
	if before != nil {
		passed = p.at.Sub(before.at).Seconds()
		for _, c := range before.callers {
			was[c.Name] = c
		}
	}
	for _, c := range p.callers {
		r := rate{Caller: c}
		if w, here := was[c.Name]; passed > 0 && (here || !p.most) {
			r.jobs = float64(ended(c)-ended(w)) / passed
			r.cpu = (c.CPU - w.CPU).Seconds() / passed
		}
		all = append(all, r)
	}
	return all
}

func ended(c fairfactor.Caller) uint64 { return c.Completed + c.Failed + c.Cancelled }

// draw writes the picture into a frame. On a terminal it takes no more lines than
// there are: workers get half of what the headings leave at the most, callers the
// rest.
func (p *picture) draw(w io.Writer, f frame, before *picture) {
	rates := p.rates(before)
	slices.SortStableFunc(rates, rateSorts[f.order].compare)
	workers, callers := p.workers(), callerTable(rates, p.at)
	workerRows, callerRows := len(workers.rows), plainCallers+1
	if f.height > 0 {
		const headings = 7 // two lines above, two empty ones, two headings, the keys
		room := max(f.height-headings, 2)
		workerRows = min(len(workers.rows), max(room/2, 1))
		callerRows = room - workerRows
	}
	p.heading(w, f, rates)
	fmt.Fprintln(w)
	workers.writeFirst(w, workerRows, f.width, "workers")
	fmt.Fprintln(w)
	callers.writeFirst(w, callerRows, f.width, "callers")
	if f.height > 0 {
		fmt.Fprintln(w, joinUpTo(f.width, "q quit", "s sort, now by "+rateSorts[f.order].key))
	}
}

// heading writes the two lines of sums. What does not fit is left out, the least
// interesting first.
func (p *picture) heading(w io.Writer, f frame, rates []rate) {
	var sum rate
	for _, r := range rates {
		sum.Queued, sum.Running, sum.Completed, sum.Failed = sum.Queued+waiting(r.Caller), sum.Running+r.Running, sum.Completed+r.Completed, sum.Failed+r.Failed
		sum.jobs += r.jobs
	}
	of := "" // whom these are sums of
	if p.most {
		of = fmt.Sprint(" of the busiest ", len(p.callers), " callers")
	}
	fmt.Fprintln(w, joinUpTo(f.width, p.at.Format(time.TimeOnly), fmt.Sprintf("%.0f jobs/s%s", sum.jobs, of), fmt.Sprint("queued ", sum.Queued),
		fmt.Sprint("running ", sum.Running), fmt.Sprint("failed ", sum.Failed), fmt.Sprint("completed ", sum.Completed), f.url))
	fair := p.fairness
	fmt.Fprintln(w, joinUpTo(f.width, fmt.Sprintf("lag %v of at most %v", fair.Lag.Round(time.Microsecond), fair.Bound),
		fmt.Sprint("violations ", fair.Violations), fmt.Sprintf("Jain %.3f", fair.Jain),
		fmt.Sprint("highest lag ", fair.MaxLag.Round(time.Microsecond)), fmt.Sprint("callers with work ", fair.Active)))
}

func (p *picture) workers() *table {
	t := &table{columns: []column{
		{name: "NODE", least: 6}, {name: "STATE", drop: 1}, {name: "WORKER", right: true}, {name: "CALLER", least: 8}, {name: "FOR", right: true}, {name: "NUMBER", least: 12},
	}}
	for _, n := range p.nodes {
		for i, k := range n.Workers {
			since := ""
			if k.Caller != "" {
				since = max(p.at.Sub(k.Since), 0).Round(time.Millisecond).String()
			}
			t.add(n.Name, n.State, fmt.Sprint(i+1), k.Caller, since, cut(k.Number, 60))
		}
	}
	return t
}

func callerTable(rates []rate, at time.Time) *table {
	t := &table{columns: []column{
		{name: "CALLER", least: 8},
		{name: "GROUP", least: 5, drop: 1},
		{name: "WEIGHT", right: true, drop: 4},
		{name: "QUEUED", right: true},
		{name: "RUNNING", right: true, drop: 5},
		{name: "COMPLETED", right: true, drop: 6},
		{name: "FAILED", right: true, drop: 7},
		{name: "JOBS/S", right: true},
		{name: "CPU/S", right: true},
		{name: "CPU", right: true, drop: 2},
		{name: "OLDEST", right: true, drop: 3},
	}}
	for _, r := range rates {
		oldest := ""
		if !r.Oldest.IsZero() {
			oldest = max(at.Sub(r.Oldest), 0).Round(time.Millisecond).String()
		}
		t.add(r.Name, r.Group, fmt.Sprint(r.Weight), queuedOf(r.Caller), fmt.Sprint(r.Running), fmt.Sprint(r.Completed),
			fmt.Sprint(r.Failed), fmt.Sprintf("%.0f", r.jobs), fmt.Sprintf("%.2f", r.cpu), r.CPU.Round(time.Millisecond).String(), oldest)
	}
	return t
}

// writeFirst writes the heading and so many lines below it. If there are more rows,
// the last line says how many.
func (t *table) writeFirst(w io.Writer, lines, width int, what string) {
	more := 0
	if len(t.rows) > lines {
		shown := max(lines-1, 0)
		more = len(t.rows) - shown
		t.rows = t.rows[:shown]
	}
	t.write(w, width)
	if more > 0 && lines > 0 {
		fmt.Fprintf(w, "and %d more %s\n", more, what)
	}
}

// joinUpTo joins the first parts that fit a width; all of them for 0.
func joinUpTo(width int, parts ...string) string {
	for len(parts) > 1 && width > 0 && len(strings.Join(parts, "  ")) > width {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, "  ")
}
