package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
)

// topCallers is how many callers top shows, the busiest first.
const topCallers = 20

func newTop(io streams) *cobra.Command {
	r := &remote{io: io}
	var every time.Duration
	var count int
	cmd := &cobra.Command{
		Use: "top", Short: "Watch callers, workers and fairness", Args: cobra.NoArgs,
		Long: `top shows what the nodes do, again and again: the workers and their turns, the
busiest callers with their rates, and how fair it is. Without a terminal it
prints one picture, or as many as --count says.`,
		Example: `  fairfactor top
  fairfactor top --every 5s --count 12 > minute.txt`,
	}
	cmd.Flags().DurationVar(&every, "every", time.Second, "time between two pictures")
	cmd.Flags().IntVarP(&count, "count", "n", 0, "pictures; 0 goes on until interrupted, or is one without a terminal")
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		if every < 100*time.Millisecond {
			return fairfactor.Errorf(fairfactor.Invalid, "--every %v is less than 100ms", every)
		}
		if p.json {
			return fairfactor.Errorf(fairfactor.Invalid, "top is for people: use nodes and callers with -o json")
		}
		screen := terminal(io.out)
		if count <= 0 && !screen {
			count = 1
		}
		return watch(ctx, jobs, r.url, p.out, screen, every, count)
	})
}

// terminal reports whether somebody looks at what is written to w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// watch draws pictures until ctx ends or there were enough.
func watch(ctx context.Context, jobs fairfactor.Jobs, url string, out io.Writer, screen bool, every time.Duration, count int) error {
	var before *picture
	for i := 0; ; i++ {
		now, err := look(ctx, jobs)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		var b bytes.Buffer
		if screen {
			b.WriteString("\x1b[H\x1b[2J")
		} else if i > 0 {
			b.WriteByte('\n')
		}
		now.draw(&b, url, before)
		if _, err := out.Write(b.Bytes()); err != nil {
			return err
		}
		if before = now; i+1 == count {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// picture is the service at one moment.
type picture struct {
	at       time.Time
	callers  []fairfactor.Caller
	nodes    []fairfactor.Node
	fairness fairfactor.Fairness
}

func look(ctx context.Context, jobs fairfactor.Jobs) (p *picture, err error) {
	p = &picture{at: time.Now()}
	if p.callers, err = everyCaller(ctx, jobs); err != nil {
		return nil, err
	}
	if p.nodes, err = jobs.Nodes(ctx); err != nil {
		return nil, err
	}
	p.fairness, err = jobs.Fairness(ctx)
	return p, err
}

// rate is a caller with what changed since the picture before.
type rate struct {
	fairfactor.Caller
	jobs, cpu float64 // ended jobs and CPU seconds, each a second
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
		if w := was[c.Name]; passed > 0 {
			r.jobs = float64(ended(c)-ended(w)) / passed
			r.cpu = (c.CPU - w.CPU).Seconds() / passed
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b rate) int {
		return cmp.Or(cmp.Compare(b.cpu, a.cpu), cmp.Compare(b.Queued, a.Queued), cmp.Compare(b.CPU, a.CPU))
	})
	return all
}

func ended(c fairfactor.Caller) uint64 { return c.Completed + c.Failed + c.Cancelled }

func (p *picture) draw(w io.Writer, url string, before *picture) {
	rates := p.rates(before)
	var sum rate
	for _, r := range rates {
		sum.Queued, sum.Running, sum.Completed, sum.Failed = sum.Queued+r.Queued, sum.Running+r.Running, sum.Completed+r.Completed, sum.Failed+r.Failed
		sum.jobs += r.jobs
	}
	f := p.fairness
	fmt.Fprintf(w, "%s  %s  queued %d  running %d  completed %d  failed %d  %.0f jobs/s\n",
		p.at.Format(time.TimeOnly), url, sum.Queued, sum.Running, sum.Completed, sum.Failed, sum.jobs)
	fmt.Fprintf(w, "lag %v of at most %v (highest %v)  Jain %.3f  violations %d  callers with work %d\n\n",
		f.Lag.Round(time.Microsecond), f.Bound, f.MaxLag.Round(time.Microsecond), f.Jain, f.Violations, f.Active)
	t := printer{out: w}
	t.table("NODE\tSTATE\tWORKER\tCALLER\tFOR\tNUMBER", func(w io.Writer) {
		for _, n := range p.nodes {
			for i, k := range n.Workers {
				since := ""
				if k.Caller != "" {
					since = p.at.Sub(k.Since).Round(time.Millisecond).String()
				}
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%.60s\n", n.Name, n.State, i+1, k.Caller, since, k.Number)
			}
		}
	})
	fmt.Fprintln(w)
	t.table("CALLER\tWEIGHT\tQUEUED\tRUNNING\tCOMPLETED\tFAILED\tJOBS/S\tCPU/S\tCPU\tOLDEST", func(w io.Writer) {
		for _, r := range rates[:min(len(rates), topCallers)] {
			oldest := ""
			if !r.Oldest.IsZero() {
				oldest = max(p.at.Sub(r.Oldest), 0).Round(time.Millisecond).String()
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.0f\t%.2f\t%v\t%s\n", r.Name, r.Weight, r.Queued, r.Running,
				r.Completed, r.Failed, r.jobs, r.cpu, r.CPU.Round(time.Millisecond), oldest)
		}
	})
	if more := len(rates) - topCallers; more > 0 {
		fmt.Fprintf(w, "and %d callers more\n", more)
	}
}
