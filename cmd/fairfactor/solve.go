package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"fairfactor/factor"
)

// answer is one number's factors, or why there are none, or not all.
type answer struct {
	word      string
	number    string
	primes    []factor.Prime
	remaining []string // composite factors that nothing was found of
	methods   factor.Methods
	took      time.Duration
	err       error
	// certificates are those of the primes, in their order; empty for a prime without one.
	certificates []string
	lines        []byte // of several short numbers, in place of all else
}

// pending is the place of some answers in the order of the input.
type pending struct {
	words []string
	done  chan []answer // one for each word, or for several short numbers
}

// solver factors numbers on several threads. Short numbers go side by side; one
// long one at a time has all threads.
type solver struct {
	workers int
	form    form
	turn    sync.Mutex // held while a long number is factored
	long    progress
}

// solveAll factors numbers on all threads and prints the answers in order.
func (s *solver) solveAll(ctx context.Context, next words, io streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue, order := make(chan pending, 4*s.workers), make(chan pending, 4*s.workers)
	var threads sync.WaitGroup
	for range s.workers {
		threads.Go(func() {
			runner := factor.NewRunner()
			for p := range queue {
				p.done <- s.solveBatch(ctx, runner, p.words)
			}
		})
	}
	var readErr error
	go func() {
		defer close(order)
		defer close(queue)
		for ctx.Err() == nil {
			batch, err := next()
			if err != nil {
				readErr = err
				return
			}
			p := pending{batch, make(chan []answer, 1)}
			order <- p
			queue <- p
		}
	}()
	failed := s.printAll(order, io)
	cancel()
	threads.Wait()
	switch {
	case atEnd(readErr):
	case errors.Is(readErr, errInterrupted) || readErr == nil: // ctx ended
		fmt.Fprintln(io.err, "fairfactor: interrupted")
		failed = true
	default:
		fmt.Fprintln(io.err, "fairfactor:", readErr)
		failed = true
	}
	if failed {
		return &exit{status: exitError}
	}
	return nil
}

// solveBatch factors numbers. Short ones in a row become lines at once, unless there is
// more to say of them.
func (s *solver) solveBatch(ctx context.Context, runner *factor.Runner, batch []string) (answers []answer) {
	var primes []uint64
	var lines []byte
	for _, word := range batch {
		if n, ok := shortNumber(word); ok && s.form.plain() {
			if lines == nil {
				lines = make([]byte, 0, len(batch)*3*shortDigits/2)
			}
			primes = runner.AppendSmall(primes[:0], n)
			lines = append(strconv.AppendUint(lines, n, 10), ':')
			for _, p := range primes {
				lines = strconv.AppendUint(append(lines, ' '), p, 10)
			}
			lines = append(lines, '\n')
			continue
		}
		if len(lines) > 0 {
			answers, lines = append(answers, answer{lines: lines}), nil
		}
		answers = append(answers, s.solve(ctx, runner, word))
	}
	if len(lines) > 0 {
		answers = append(answers, answer{lines: lines})
	}
	return answers
}

// shortNumber returns the value of a short number in plain digits that is not 0.
func shortNumber(word string) (n uint64, ok bool) {
	if len(word) > shortDigits {
		return 0, false
	}
	for i := range len(word) {
		digit := word[i] - '0'
		if digit > 9 {
			return 0, false
		}
		n = 10*n + uint64(digit)
	}
	return n, n > 0
}

// solve factors one number: by itself with one thread if that is quickly done.
func (s *solver) solve(ctx context.Context, runner *factor.Runner, word string) answer {
	a := answer{word: word}
	if a.number, a.err = parseTyped(word); a.err != nil {
		return a
	}
	start := time.Now()
	result, err := runner.RunFirst(a.number, func() bool { return ctx.Err() != nil })
	done := false
	if err == nil {
		a.methods = result.Methods()
		a.primes, done, err = factor.Decode(a.number, result)
	}
	if err == nil && !done {
		err = s.solveLong(ctx, &a, result)
	}
	if err == nil && s.form.divisors {
		a.remaining, err = []string{}, tooMany(a.number, a.primes)
	}
	if err == nil && s.form.certificate {
		err = certify(ctx, runner, &a)
	}
	if errors.Is(err, factor.ErrStopped) || errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	if err != nil && a.remaining == nil {
		a.remaining = []string{a.number}
	}
	a.err, a.took = err, time.Since(start)
	return a
}

// solveLong goes on after the first turn with all threads.
func (s *solver) solveLong(ctx context.Context, a *answer, first factor.Result) error {
	m, err := factor.New(a.number)
	if err != nil {
		return err
	}
	for _, turn := range m.Next(1) {
		first.ID = turn.ID
	}
	if err := m.Apply(first); err != nil {
		return err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	driver := factor.NewDriver(m)
	s.long.begin(a.number, driver, s.workers)
	defer s.long.end()
	err = driver.Run(ctx, s.workers)
	a.primes, a.remaining, a.methods = m.Primes(), m.Remaining(), m.Methods()
	return err
}

// printAll prints answers in order, and how the long number at hand is going
// while it has no answer to print.
func (s *solver) printAll(order <-chan pending, io streams) (failed bool) {
	out := bufio.NewWriterSize(io.out, 64<<10)
	defer out.Flush()
	untouched := 0
	for p := range order {
		var answers []answer
		select {
		case answers = <-p.done:
		default:
			out.Flush()
			answers = s.long.waitFor(p.done, io.err)
		}
		for i := range answers {
			failed = failed || answers[i].err != nil || slices.Contains(answers[i].certificates, "")
			if !s.form.print(&answers[i], out, io) {
				untouched++
			}
		}
		if len(order) == 0 {
			out.Flush()
		}
	}
	if untouched > 0 {
		fmt.Fprintf(io.err, "fairfactor: interrupted before anything was found of %d more\n", untouched)
	}
	return failed
}

// print prints one answer, unless its number was interrupted before there was
// anything to say about it.
func (f *form) print(a *answer, out *bufio.Writer, io streams) bool {
	if a.lines != nil {
		_, _ = out.Write(a.lines) // the reader may have gone
		return true
	}
	begun := len(a.primes) > 0 || len(a.remaining) > 0 && a.remaining[0] != a.number || a.took > time.Second
	switch {
	case errors.Is(a.err, errInterrupted) && !begun:
		return false
	case a.err != nil:
		out.Flush()
		fmt.Fprintf(io.err, "fairfactor: %s\n", reason(*a))
	case slices.Contains(a.certificates, ""):
		out.Flush()
		a.reportUncertified(io)
	}
	switch {
	case f.json && a.number != "":
		f.writeJSON(out, *a)
	case a.err == nil:
		f.writeLine(out, *a)
	}
	return true
}
