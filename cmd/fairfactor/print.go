package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// printer writes results for people (a table) or programs: one JSON object a
// line, written by the same functions as the answers of the HTTP API.
type printer struct {
	out   io.Writer
	json  bool
	width int // of the terminal; 0 cuts nothing
}

// line writes one JSON object. Like the tables, it leaves errors to the stream:
// the reader may have gone.
func (p printer) line(object []byte) { _, _ = p.out.Write(append(object, '\n')) }

func (p printer) jobs(all []fairfactor.Job) {
	if p.json {
		for i := range all {
			p.job(all[i])
		}
		return
	}
	t := jobTable()
	for i := range all {
		t.addJob(&all[i])
	}
	t.write(p.out, p.width)
}

// jobTable is a table of jobs without a row.
func jobTable() *table {
	return &table{columns: []column{
		{name: "REQUEST ID"}, {name: "CALLER", least: 8}, {name: "STATUS"}, {name: "NUMBER", least: 11}, {name: "RESULT", least: 11, drop: 1},
	}}
}

func (t *table) addJob(j *fairfactor.Job) { t.add(jobCells(j)...) }

// jobCells are the row of a job.
func jobCells(j *fairfactor.Job) []string {
	return []string{j.ID.String(), j.Caller, j.State.String(), j.Number, result(j)}
}

// ended prints a finished job as factor prints an answer.
func (p printer) ended(j fairfactor.Job) {
	if p.json {
		p.job(j)
		return
	}
	if j.State != fairfactor.Completed {
		fmt.Fprintf(p.out, "%s: %s\n", j.Number, strings.TrimSpace(j.State.String()+" "+result(&j)))
		return
	}
	fmt.Fprintf(p.out, "%s:%s\n", j.Number, spaced(j.Factors))
}

func (p printer) job(j fairfactor.Job) {
	if p.json {
		if j.Submitted.IsZero() && !j.State.Final() { // a 202 says no more than this
			p.line(httpd.AppendReceipt(nil, &j))
			return
		}
		p.line(httpd.AppendJob(nil, &j))
		return
	}
	t := table{columns: make([]column, 2)}
	t.add("request id", j.ID.String())
	t.add("caller", j.Caller)
	t.add("number", j.Number)
	t.add("status", j.State.String())
	if r := result(&j); r != "" {
		t.add("result", r)
	}
	for _, f := range j.Factors {
		switch {
		case f.Probable:
			t.add("not proven", f.Prime)
		case f.Proof != 0:
			t.add("proven by "+f.Proof.String(), f.Prime)
		}
	}
	t.add("submitted", j.Submitted.Format(time.RFC3339Nano))
	if !j.Finished.IsZero() {
		t.add("finished", j.Finished.Format(time.RFC3339Nano))
		t.add("cpu", j.CPU.String())
	}
	if c := j.Callback; c != nil {
		t.add("callback", callback(c))
	}
	if len(j.Curves) > 0 {
		t.add("ecm", curvesText(j.Curves))
	}
	if g := j.Progress; g != nil {
		t.add("progress", progressText(g))
	}
	t.write(p.out, 0) // one job is shown whole
}

// progressText says how far a job is, and how long it will go on.
func progressText(g *fairfactor.Progress) string {
	text := fmt.Sprintf("%s %.0f %%", g.Phase, g.Percent)
	switch left := g.Left.Round(time.Second); {
	case g.Limited:
		text += fmt.Sprintf(", %v until the node's limit of CPU ends it", left)
	case g.Left > 0:
		text += fmt.Sprintf(", about %v left", max(left, time.Second))
	}
	if g.Memory > 0 {
		text += fmt.Sprintf(", at most %d MiB of memory", max(g.Memory>>20, 1))
	}
	return text
}

// curvesText lists curves by first bound.
func curvesText(curves []fairfactor.Curves) string {
	texts := make([]string, len(curves))
	for i, c := range curves {
		texts[i] = fmt.Sprintf("%d:%d", c.B1, c.Count)
	}
	return strings.Join(texts, ",")
}

// callback says how far the message to a callback is.
func callback(c *fairfactor.Callback) string {
	text := fmt.Sprintf("%s, %s", c.State, c.URL)
	if c.Attempts > 1 || c.LastError != "" {
		text += fmt.Sprintf(", %d attempts", c.Attempts)
	}
	if c.LastError != "" {
		text += ", the last one: " + c.LastError
	}
	if !c.Next.IsZero() && c.Attempts > 0 {
		text += ", next at " + c.Next.Format(time.RFC3339)
	}
	return text
}

// result is the short form of what came of a job.
func result(j *fairfactor.Job) string {
	if j.State == fairfactor.Completed {
		return strings.TrimPrefix(spaced(j.Factors), " ")
	}
	if len(j.Factors) > 0 {
		return strings.TrimPrefix(j.Reason+"; found"+spaced(j.Factors), "; ")
	}
	return j.Reason
}

// spaced lists primes, each behind a space as often as it divides. A prime that is
// probable and not proven has a question mark.
func spaced(fs []fairfactor.Factor) string {
	var b strings.Builder
	for _, f := range fs {
		mark := ""
		if f.Probable {
			mark = "?"
		}
		for range f.Exponent {
			b.WriteString(" " + f.Prime + mark)
		}
	}
	return b.String()
}

func (p printer) callers(all []fairfactor.Caller) {
	if p.json {
		for i := range all {
			p.line(httpd.AppendCaller(nil, &all[i], time.Now()))
		}
		return
	}
	bounded := slices.ContainsFunc(all, func(c fairfactor.Caller) bool { return c.Bounds.Set() })
	t := table{columns: []column{
		{name: "CALLER", least: 8},
		{name: "GROUP", least: 5},
		{name: "WEIGHT", right: true},
		{name: "QUEUED", right: true},
		{name: "RUNNING", right: true, drop: 4},
		{name: "COMPLETED", right: true},
		{name: "FAILED", right: true},
		{name: "CANCELLED", right: true, drop: 2},
		{name: "CPU", right: true, drop: 3},
		{name: "TURNS", right: true, drop: 1},
	}}
	if p.width > 0 && !slices.ContainsFunc(all, func(c fairfactor.Caller) bool { return c.Group != "" }) {
		t.hide(1)
	}
	for _, c := range all {
		row := []string{
			c.Name, c.Group, fmt.Sprint(c.Weight), queuedOf(c), fmt.Sprint(c.Running), fmt.Sprint(c.Completed),
			fmt.Sprint(c.Failed), fmt.Sprint(c.Cancelled), c.CPU.Round(time.Millisecond).String(), fmt.Sprint(c.Turns),
		}
		if bounded {
			row = append(row, boundsOf(&c.Bounds))
		}
		t.add(row...)
	}
	if bounded {
		t.columns = append(t.columns, column{name: "BOUNDS", least: 8})
	}
	t.write(p.out, p.width)
}

// boundsOf says what a caller is allowed.
func boundsOf(b *fairfactor.Bounds) string {
	var all []string
	if b.MaxRate > 0 {
		all = append(all, fmt.Sprintf("%d/s", b.MaxRate))
	}
	if b.MaxQueue > 0 {
		all = append(all, fmt.Sprintf("queue %d", b.MaxQueue))
	}
	if b.MaxDigits > 0 {
		all = append(all, fmt.Sprintf("%d digits", b.MaxDigits))
	}
	if b.MaxCPU > 0 {
		all = append(all, fmt.Sprintf("%d s CPU/day", b.MaxCPU/time.Second))
	}
	return strings.Join(all, ", ")
}

// waiting is how many jobs of a caller wait.
func waiting(c fairfactor.Caller) uint64 { return c.Queued - min(c.Running, c.Queued) }

// queuedOf says how many jobs of a caller wait, and whether they have to.
func queuedOf(c fairfactor.Caller) string {
	text := fmt.Sprint(waiting(c))
	if c.Paused {
		text += " paused"
	}
	return text
}

func (p printer) nodes(all []fairfactor.Node) {
	if p.json {
		for i := range all {
			p.line(httpd.AppendNode(nil, &all[i]))
		}
		return
	}
	t := table{columns: []column{
		{name: "NODE", least: 8}, {name: "STATE"}, {name: "ADDRESS", drop: 1}, {name: "WORKER", right: true}, {name: "CALLER", least: 8}, {name: "NUMBER", least: 12},
	}}
	for _, n := range all {
		t.add(n.Name, n.State, n.Address, "", "", "")
		for i, k := range n.Workers {
			t.add("", "", "", fmt.Sprint(i+1), k.Caller, k.Number)
		}
	}
	t.write(p.out, p.width)
}

// operation prints what became of an operation.
func (p printer) operation(op fairfactor.Operation) {
	if p.json {
		p.line(httpd.AppendOperation(nil, &op))
		return
	}
	text := fmt.Sprintf("%d jobs cancelled", op.Done)
	if op.Kind == fairfactor.RetryJobs {
		text = fmt.Sprintf("%d jobs are queued again", op.Done)
	}
	if op.Skipped > 0 {
		text += fmt.Sprintf(", %d left alone: it came too late for them, or their queue is full", op.Skipped)
	}
	fmt.Fprintln(p.out, text)
}
