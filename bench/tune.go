package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"fairfactor/factor"
	"fairfactor/factor/tune"
)

var tuneStudy = study{
	name:    "tune",
	summary: "the fastest method and parameters for each size of number, as the engine's tables have them",
	limit:   12 * time.Hour,
	prepare: func(f *flag.FlagSet) inquiry {
		var t tuning
		t.sizes = bitSizes{130, 140, 150, 165, 181}
		f.Var(&t.sizes, "bits", "`sizes` of numbers to tune the large sieve for: 100 to 332")
		f.DurationVar(&t.work, "work", time.Second, "CPU that one set of parameters is tried for")
		f.IntVar(&t.count, "numbers", 50, "`numbers` of one size that each method is tried with")
		f.DurationVar(&t.each, "method", 100*time.Millisecond, "CPU that one method is tried for at one size, at least")
		return &t
	},
	help: `Measures which method splits products of two primes of like size the fastest: Hart's,
curves, the small quadratic sieve, the large one. Then it looks for the parameters of
the large sieve: one after the other is changed, and kept if the same numbers take
less CPU than with the parameters so far, measured in turn, by more than chance, until
nothing gets better. The table of factor/internal/siqs/parameters.go is printed as it should be there.

Examples:
  go run ./bench tune                        # crossovers, and the sieve to 181 bits: some minutes
  go run ./bench tune -bits 198,215,232      # larger numbers: an hour or more
  go run ./bench tune -bits "" -json t.json  # crossovers only`,
}

// tuning is what `bench tune` has found out.
type tuning struct {
	Machine    machine     `json:"machine"`
	Seed       uint64      `json:"seed"`
	Crossovers []crossover `json:"crossovers"`
	Sieve      []tunedSize `json:"sieve"`

	sizes      bitSizes
	count      int
	work, each time.Duration
}

// crossover is the CPU of each method for numbers of one size.
type crossover struct {
	Bits    int                      `json:"bits"`
	Numbers int                      `json:"numbers"`
	CPU     map[string]time.Duration `json:"cpu_ns"`
	Missed  map[string]int           `json:"missed,omitempty"` // that were not split
	Fastest string                   `json:"fastest"`
}

// tunedSize are the best parameters of one size, and what the numbers took with
// them and with those that the engine has.
type tunedSize struct {
	Bits    int            `json:"bits"`
	Numbers int            `json:"numbers"`
	Size    tune.SieveSize `json:"size"`
	Before  tune.SieveSize `json:"before"`
	CPU     time.Duration  `json:"cpu_ns"` // of one number
	Was     time.Duration  `json:"was_ns"`
}

// Sizes at which methods are compared, in bits.
var crossoverBits = []int{30, 34, 36, 38, 40, 42, 48, 54, 60, 62, 64, 68, 72, 76, 80, 84, 88, 92, 100, 108, 112, 116, 120, 124, 128}

func (t *tuning) measure(ctx context.Context, seed uint64, progress io.Writer) error {
	t.Machine, t.Seed = describeMachine(), seed
	if err := t.compare(ctx, t.count, t.each, progress); err != nil {
		return err
	}
	return t.tune(ctx, t.sizes, t.work, progress)
}

func (t *tuning) print(out io.Writer) {
	t.printCrossovers(out)
	t.printSieve(out)
	fmt.Fprintf(out, "\nseed %d\n", t.Seed)
}

// bitSizes is a flag: sizes separated by commas, none if it is empty.
type bitSizes []int

// String implements [flag.Value].
func (b *bitSizes) String() string {
	words := make([]string, len(*b))
	for i, bits := range *b {
		words[i] = strconv.Itoa(bits)
	}
	return strings.Join(words, ",")
}

// Get implements [flag.Getter].
func (b *bitSizes) Get() any { return []int(*b) }

// Set implements [flag.Value].
func (b *bitSizes) Set(list string) error {
	*b = nil
	for word := range strings.SplitSeq(list, ",") {
		if word == "" {
			continue
		}
		bits, err := strconv.Atoi(word)
		if err != nil || bits < 100 || bits > 332 {
			return fmt.Errorf("%q is not a size from 100 to 332", word)
		}
		*b = append(*b, bits)
	}
	return nil
}

// bitSemiprime returns a product of exactly that many bits of two primes of half
// of them.
func bitSemiprime(rng *rand.Rand, bits int) string {
	for {
		n := new(big.Int).Mul(bitPrime(rng, bits/2), bitPrime(rng, bits-bits/2))
		if n.BitLen() == bits {
			return n.String()
		}
	}
}

func bitPrime(rng *rand.Rand, bits int) *big.Int {
	for {
		p := new(big.Int)
		for range (bits + 63) / 64 {
			p.Lsh(p, 64).Or(p, new(big.Int).SetUint64(rng.Uint64()))
		}
		p.Rsh(p, uint(p.BitLen()-bits)).SetBit(p, 0, 1)
		if p.BitLen() == bits && p.ProbablyPrime(20) {
			return p
		}
	}
}

// compare measures every method where it can work.
func (t *tuning) compare(ctx context.Context, count int, each time.Duration, progress io.Writer) error {
	runner := tune.NewRunner()
	for i, bits := range crossoverBits {
		fmt.Fprintf(progress, "bench:   methods at %d bits\n", bits)
		rng := newRand(t.Seed, uint64(i))
		numbers := many(count, rng, func(rng *rand.Rand) string { return bitSemiprime(rng, bits) })
		c := crossover{Bits: bits, Numbers: count, CPU: map[string]time.Duration{}, Missed: map[string]int{}}
		for _, by := range []factor.Methods{factor.ByHart, factor.ByCurves, factor.ByRho, factor.ByQS, factor.BySIQS} {
			name := by.Names()[0]
			cpu, missed, err := methodTime(ctx, runner, numbers, by, each)
			switch {
			case errors.Is(err, tune.ErrSize):
				continue
			case err != nil:
				return fmt.Errorf("%s at %d bits: %w", name, bits, err)
			}
			c.CPU[name] = cpu
			c.Missed[name] = missed
		}
		c.Fastest = c.fastest()
		t.Crossovers = append(t.Crossovers, c)
	}
	return nil
}

// fastest returns the method that is best to begin with: what it misses, the best of
// those that miss nothing has to do after it.
func (c *crossover) fastest() (name string) {
	sure := time.Duration(math.MaxInt64)
	for method, cpu := range c.CPU {
		if c.Missed[method] == 0 {
			sure = min(sure, cpu)
		}
	}
	least := math.Inf(1)
	for method, cpu := range c.CPU {
		cost := float64(cpu)
		if missed := c.Missed[method]; missed > 0 {
			cost += float64(sure) * float64(missed) / float64(c.Numbers)
		}
		if cost < least {
			name, least = method, cost
		}
	}
	return name
}

// methodTime returns the mean CPU of one method for one of the numbers, and how
// many it did not split.
func methodTime(ctx context.Context, r *tune.Runner, numbers []string, by factor.Methods, each time.Duration) (cpu time.Duration, missed int, err error) {
	begin, times := ownCPU(), 0
	for ; times == 0 || ownCPU()-begin < each; times++ {
		missed = 0
		for _, n := range numbers {
			found := true
			if by == factor.BySIQS {
				_, err = sieveTime(ctx, r, n, nil)
			} else {
				found, err = r.Split(n, by)
			}
			if err != nil {
				return 0, 0, err
			}
			if !found {
				missed++
			}
		}
	}
	return (ownCPU() - begin) / time.Duration(times*len(numbers)), missed, nil
}

// sieveTime returns the CPU of the large sieve for one number, with the engine's own
// parameters if size is nil.
func sieveTime(ctx context.Context, r *tune.Runner, n string, size *tune.SieveSize) (time.Duration, error) {
	v, _ := new(big.Int).SetString(n, 10)
	if size == nil {
		own := tune.SieveSizeFor(v.BitLen())
		size = &own
	}
	begin := ownCPU()
	m, err := tune.NewSieve(n, *size)
	if err != nil {
		return 0, err
	}
	if err := finishMachine(ctx, r.Runner, m); err != nil {
		return 0, err
	}
	return ownCPU() - begin, factor.Product(n, m.Primes())
}

func (t *tuning) printCrossovers(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BITS\tHART\tECM\tRHO\tQS\tSIQS\tFASTEST")
	for _, c := range t.Crossovers {
		fmt.Fprintf(w, "%d", c.Bits)
		for _, name := range []string{"hart", "ecm", "rho", "qs", "siqs"} {
			switch cpu, missed := c.CPU[name], c.Missed[name]; {
			case cpu == 0:
				fmt.Fprint(w, "\t-")
			case missed > 0:
				fmt.Fprintf(w, "\t%s, %.0f %% missed", short(cpu), 100*float64(missed)/float64(c.Numbers))
			default:
				fmt.Fprintf(w, "\t%s", short(cpu))
			}
		}
		fmt.Fprintf(w, "\t%s\n", c.Fastest)
	}
	w.Flush()
}
