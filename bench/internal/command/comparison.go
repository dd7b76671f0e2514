// Package command is what the subcommands of bench have in common: flags, limits,
// exit status, and the line that shows progress.
package command

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/report"
)

// Comparison is a subcommand: it declares its flags and returns what is to be
// run once they are parsed.
type Comparison struct {
	Name, Summary, Help string
	Prepare             func(*flag.FlagSet) Measurement
	Separate            bool          // not part of `all`: it takes too long or needs too much
	Limit               time.Duration // of the whole run, by default; zero is 10 minutes
}

// Measurement measures and returns rows for the table. Rows that come with an
// error were measured before it.
type Measurement func(context.Context, *harness.Harness) ([]report.Row, error)

// SharedFlags are the flags that all comparisons have.
type SharedFlags struct {
	program, JSON string
	Seed          uint64
	limit         time.Duration
}

// Declare adds the flags; limit is the default of -limit.
func (s *SharedFlags) Declare(f *flag.FlagSet, limit time.Duration) {
	f.StringVar(&s.program, "program", "", "fairfactor `program` to measure (default: built from this module)")
	f.StringVar(&s.JSON, "json", "", "write the rows as JSON to this `file` too")
	f.Uint64Var(&s.Seed, "seed", uint64(time.Now().UnixNano()), "seed of the random numbers")
	f.DurationVar(&s.limit, "limit", limit, "give up after this time")
}

// Open bounds the time and builds what the comparisons run.
func (s *SharedFlags) Open(ctx context.Context, progress io.Writer) (context.Context, *harness.Harness, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	h, err := harness.New(ctx, s.program, s.Seed, progress)
	if err != nil {
		cancel()
		return nil, nil, nil, err
	}
	return ctx, h, func() { h.Close(); cancel() }, nil
}

// Run parses the flags, measures and prints the table.
func (c Comparison) Run(ctx context.Context, args []string, out, progress io.Writer) int {
	f := flag.NewFlagSet("bench "+c.Name, flag.ContinueOnError)
	var s SharedFlags
	s.Declare(f, cmp.Or(c.Limit, 10*time.Minute))
	measure := c.Prepare(f)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "bench %s: %s\n\n%s\n\nFlags:\n", c.Name, c.Summary, c.Help)
		f.PrintDefaults()
	}
	if code, ok := Parse(f, args, progress); !ok {
		return code
	}
	if err := CheckPositive(f); err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return 2
	}
	ctx, h, closeBench, err := s.Open(ctx, progress)
	if err != nil {
		return Status(err, progress)
	}
	defer closeBench()
	rows, err := measure(ctx, h)
	return Status(report.Finish(out, s.JSON, s.Seed, rows, err), progress)
}
