// Command bench loads a node and says what it did, against named alternatives
// that are measured in the same run.
//
// Without a subcommand it is the load generator: it submits numbers to a node
// that is already running, waits until all of them are done and multiplies every
// answer out. The subcommands each start private nodes of their own, measure one
// promise of the service and print a table.
//
// The load generator is in this folder. The comparisons are in compare, the
// studies of the factoring engine in engine, the cluster under faults and its
// checker in chaos, faults in the source in mutants, a simulated cluster in scale; what they share is in internal.
// Nothing here is used by the service. Start reading at [loadCommand] for the load generator and at
// [comparisons] and [studies] for the rest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fairfactor/bench/chaos"
	"fairfactor/bench/compare"
	"fairfactor/bench/engine"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/mutants"
	"fairfactor/bench/scale"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := withGoRun(ctx)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	stop()
	os.Exit(status)
}

// comparisons are the subcommands in the order in which `all` runs them.
var comparisons = []command.Comparison{
	compare.Accept, compare.Get, compare.Complete, compare.Objects, compare.Waiting, compare.Connections, compare.Events,
	compare.Fairness, compare.Light, compare.Crash, compare.Hostile,
	compare.Callers, compare.Groups, compare.Cluster, compare.Distance, chaos.Comparison, chaos.PowerCuts, chaos.Soak,
}

// run is main without the process: it returns the exit status. 0 is good, 1 says
// that something was failed, lost, wrong or not measured, 2 that the command line
// was not understood.
func run(ctx context.Context, args []string, out, progress io.Writer) int {
	if len(args) == 1 && args[0] == compare.BareCommand {
		return command.Status(compare.ServeBare(ctx, out), progress)
	}
	if len(args) > 0 && args[0] == "all" {
		return runAll(ctx, args[1:], out, progress)
	}
	if len(args) > 0 && args[0] == peersCommand {
		return runPeers(ctx, args[1:], out, progress)
	}
	for _, s := range studies {
		if len(args) > 0 && args[0] == s.Name {
			return s.Run(ctx, args[1:], out, progress)
		}
	}
	for _, c := range comparisons {
		if len(args) > 0 && args[0] == c.Name {
			return c.Run(ctx, args[1:], out, progress)
		}
	}
	return loadCommand(ctx, args, out, progress)
}

// runAll runs every comparison with its default sizes
// and prints one table. One that fails does not stop the others.
func runAll(ctx context.Context, args []string, out, progress io.Writer) int {
	f := flag.NewFlagSet("bench all", flag.ContinueOnError)
	var s command.SharedFlags
	s.Declare(f, 30*time.Minute)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "bench all: run every comparison with its default sizes, some minutes in total\n\n")
		describe(f.Output())
		fmt.Fprintln(f.Output(), "\nFlags:")
		f.PrintDefaults()
	}
	if code, ok := command.Parse(f, args, progress); !ok {
		return code
	}
	ctx, h, closeBench, err := s.Open(ctx, progress)
	if err != nil {
		return command.Status(err, progress)
	}
	defer closeBench()
	var rows []report.Row
	var errs []error
	for _, c := range comparisons {
		if c.Separate {
			continue
		}
		if ctx.Err() != nil {
			errs = append(errs, fmt.Errorf("%s was not run: %w", c.Name, ctx.Err()))
			continue
		}
		fmt.Fprintf(progress, "bench: %s: %s\n", c.Name, c.Summary)
		measured, err := c.Prepare(flag.NewFlagSet(c.Name, flag.ContinueOnError))(ctx, h)
		for i := range measured {
			measured[i].Figure = c.Name + ": " + measured[i].Figure
		}
		rows = append(rows, measured...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name, err))
		}
	}
	return command.Status(report.Finish(out, s.JSON, s.Seed, rows, errors.Join(errs...)), progress)
}

// describe lists the subcommands.
func describe(w io.Writer) {
	for _, c := range comparisons {
		if !c.Separate {
			fmt.Fprintf(w, "  %-12s %s\n", c.Name, c.Summary)
		}
	}
	fmt.Fprintf(w, "  %-12s all of these, and one table at the end\n", "all")
	for _, c := range comparisons {
		if c.Separate {
			fmt.Fprintf(w, "  %-12s %s\n", c.Name, c.Summary)
		}
	}
	fmt.Fprintf(w, "  %-12s %s\n", peersCommand, peersSummary)
	for _, s := range studies {
		fmt.Fprintf(w, "  %-12s %s\n", s.Name, s.Summary)
	}
}

// studies are the subcommands about the engine, the tests, and one scheduler.
var studies = []command.Study{engine.Study, engine.Worst, engine.Tune, mutants.Study, scale.Study}
