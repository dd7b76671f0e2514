package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// study is a subcommand that measures the factoring engine alone, in this process,
// and prints a table of its own.
type study struct {
	name, summary, help string
	limit               time.Duration // of the whole run, by default
	prepare             func(*flag.FlagSet) inquiry
}

// studies are the subcommands about the engine.
var studies = []study{engineStudy, worstStudy, tuneStudy}

// inquiry is a study whose flags are parsed.
type inquiry interface {
	// measure fills the report. What was measured before an error is kept.
	measure(ctx context.Context, seed uint64, progress io.Writer) error
	// print writes the report for people. [json.Marshal] writes it for machines.
	print(out io.Writer)
}

func (s *study) run(ctx context.Context, args []string, out, progress io.Writer) int {
	f := flag.NewFlagSet("bench "+s.name, flag.ContinueOnError)
	i := s.prepare(f)
	file := f.String("json", "", "write the result as JSON to this `file` too")
	seed := f.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random numbers")
	limit := f.Duration("limit", s.limit, "give up after this time")
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "bench %s: %s\n\n%s\n\nFlags:\n", s.name, s.summary, s.help)
		f.PrintDefaults()
	}
	if code, ok := parse(f, args, progress); !ok {
		return code
	}
	if err := checkPositive(f); err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	fmt.Fprintln(out, describeMachine())
	err := i.measure(ctx, *seed, progress)
	i.print(out)
	if *file != "" {
		err = errors.Join(err, writeJSON(*file, i))
	}
	return status(err, progress)
}
