package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"time"

	"fairfactor/factor/tune"
)

// block is the part of the sieve that is worked on at a time: longer ones are whole
// blocks.
const block = 1 << 15

// changes are what is tried, in both directions: each returns parameters that differ
// in one, or the same if there are none.
var changes = []func(s tune.SieveSize, up bool) tune.SieveSize{
	func(s tune.SieveSize, up bool) tune.SieveSize { s.Base = scaled(s.Base, up, 0.15); return s },
	func(s tune.SieveSize, up bool) tune.SieveSize { s.Length = otherLength(s.Length, up); return s },
	func(s tune.SieveSize, up bool) tune.SieveSize { s.Large = scaled(s.Large, up, 0.3); return s },
	func(s tune.SieveSize, up bool) tune.SieveSize { s.Slack = max(s.Slack+sign(up), 0); return s },
	func(s tune.SieveSize, up bool) tune.SieveSize { s.Skip = scaled(s.Skip, up, 0.25); return s },
	otherDouble,
}

func sign(up bool) int {
	if up {
		return 1
	}
	return -1
}

// scaled makes v larger or smaller by a share.
func scaled(v int, up bool, share float64) int {
	if up {
		return int(float64(v)*(1+share) + 0.5)
	}
	return int(float64(v)/(1+share) + 0.5)
}

// otherLength doubles or halves up to one block, and goes by blocks above, by about
// a third.
func otherLength(length int, up bool) int {
	switch {
	case up && length < block:
		return 2 * length
	case !up && length <= block:
		return max(length/2, 1<<11)
	}
	blocks := length / block
	return max(blocks+sign(up)*max(blocks/3, 1), 1) * block
}

// otherDouble turns two large primes on, or moves their bound, or turns them off.
func otherDouble(s tune.SieveSize, up bool) tune.SieveSize {
	const least, most, step = 1.7, 1.95, 0.04
	switch {
	case up && s.Double == 0:
		s.Double = 1.75
	case up:
		s.Double = min(s.Double+step, most)
	case s.Double-step < least:
		s.Double = 0
	default:
		s.Double -= step
	}
	return s
}

// tune looks for the best parameters of each size.
func (t *tuning) tune(ctx context.Context, sizes []int, work time.Duration, progress io.Writer) error {
	runner := tune.NewRunner()
	for i, size := range sizes {
		s := sieveTuner{ctx: ctx, runner: runner, progress: progress}
		s.draw(newRand(t.Seed, uint64(1000+i)), size)
		tuned, err := s.tune(size, work)
		if err != nil {
			return fmt.Errorf("sieve at %d bits: %w", size, err)
		}
		t.Sieve = append(t.Sieve, tuned)
	}
	return nil
}

// sieveTuner tunes the sieve for the size of its numbers.
type sieveTuner struct {
	ctx      context.Context
	runner   *tune.Runner
	progress io.Writer
	numbers  []string
	tried    map[tune.SieveSize]bool
	ratios   []float64 // of the numbers, from the last comparison
}

const (
	mostNumbers = 50 // that a set of parameters is tried with
	mostRounds  = 3  // over all changes
)

func (s *sieveTuner) draw(rng *rand.Rand, size int) {
	s.numbers = many(mostNumbers, rng, func(rng *rand.Rand) string { return bitSemiprime(rng, size) })
}

// tune changes one parameter after the other as long as that pays.
func (s *sieveTuner) tune(size int, work time.Duration) (tunedSize, error) {
	best := tune.SieveSizeFor(size)
	t := tunedSize{Bits: size, Before: best}
	first, err := sieveTime(s.ctx, s.runner, s.numbers[0], &best)
	if err != nil {
		return t, err
	}
	s.numbers = s.numbers[:min(int(work/max(first, 1))+1, len(s.numbers))]
	s.tried = map[tune.SieveSize]bool{best: true}
	t.Numbers = len(s.numbers)
	for range mostRounds {
		before := best
		for _, change := range changes {
			for _, up := range []bool{true, false} {
				for kept := true; kept; {
					if kept, err = s.try(size, &best, change(best, up)); err != nil {
						return t, err
					}
				}
			}
		}
		if best == before {
			break
		}
	}
	t.Size = best
	if best == t.Before {
		t.CPU, _, err = s.beside(best, best)
		return t, err
	}
	t.Was, t.CPU, err = s.beside(t.Before, best)
	return t, err
}

// try keeps other in the place of best if it is better for sure. Nothing is tried
// twice: what is as good would go round in circles.
func (s *sieveTuner) try(size int, best *tune.SieveSize, other tune.SieveSize) (kept bool, err error) {
	if s.tried[other] {
		return false, nil
	}
	s.tried[other] = true
	was, is, err := s.beside(*best, other)
	if errors.Is(err, tune.ErrSize) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	word := "no better"
	if kept = surely(s.ratios); kept {
		*best, word = other, "kept"
	}
	fmt.Fprintf(s.progress, "bench:   %s %s instead of %s: %s\n", tableRow(size, other), short(is), short(was), word)
	return kept, nil
}

// surely reports whether ratios of CPU are below 1 by more than chance and more
// than one per cent: by twice the standard error of the mean of their logarithms,
// or, of a single one, by three per cent.
func surely(ratios []float64) bool {
	var sum, squares float64
	for _, r := range ratios {
		sum += math.Log(r)
	}
	count := float64(len(ratios))
	mean := sum / count
	if count < 2 {
		return mean < -0.03
	}
	for _, r := range ratios {
		squares += (math.Log(r) - mean) * (math.Log(r) - mean)
	}
	return mean < -0.01 && mean+2*math.Sqrt(squares/(count-1)/count) < 0
}

// beside returns the CPU of a number with each of two sets of parameters, in turn
// for each number: whoever is second pays for what the first has left behind.
func (s *sieveTuner) beside(one, other tune.SieveSize) (was, is time.Duration, err error) {
	s.ratios = s.ratios[:0]
	for i, n := range s.numbers {
		order := []*tune.SieveSize{&one, &other}
		if i%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		var took [2]time.Duration
		for j, size := range order {
			if took[(i+j)%2], err = sieveTime(s.ctx, s.runner, n, size); err != nil {
				return 0, 0, err
			}
		}
		was, is = was+took[0], is+took[1]
		s.ratios = append(s.ratios, took[1].Seconds()/took[0].Seconds())
	}
	count := time.Duration(len(s.numbers))
	return was / count, is / count, nil
}

// tableRow writes parameters as factor/internal/siqs/parameters.go has them.
func tableRow(size int, s tune.SieveSize) string {
	length := fmt.Sprint(s.Length)
	if zeros := bits.TrailingZeros(uint(s.Length)); zeros > 6 {
		length = fmt.Sprintf("%d << %d", s.Length>>zeros, zeros)
	}
	return fmt.Sprintf("{%d, %d, %d, %s, %d, %.3g, %d},", size, s.Base, s.Large, length, s.Skip, s.Double, s.Slack)
}

func (t *tuning) printSieve(out io.Writer) {
	if len(t.Sieve) == 0 {
		return
	}
	fmt.Fprintf(out, "\n// %s\n", t.Machine)
	for _, z := range t.Sieve {
		was := "as before"
		if z.Size != z.Before {
			was = fmt.Sprintf("was %s with %s", short(z.Was), tableRow(z.Bits, z.Before))
		}
		fmt.Fprintf(out, "%s // %s, %s\n", tableRow(z.Bits, z.Size), short(z.CPU), was)
	}
}
