package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"fairfactor"
)

// printer writes results for people (a table) or programs (one JSON object a
// line, with the names of the HTTP API).
type printer struct {
	out  io.Writer
	json bool
}

// line is one JSON object whose members keep their order.
type line struct{ b strings.Builder }

func (l *line) add(name string, value any) *line {
	if l.b.Len() > 0 {
		l.b.WriteByte(',')
	}
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte("null")
	}
	l.b.WriteString(strconv.Quote(name) + ":" + string(text))
	return l
}

func (l *line) print(out io.Writer) { fmt.Fprintf(out, "{%s}\n", l.b.String()) }

// ordered is the result of a job: primes ascending, as a JSON object.
type ordered []fairfactor.Factor

func (fs ordered) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range fs {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(f.Prime) + ":" + strconv.Itoa(f.Exponent))
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

func (p printer) jobs(all []fairfactor.Job) {
	if p.json {
		for i := range all {
			p.job(all[i])
		}
		return
	}
	p.table("REQUEST ID\tCALLER\tSTATUS\tNUMBER\tRESULT", func(w io.Writer) {
		for i := range all {
			j := &all[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", j.ID, j.Caller, j.State, j.Number, result(j))
		}
	})
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
		l := (&line{}).add("request_id", j.ID.String()).add("caller_id", j.Caller).add("number", j.Number).add("status", j.State.String())
		if j.State == fairfactor.Completed {
			l.add("result", ordered(j.Factors))
		} else {
			l.add("result", nil)
			if len(j.Factors) > 0 {
				l.add("found", ordered(j.Factors))
			}
		}
		l.add("submitted_at", stamp(j.Submitted)).add("started_at", stamp(j.Started)).add("finished_at", stamp(j.Finished)).
			add("attempts", j.Attempts).add("turn", j.Turn).add("cpu_us", j.CPU.Microseconds()).add("error", orNull(j.Reason)).print(p.out)
		return
	}
	p.table("", func(w io.Writer) {
		fmt.Fprintf(w, "request id\t%s\ncaller\t%s\nnumber\t%s\nstatus\t%s\n", j.ID, j.Caller, j.Number, j.State)
		if r := result(&j); r != "" {
			fmt.Fprintf(w, "result\t%s\n", r)
		}
		fmt.Fprintf(w, "submitted\t%s\n", j.Submitted.Format(time.RFC3339Nano))
		if !j.Finished.IsZero() {
			fmt.Fprintf(w, "finished\t%s\ncpu\t%v\n", j.Finished.Format(time.RFC3339Nano), j.CPU)
		}
		if g := j.Progress; g != nil {
			fmt.Fprintf(w, "progress\t%s %.0f %%\n", g.Phase, g.Percent)
		}
	})
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

func spaced(fs []fairfactor.Factor) string {
	var b strings.Builder
	for _, f := range fs {
		for range f.Exponent {
			b.WriteString(" " + f.Prime)
		}
	}
	return b.String()
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (p printer) callers(all []fairfactor.Caller) {
	if p.json {
		for _, c := range all {
			(&line{}).add("caller_id", c.Name).add("weight", c.Weight).add("queued", c.Queued).add("running", c.Running).
				add("completed", c.Completed).add("failed", c.Failed).add("cancelled", c.Cancelled).
				add("cpu_seconds", c.CPU.Seconds()).add("turns", c.Turns).print(p.out)
		}
		return
	}
	p.table("CALLER\tWEIGHT\tQUEUED\tRUNNING\tCOMPLETED\tFAILED\tCANCELLED\tCPU\tTURNS", func(w io.Writer) {
		for _, c := range all {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%v\t%d\n", c.Name, c.Weight, c.Queued, c.Running, c.Completed, c.Failed, c.Cancelled, c.CPU.Round(time.Millisecond), c.Turns)
		}
	})
}

func (p printer) nodes(all []fairfactor.Node) {
	if p.json {
		for _, n := range all {
			workers := make([]map[string]any, len(n.Workers))
			for i, w := range n.Workers {
				workers[i] = map[string]any{"caller_id": orNull(w.Caller), "request_id": orNull(w.Job), "number": orNull(w.Number), "since": stamp(w.Since)}
			}
			(&line{}).add("id", n.ID).add("name", n.Name).add("address", n.Address).add("gossip", n.Gossip).
				add("state", n.State).add("self", n.Self).add("workers", workers).print(p.out)
		}
		return
	}
	p.table("NODE\tSTATE\tADDRESS\tWORKER\tCALLER\tNUMBER", func(w io.Writer) {
		for _, n := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t\t\t\n", n.Name, n.State, n.Address)
			for i, k := range n.Workers {
				fmt.Fprintf(w, "\t\t\t%d\t%s\t%s\n", i+1, k.Caller, k.Number)
			}
		}
	})
}

// table aligns columns; the heading may be empty.
func (p printer) table(heading string, rows func(io.Writer)) {
	w := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)
	defer w.Flush()
	if heading != "" {
		fmt.Fprintln(w, heading)
	}
	rows(w)
}
