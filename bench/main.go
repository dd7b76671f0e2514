// Command bench loads a node and says what it did, beside named alternatives
// that are measured in the same run.
//
// Without a subcommand it is the load generator: it submits numbers to a node
// that is already running, waits until all of them are done and multiplies every
// answer out. The subcommands each start private nodes of their own, measure one
// promise of the service and print a table.
//
// Nothing here is used by the service. Start reading at [loadCommand] for the
// load generator and at [comparisons] and [studies] for the rest.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// comparison is a subcommand: it declares its flags and returns what is to be
// run once they are parsed.
type comparison struct {
	name, summary, help string
	prepare             func(*flag.FlagSet) measurement
	apart               bool          // not part of `all`: it takes too long or needs too much
	limit               time.Duration // of the whole run, by default; zero is 10 minutes
}

// measurement measures and returns rows for the table. Rows that come with an
// error were measured before it.
type measurement func(context.Context, *bench) ([]row, error)

// comparisons are the subcommands in the order in which `all` runs them.
var comparisons = []comparison{
	acceptComparison, completeComparison, waitingComparison, connectionsComparison,
	fairnessComparison, crashComparison, hostileComparison, clusterComparison, chaosComparison,
}

// run is main without the process: it returns the exit status. 0 is good, 1 says
// that something was failed, lost, wrong or not measured, 2 that the command line
// was not understood.
func run(ctx context.Context, args []string, out, progress io.Writer) int {
	if len(args) == 1 && args[0] == bareCommand {
		return status(serveBare(ctx, out), progress)
	}
	if len(args) > 0 && args[0] == "all" {
		return runAll(ctx, args[1:], out, progress)
	}
	for _, s := range studies {
		if len(args) > 0 && args[0] == s.name {
			return s.run(ctx, args[1:], out, progress)
		}
	}
	for _, c := range comparisons {
		if len(args) > 0 && args[0] == c.name {
			return runOne(ctx, c, args[1:], out, progress)
		}
	}
	return loadCommand(ctx, args, out, progress)
}

// status tells of an error and returns the exit status that goes with it.
func status(err error, progress io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(progress, "bench: %v\n", err)
	return 1
}

// parse reads flags; ok is false if the command must end with the status.
func parse(f *flag.FlagSet, args []string, progress io.Writer) (code int, ok bool) {
	f.SetOutput(progress)
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0, false
	} else if err != nil {
		return 2, false
	}
	if f.NArg() > 0 {
		fmt.Fprintf(progress, "bench: %q is neither a flag nor a subcommand\n", f.Arg(0))
		f.Usage()
		return 2, false
	}
	return 0, true
}

// shared are the flags that all comparisons have.
type shared struct {
	program, json string
	seed          uint64
	limit         time.Duration
}

func (s *shared) declare(f *flag.FlagSet, limit time.Duration) {
	f.StringVar(&s.program, "program", "", "fairfactor `program` to measure (default: built from this module)")
	f.StringVar(&s.json, "json", "", "write the rows as JSON to this `file` too")
	f.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "seed of the random numbers")
	f.DurationVar(&s.limit, "limit", limit, "give up after this time")
}

// open bounds the time and builds what the comparisons run.
func (s *shared) open(ctx context.Context, progress io.Writer) (context.Context, *bench, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	b, err := newBench(ctx, s.program, s.seed, progress)
	if err != nil {
		cancel()
		return nil, nil, nil, err
	}
	return ctx, b, func() { b.close(); cancel() }, nil
}

func runOne(ctx context.Context, c comparison, args []string, out, progress io.Writer) int {
	f := flag.NewFlagSet("bench "+c.name, flag.ContinueOnError)
	var s shared
	s.declare(f, cmp.Or(c.limit, 10*time.Minute))
	measure := c.prepare(f)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "bench %s: %s\n\n%s\n\nFlags:\n", c.name, c.summary, c.help)
		f.PrintDefaults()
	}
	if code, ok := parse(f, args, progress); !ok {
		return code
	}
	if err := checkPositive(f); err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return 2
	}
	ctx, b, closeBench, err := s.open(ctx, progress)
	if err != nil {
		return status(err, progress)
	}
	defer closeBench()
	rows, err := measure(ctx, b)
	return status(finish(out, s.json, s.seed, rows, err), progress)
}

// checkPositive returns an error for a count or a time that is not above zero:
// no comparison means anything with none.
func checkPositive(f *flag.FlagSet) (err error) {
	f.VisitAll(func(fl *flag.Flag) {
		switch v := fl.Value.(flag.Getter).Get().(type) {
		case int:
			if v < 1 {
				err = fmt.Errorf("-%s %d is not above 0", fl.Name, v)
			}
		case time.Duration:
			if v <= 0 {
				err = fmt.Errorf("-%s %v is not above 0", fl.Name, v)
			}
		}
	})
	return err
}

// runAll runs every comparison with the sizes of [comparison.prepare]'s defaults
// and prints one table. One that fails does not stop the others.
func runAll(ctx context.Context, args []string, out, progress io.Writer) int {
	f := flag.NewFlagSet("bench all", flag.ContinueOnError)
	var s shared
	s.declare(f, 30*time.Minute)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "bench all: run every comparison with its default sizes, some minutes in total\n\n")
		describe(f.Output())
		fmt.Fprintln(f.Output(), "\nFlags:")
		f.PrintDefaults()
	}
	if code, ok := parse(f, args, progress); !ok {
		return code
	}
	ctx, b, closeBench, err := s.open(ctx, progress)
	if err != nil {
		return status(err, progress)
	}
	defer closeBench()
	var rows []row
	var errs []error
	for _, c := range comparisons {
		if c.apart {
			continue
		}
		if ctx.Err() != nil {
			errs = append(errs, fmt.Errorf("%s was not run: %w", c.name, ctx.Err()))
			continue
		}
		fmt.Fprintf(progress, "bench: %s: %s\n", c.name, c.summary)
		measured, err := c.prepare(flag.NewFlagSet(c.name, flag.ContinueOnError))(ctx, b)
		for i := range measured {
			measured[i].Figure = c.name + ": " + measured[i].Figure
		}
		rows = append(rows, measured...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	return status(finish(out, s.json, s.seed, rows, errors.Join(errs...)), progress)
}

// describe lists the subcommands.
func describe(w io.Writer) {
	for _, c := range comparisons {
		if !c.apart {
			fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
		}
	}
	fmt.Fprintf(w, "  %-12s all of these, and one table at the end\n", "all")
	for _, c := range comparisons {
		if c.apart {
			fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
		}
	}
	for _, s := range studies {
		fmt.Fprintf(w, "  %-12s %s\n", s.name, s.summary)
	}
}

// finish prints the table and returns an error if a row that must hold does not.
func finish(out io.Writer, file string, seed uint64, rows []row, err error) error {
	printRows(out, rows)
	fmt.Fprintf(out, "\nseed %d\n", seed)
	if file != "" {
		err = errors.Join(err, writeJSON(file, struct {
			Seed uint64 `json:"seed"`
			Rows []row  `json:"rows"`
		}{seed, rows}))
	}
	for _, r := range rows {
		if r.Must && !r.met() {
			err = errors.Join(err, fmt.Errorf("%s: %s is not %s", r.Figure, r.measured(), r.target()))
		}
	}
	return err
}
