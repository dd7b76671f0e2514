// Package scale simulates a cluster that is far larger than the machine it runs on,
// to see where one scheduler ends.
//
// The scheduler is the real one, [dispatch.Machine]; workers, callers, the network
// and the clock are simulated, see [world]. What the machine's own calls cost on this
// processor is measured: it says how many turns a second one scheduler hands out, and
// so how many threads it feeds. Start reading at [Scale.Measure].
package scale

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/report"
)

// Study is `bench scale`.
var Study = command.Study{
	Name:    "scale",
	Summary: "the scheduler with 1,000 nodes and 1,000,000 callers, simulated",
	Limit:   30 * time.Minute,
	Help: `Runs the real scheduler machine against simulated nodes, callers, network and clock: all
callers always have work, and all nodes are there from the start. Printed for each size
of cluster: what the machine's calls cost for each turn on this processor, the turns a
second that one scheduler hands out if it does nothing else, the threads that this
feeds, how busy the simulated threads were, how far callers were apart (lag) next to
the bound, and the memory that the machine holds.

Then the same cluster in cells: callers are dealt to cells by a hash of their names, and
each cell has a scheduler and an even part of the nodes. Printed: how unequal that makes
the CPU of callers.`,
	Prepare: func(f *flag.FlagSet) command.Inquiry {
		s := &Scale{}
		f.IntVar(&s.nodes, "nodes", 1000, "nodes of the largest cluster")
		f.IntVar(&s.threads, "threads", 64, "compute threads of each node")
		f.IntVar(&s.callers, "callers", 1_000_000, "callers of the largest cluster, all with work")
		f.DurationVar(&s.turn, "turn", 20*time.Millisecond, "mean CPU of a turn; half of the turns are within 10 % of it, the others a tenth")
		f.DurationVar(&s.span, "span", 3*time.Second, "simulated time that is measured, after one third of it to warm up")
		f.IntVar(&s.cells, "cells", 16, "cells of the last rows")
		return s
	},
}

// Scale is a run of the study, and what was measured.
type Scale struct {
	Clusters []Cluster `json:"clusters"`
	Cells    []Cells   `json:"cells"`

	nodes, threads, callers, cells int
	turn, span                     time.Duration
}

// Cluster is what was measured of one size.
type Cluster struct {
	Nodes    int     `json:"nodes"`
	Threads  int     `json:"threads"` // of all nodes
	Callers  int     `json:"callers"`
	Turns    int     `json:"turns"` // handed out while it was measured
	Each     float64 `json:"turn_us"`
	Rate     float64 `json:"turns_per_second"` // that the machine can hand out
	Feeds    int     `json:"feeds_threads"`    // with such turns
	Busy     float64 `json:"busy"`             // part of the threads' time, were the scheduler's own calls free
	Lag      float64 `json:"max_lag_s"`
	Bound    float64 `json:"bound_s"`
	Bytes    uint64  `json:"bytes"`
	Breaches uint64  `json:"violations"`
}

// Measure implements [command.Inquiry].
func (s *Scale) Measure(ctx context.Context, seed uint64, progress io.Writer) error {
	for _, part := range []int{100, 10, 1} {
		nodes, callers := max(s.nodes/part, 1), max(s.callers/part, 1)
		fmt.Fprintf(progress, "bench scale: %d nodes, %d callers\n", nodes, callers)
		w := newWorld(worldConfig{
			nodes: nodes, threads: s.threads, callers: names(callers), turn: s.turn, seed: seed,
		})
		if err := w.run(ctx, s.span/3); err != nil {
			return err
		}
		w.forget()
		if err := w.run(ctx, s.span); err != nil {
			return err
		}
		s.Clusters = append(s.Clusters, w.cluster())
	}
	for _, cells := range []int{1, s.cells} {
		fmt.Fprintf(progress, "bench scale: %d cells\n", cells)
		c, err := s.inCells(ctx, cells, seed)
		if err != nil {
			return err
		}
		s.Cells = append(s.Cells, c)
	}
	return nil
}

// cluster says what was measured since the last forget.
func (w *world) cluster() Cluster {
	r := w.machine.Report()
	each := float64(w.spent.Nanoseconds()) / float64(max(w.handed, 1))
	c := Cluster{
		Nodes: len(w.nodes), Threads: w.slots(), Callers: len(w.callers), Turns: w.handed,
		Each: each / 1e3, Rate: 1e9 / each,
		Busy: w.used.Seconds() / (w.measured.Seconds() * float64(w.slots())),
		Lag:  r.MaxLag.Seconds(), Bound: r.Bound.Seconds(), Bytes: w.bytes(), Breaches: r.Violations,
	}
	c.Feeds = int(c.Rate * w.used.Seconds() / float64(max(w.ended, 1)))
	return c
}

// Print implements [command.Inquiry].
func (s *Scale) Print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "nodes\tthreads\tcallers\tturns\tus a turn\tturns/s\tfeeds threads\tbusy\tlag s\tbound s\tMB\t")
	for _, c := range s.Clusters {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.2f\t%s\t%s\t%.0f %%\t%.2f\t%.0f\t%.0f\t\n",
			grouped(c.Nodes), grouped(c.Threads), grouped(c.Callers), grouped(c.Turns), c.Each,
			grouped(int(c.Rate)), grouped(c.Feeds), 100*c.Busy, c.Lag, c.Bound, float64(c.Bytes)/1e6)
	}
	t.Flush()
	if len(s.Cells) == 0 {
		return
	}
	fmt.Fprintln(out)
	fmt.Fprintln(t, "cells\tthreads\tcallers\tleast CPU s\tmedian\tmost\tmost/least\tin the cells\t")
	for _, c := range s.Cells {
		fmt.Fprintf(t, "%d\t%s\t%s\t%.3f\t%.3f\t%.3f\t%.2f\t%s..%s\t\n", c.Cells, grouped(c.Threads), grouped(c.Callers),
			c.Least, c.Median, c.Most, c.Most/c.Least, grouped(c.Fewest), grouped(c.Crowded))
	}
	t.Flush()
}

func grouped(n int) string { return report.Grouped(int64(n)) }
