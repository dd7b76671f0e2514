// Package engine measures the factoring engine alone, in this process: CPU for
// each size of number against PARI and GNU factor ([Study]), the slowest number of
// each size ([Worst]), and the parameters of the large sieve ([Tune]). The
// engine's tuning interface is used in tuning.go only.
package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/factor"
)

// Study is `bench engine`.
var Study = command.Study{
	Name:    "engine",
	Summary: "CPU of the factoring engine for each size of number, against PARI and GNU factor",
	Limit:   time.Hour,
	Prepare: func(f *flag.FlagSet) command.Inquiry {
		b := &engineBench{}
		f.IntVar(&b.digits, "digits", 60, "largest `size` of semiprimes: 20 to 95")
		f.IntVar(&b.most, "numbers", 10_000, "at most so many `numbers` in a row")
		f.DurationVar(&b.bound, "bound", 10*time.Second, "time of an alternative for one row")
		f.StringVar(&b.gp, "gp", "gp", "PARI's `program`; empty: leave it out")
		f.StringVar(&b.gnu, "gnu", "factor", "GNU factor's `program`; empty: leave it out")
		f.StringVar(&b.ecm, "ecm", "ecm", "GMP-ECM's `program`; empty: leave it out")
		f.IntVar(&b.curves, "curves", 300, "largest `size` of numbers for single elliptic curves: 120 to 300; 1: none")
		return b
	},
	Help: `Factors the same random numbers with this engine (one thread, in this process), with
PARI (gp) and with GNU factor, as far as these are installed, in turn, a few numbers at
a time, and compares all answers. Times are CPU per number: of this process, of gp's own
loop without its start, of factor without its start. An alternative is stopped in a row
after -bound, or left out once a smaller size took it longer for one number; its ratio is
to this engine's time for the same numbers. From 60 digits on there is a row for the wall
time with one worker divided by that with two. A second table has single elliptic curves
of numbers that only curves can split, next to GMP-ECM (ecm) with the same bounds.

Examples:
  go run ./bench engine                    # to 60 digits, about three minutes
  go run ./bench engine -digits 80         # to 80 digits, about ten minutes
  go run ./bench engine -digits 20 -numbers 3  # little but the curves, half a minute
  go run ./bench engine -digits 30 -numbers 20 -gnu ""  # a quick look, without GNU factor
  go run ./bench engine -seed 7 -json engine.json`,
}

// engineSizes are the rows of the table: what the engine should take at least, and
// what it aims at.
var engineSizes = []engineSize{
	{"uniform 10^6..10^20", 0, random.Uniform, 10_000, 2_000, 16 * time.Microsecond, 8 * time.Microsecond, 0},
	{"log-uniform 10^6..10^20", 0, random.LogUniform, 10_000, 2_000, 4 * time.Microsecond, 2500 * time.Nanosecond, 0},
	{"64-bit semiprimes", 0, random.WordSemiprime, 2_000, 500, 45 * time.Microsecond, 35 * time.Microsecond, 0.1},
	ofDigits(20, 1_000, 200, 200*time.Microsecond, 110*time.Microsecond),
	ofDigits(24, 200, 50, 450*time.Microsecond, 270*time.Microsecond),
	ofDigits(28, 50, 1, time.Millisecond, 700*time.Microsecond),
	ofDigits(30, 50, 1, 1500*time.Microsecond, time.Millisecond),
	ofDigits(35, 40, 1, 6*time.Millisecond, 3500*time.Microsecond),
	ofDigits(40, 20, 1, 18*time.Millisecond, 12*time.Millisecond),
	ofDigits(45, 10, 1, 55*time.Millisecond, 40*time.Millisecond),
	ofDigits(50, 10, 1, 200*time.Millisecond, 150*time.Millisecond),
	ofDigits(55, 6, 1, 550*time.Millisecond, 370*time.Millisecond),
	ofDigits(60, 4, 1, 1600*time.Millisecond, time.Second),
	ofDigits(65, 2, 1, 6*time.Second, 3600*time.Millisecond),
	ofDigits(70, 1, 1, 16*time.Second, 10*time.Second),
	ofDigits(80, 1, 1, 120*time.Second, 70*time.Second),
	ofDigits(90, 1, 1, 0, 0),
	ofDigits(95, 1, 1, 0, 0),
}

// engineSize is one row to measure.
type engineSize struct {
	name         string
	digits       int // 0: below 20
	draw         func(*rand.Rand) string
	count, chunk int // numbers, and how many one engine gets at a time
	least, aim   time.Duration
	ratio        float64 // to each alternative, at most; 0: any
}

// ofDigits is the row of semiprimes of that many digits.
func ofDigits(digits, count, chunk int, least, aim time.Duration) engineSize {
	draw := func(rng *rand.Rand) string { return random.Semiprime(rng, digits) }
	return engineSize{fmt.Sprintf("%d digits", digits), digits, draw, count, chunk, least, aim, 0}
}

// Two workers are measured against one from this size on, and should be that much
// faster.
const (
	speedupFrom  = 60
	speedupLeast = 1.7
	speedupAim   = 1.9
)

// engineBench measures the table.
type engineBench struct {
	engineTable
	digits   int
	most     int // numbers in a row
	bound    time.Duration
	gp, gnu  string
	ecm      string
	curves   int // digits
	progress io.Writer
	ours     *ownEngine
	others   []*alternative
}

// alternative is another engine, and how it has done so far.
type alternative struct {
	engine
	name string
	gone bool // not even the first numbers of a row were done within the bound
}

// Measure implements [command.Inquiry].
func (b *engineBench) Measure(ctx context.Context, seed uint64, progress io.Writer) error {
	b.progress = progress
	b.engineTable = engineTable{Seed: seed, Machine: report.ThisMachine(), Bound: b.bound}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	if err := b.rows(ctx); err != nil {
		return err
	}
	return b.measureCurves(ctx)
}

// open starts the engines that are installed.
func (b *engineBench) open(ctx context.Context) error {
	b.ours = &ownEngine{runner: factor.NewRunner()}
	for _, other := range []struct {
		name, program string
		open          func(context.Context, string) (engine, string, error)
	}{{"PARI", b.gp, openGP}, {"GNU", b.gnu, openGNU}} {
		if other.program == "" {
			continue
		}
		e, version, err := other.open(ctx, other.program)
		if errors.Is(err, errNotInstalled) {
			fmt.Fprintf(b.progress, "bench: %s is not installed: its column is empty\n", other.program)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", other.program, err)
		}
		b.others = append(b.others, &alternative{engine: e, name: other.name})
		b.Versions = append(b.Versions, version)
	}
	return nil
}

func (b *engineBench) close() {
	for _, o := range b.others {
		o.close()
	}
}

// rows fills the table. Rows before an error are kept.
func (b *engineBench) rows(ctx context.Context) error {
	for i, size := range engineSizes {
		if size.digits > b.digits {
			continue
		}
		numbers := random.Many(min(size.count, b.most), random.New(b.Seed, uint64(i)), size.draw)
		row, wall, err := b.row(ctx, size, numbers)
		if err != nil {
			return fmt.Errorf("%s: %w", size.name, err)
		}
		b.Rows = append(b.Rows, row)
		if size.digits < speedupFrom || runtime.NumCPU() < 2 {
			continue
		}
		fmt.Fprintf(b.progress, "bench:   %s, two workers\n", size.name)
		times, err := speedup(ctx, numbers, wall)
		if err != nil {
			return fmt.Errorf("%s, two workers: %w", size.name, err)
		}
		b.Rows = append(b.Rows, speedupRow(size.name, len(numbers), times))
	}
	return nil
}

// row measures numbers of one size, chunk by chunk: first this engine, then the
// others as long as they keep within the bound. wall is the time of this engine.
func (b *engineBench) row(ctx context.Context, size engineSize, numbers []string) (r engineRow, wall time.Duration, err error) {
	r = size.row(numbers)
	used := make([]time.Duration, len(b.others)) // wall time of each
	var done atomic.Int64
	line := command.StartProgress(b.progress, func() string {
		return fmt.Sprintf("bench:   %s: %d of %d numbers", size.name, done.Load(), len(numbers))
	})
	defer line.Stop()
	for from := 0; from < len(numbers); from += size.chunk {
		chunk := numbers[from:min(from+size.chunk, len(numbers))]
		start := time.Now()
		cpu, want, err := b.ours.factor(ctx, chunk)
		if err != nil {
			return r, 0, err
		}
		wall += time.Since(start)
		r.add(oursName, len(chunk), cpu, cpu)
		for i, o := range b.others {
			if o.gone || used[i] > b.bound {
				continue
			}
			start := time.Now()
			theirs, got, err := o.within(ctx, b.bound, chunk)
			used[i] += time.Since(start)
			switch {
			case errors.Is(err, errTooLong):
				o.gone = from == 0
				used[i] = b.bound + 1
				continue
			case err != nil:
				return r, 0, fmt.Errorf("%s: %w", o.name, err)
			}
			if err := sameAnswers(chunk, want, got); err != nil {
				return r, 0, fmt.Errorf("%s and this engine differ: %w", o.name, err)
			}
			r.add(o.name, len(chunk), theirs, cpu)
		}
		done.Add(int64(len(chunk)))
	}
	for _, o := range b.others {
		r.bounded(o.name, b.bound/time.Duration(size.chunk))
	}
	return r, wall, nil
}

// within is factor with a limit on its wall time, [errTooLong].
func (a *alternative) within(ctx context.Context, bound time.Duration, numbers []string) (time.Duration, []string, error) {
	limited, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	cpu, answers, err := a.factor(limited, numbers)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = errTooLong
	}
	return cpu, answers, err
}

// speedup returns how many times faster two workers were than one.
func speedup(ctx context.Context, numbers []string, one time.Duration) (float64, error) {
	start := time.Now()
	for _, n := range numbers {
		if _, err := factor.Factorize(ctx, n, 2); err != nil {
			return 0, err
		}
	}
	return one.Seconds() / time.Since(start).Seconds(), nil
}
