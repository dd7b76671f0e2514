package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"fairfactor/bench/internal/report"
)

// Study is a subcommand that starts no nodes, such as one that measures the
// factoring engine alone, and prints a table of its own.
type Study struct {
	Name, Summary, Help string
	Limit               time.Duration // of the whole run, by default
	Prepare             func(*flag.FlagSet) Inquiry
}

// Inquiry is a study whose flags are parsed.
type Inquiry interface {
	// Measure fills the report. What was measured before an error is kept.
	Measure(ctx context.Context, seed uint64, progress io.Writer) error
	// Print writes the report for people. [json.Marshal] writes it for machines.
	Print(out io.Writer)
}

// Run parses the flags, measures and prints the table.
func (s Study) Run(ctx context.Context, args []string, out, progress io.Writer) int {
	f := flag.NewFlagSet("bench "+s.Name, flag.ContinueOnError)
	i := s.Prepare(f)
	file := f.String("json", "", "write the result as JSON to this `file` too")
	seed := f.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random numbers")
	limit := f.Duration("limit", s.Limit, "give up after this time")
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "bench %s: %s\n\n%s\n\nFlags:\n", s.Name, s.Summary, s.Help)
		f.PrintDefaults()
	}
	if code, ok := Parse(f, args, progress); !ok {
		return code
	}
	if err := CheckPositive(f); err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	fmt.Fprintln(out, report.ThisMachine())
	err := i.Measure(ctx, *seed, progress)
	i.Print(out)
	if *file != "" {
		err = errors.Join(err, report.WriteJSON(*file, i))
	}
	return Status(err, progress)
}
