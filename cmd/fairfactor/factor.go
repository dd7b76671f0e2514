package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"fairfactor"
)

// maxLocalDigits bounds a number on the command line or a word of the input.
const maxLocalDigits = 10_000

func newFactor(streams streams) *cobra.Command {
	var workers int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "factor [N ...]",
		Short: "Factor numbers right here, without a node",
		Long: `factor prints the prime factors of each number, ascending, as GNU factor does.
Without arguments it reads numbers from standard input, separated by white
space, and prints the answers in the order of the input as they come.

A number that takes longer than a second is told of on standard error: what is
being done, how much of it, about how long it will take, and the primes so far.
Interrupt it (^C), and it says what was found and what remains composite.

With --json an answer has the methods that found the factors (trial, power, hart,
ecm, rho, qs, siqs), how each prime is proven ("probable" lists those that are
not), and the time from its start in microseconds.

` + expressionsHelp,
		Example: `  fairfactor factor 600851475143
  fairfactor factor '2^67-1' '30!+1'
  seq 1 1000000 | fairfactor factor
  fairfactor factor --json 18446744073709551617`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if workers < 1 {
				return fairfactor.Errorf(fairfactor.Invalid, "--workers %d is not 1 or more", workers)
			}
			words := wordsOf(args)
			if len(args) == 0 {
				words = wordsIn(cmd.Context(), streams.in)
			}
			s := &solver{workers: workers}
			return s.solveAll(cmd.Context(), words, asJSON, streams)
		},
	}
	cmd.Flags().IntVar(&workers, "workers", runtime.NumCPU(), "compute threads")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return withEnv(cmd)
}

// words hands out the numbers to factor, one at a time; io.EOF ends them.
type words func() (string, error)

func wordsOf(args []string) words {
	return func() (string, error) {
		if len(args) == 0 {
			return "", io.EOF
		}
		word := args[0]
		args = args[1:]
		return word, nil
	}
}

// wordsIn reads ahead in a goroutine of its own: nothing else ends the wait for
// somebody at a keyboard when ctx does.
func wordsIn(ctx context.Context, in io.Reader) words {
	read, failed := make(chan string, 256), make(chan error, 1)
	go func() {
		defer close(read)
		s := bufio.NewScanner(in)
		s.Buffer(make([]byte, 64<<10), 1<<20)
		s.Split(splitTyped(bufio.ScanWords))
		for s.Scan() {
			select {
			case read <- s.Text():
			case <-ctx.Done():
				return
			}
		}
		if err := s.Err(); err != nil {
			failed <- err
		}
	}()
	return func() (string, error) {
		select {
		case word, ok := <-read:
			if ok {
				return word, nil
			}
		case <-ctx.Done():
			return "", errInterrupted
		}
		select {
		case err := <-failed:
			return "", err
		default:
			return "", io.EOF
		}
	}
}

// atEnd reports whether err is the plain end of the input.
func atEnd(err error) bool { return errors.Is(err, io.EOF) }

// errInterrupted ends the input when somebody stops the program.
var errInterrupted = errors.New("interrupted")
