package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
)

// maxLocalDigits bounds a number on the command line or a word of the input.
const maxLocalDigits = 10_000

func newFactor(streams streams) *cobra.Command {
	var workers int
	var shown form
	var files []string
	cmd := &cobra.Command{
		Use:   "factor [N ...]",
		Short: "Factor numbers right here, without a node",
		Long: `factor prints the prime factors of each number, ascending, as GNU factor does, and
the answers in the order of the input as they come.

` + numbersHelp + `

If a number takes longer than a second, standard error says what is being done,
how much of it, about how long it will take, and the primes found so far. An
interrupt (^C) prints what was found and what remains composite.

With --json an answer has the methods that found the factors (trial, power, hart,
ecm, rho, qs, siqs, p-1), how each prime is proven ("probable" lists those that are
not), and the time from its start in microseconds; with --divisors, --sigma and
--phi these too.

With --certificate a line for each prime follows: a proof that it is prime which others
can check without trust in this program, with "fairfactor verify" or with
primecertisvalid of PARI/GP, in whose form it is. That of a prime below 2^64 is
the prime itself; one of 100 digits takes some 0.1 s of CPU, one of 200 about 0.5 s.
A longer prime has no certificate: a message says so, and the exit status is 1. With
--json they are under "certificates".`,
		Example: `  fairfactor factor 600851475143
  fairfactor factor '2^67-1' '30!+1'
  seq 1 1000000 | fairfactor factor
  fairfactor factor --file numbers.txt
  fairfactor factor --json 18446744073709551617
  fairfactor factor -h '2^10*3^5'                    # 248832: 2^10 3^5
  fairfactor factor --divisors 28                    # 28: 1 2 4 7 14 28
  fairfactor factor --certificate '2^137-1' | fairfactor verify`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if workers < 1 {
				return fairfactor.Errorf(fairfactor.Invalid, "--workers %d is not 1 or more", workers)
			}
			if err := shown.check(); err != nil {
				return err
			}
			next, err := numbersOf(cmd.Context(), args, files, streams.in)
			if err != nil {
				return err
			}
			collectLess(cmd.Context())
			s := &solver{workers: workers, form: shown}
			return s.solveAll(cmd.Context(), next, streams)
		},
	}
	f := cmd.Flags()
	f.IntVar(&workers, "workers", runtime.GOMAXPROCS(0), "compute threads")
	describeDefault(f, "workers", "the number of CPUs, or what the cgroup's quota leaves of them")
	shown.addFlags(f)
	f.StringArrayVarP(&files, "file", "f", nil, "file of numbers, - for standard input; may be repeated")
	return withStatuses(withEnv(cmd), statusDone, "1  error: a number could not be factored, as with GNU factor", statusUsage)
}

// collectLess lets the heap of factor grow as that of a node does, until ctx ends. A
// stream of short numbers leaves much garbage next to little that lives: with Go's
// default a third of the CPU went into collecting it. GOGC in the environment has the
// last word.
func collectLess(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercent)
	tick := time.NewTicker(tendEvery)
	go func() {
		defer tick.Stop()
		tendHeap(ctx, tick.C, func() int64 { return 0 })
	}()
}
