package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// printer writes results for people (a table) or programs: one JSON object a
// line, written by the same functions as the answers of the HTTP API.
type printer struct {
	out  io.Writer
	json bool
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
		if j.Submitted.IsZero() && !j.State.Final() { // a 202 says no more than this
			p.line(httpd.AppendReceipt(nil, &j))
			return
		}
		p.line(httpd.AppendJob(nil, &j))
		return
	}
	p.table("", func(w io.Writer) {
		fmt.Fprintf(w, "request id\t%s\ncaller\t%s\nnumber\t%s\nstatus\t%s\n", j.ID, j.Caller, j.Number, j.State)
		if r := result(&j); r != "" {
			fmt.Fprintf(w, "result\t%s\n", r)
		}
		for _, f := range j.Factors {
			if f.Probable {
				fmt.Fprintf(w, "not proven\t%s\n", f.Prime)
			}
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
	p.table("CALLER\tGROUP\tWEIGHT\tQUEUED\tRUNNING\tCOMPLETED\tFAILED\tCANCELLED\tCPU\tTURNS", func(w io.Writer) {
		for _, c := range all {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%v\t%d\n", c.Name, c.Group, c.Weight, c.Queued, c.Running, c.Completed, c.Failed, c.Cancelled, c.CPU.Round(time.Millisecond), c.Turns)
		}
	})
}

func (p printer) nodes(all []fairfactor.Node) {
	if p.json {
		for i := range all {
			p.line(httpd.AppendNode(nil, &all[i]))
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
