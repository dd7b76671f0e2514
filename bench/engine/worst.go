package engine

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"text/tabwriter"
	"time"

	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/factor"
)

// Worst is `bench worst`.
var Worst = command.Study{
	Name:    "worst",
	Summary: "the number of each size that keeps the factoring engine longest, among forms that others have trouble with",
	Limit:   time.Hour,
	Prepare: func(f *flag.FlagSet) command.Inquiry {
		var t worstTable
		f.IntVar(&t.digits, "digits", 50, "largest `size` of numbers: 6 to 70")
		f.IntVar(&t.most, "numbers", 40, "at most so many `numbers` of one form")
		f.DurationVar(&t.each, "form", 2*time.Second, "no more numbers of a form after this `time`")
		return &t
	},
	Help: `Factors numbers of many forms and one size: products of two primes of like size, which
are meant to be the hardest, and what has kept engines for ever or far too long:
neighbouring and related primes, powers, three primes, one prime much smaller than the
other, primes (which are proven), repunits, powers of two plus and minus one. Each number
is timed alone, with one thread; a short one three times, and the shortest time counts.
The table has the slowest of all, and how many times the mean of the products of two
primes it took: an engine whose worst case is far from 1 keeps callers waiting for a
number that looks harmless.

Examples:
  go run ./bench worst                        # to 50 digits, about two minutes
  go run ./bench worst -digits 60 -numbers 5  # larger ones, fewer of each form`,
}

// worstDigits are the sizes.
var worstDigits = []int{6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 36, 40, 43, 45, 50, 55, 60, 65, 70}

// form is a family of numbers. draw may return nil: no such number this time.
type form struct {
	name string
	draw func(rng *rand.Rand, digits int) *big.Int
}

// numberForms are the families; the first is what the others are compared with.
var numberForms = []form{
	{"p q", func(rng *rand.Rand, digits int) *big.Int { return product(rng, digits, 1, 1) }},
	{"p q r", func(rng *rand.Rand, digits int) *big.Int { return product(rng, digits, 1, 1, 1) }},
	{"p q, p of a third", func(rng *rand.Rand, digits int) *big.Int { return product(rng, digits, 1, 2) }},
	{"p q, p of a quarter", func(rng *rand.Rand, digits int) *big.Int { return product(rng, digits, 1, 3) }},
	{"p q, p of two fifths", func(rng *rand.Rand, digits int) *big.Int { return product(rng, digits, 2, 3) }},
	{"p^2", func(rng *rand.Rand, digits int) *big.Int {
		p := random.Prime(rng, digits/2)
		return p.Mul(p, p)
	}},
	{"p^3", func(rng *rand.Rand, digits int) *big.Int {
		p := random.Prime(rng, digits/3)
		return p.Exp(p, big.NewInt(3), nil)
	}},
	{"p^2 q", func(rng *rand.Rand, digits int) *big.Int {
		p := random.Prime(rng, digits/3)
		return p.Mul(p, p).Mul(p, random.Prime(rng, digits-2*(digits/3)))
	}},
	{"p and the next prime", func(rng *rand.Rand, digits int) *big.Int {
		p := random.Prime(rng, digits/2)
		q := new(big.Int).Add(p, big.NewInt(2))
		for !q.ProbablyPrime(10) {
			q.Add(q, big.NewInt(2))
		}
		return p.Mul(p, q)
	}},
	{"p (2p-1)", func(rng *rand.Rand, digits int) *big.Int { return related(rng, digits, 2) }},
	{"p (3p-2)", func(rng *rand.Rand, digits int) *big.Int { return related(rng, digits, 3) }},
	{"prime", random.Prime},
	{"small primes and p q", func(rng *rand.Rand, digits int) *big.Int {
		smooth := big.NewInt(2 * 2 * 3 * 7 * 11)
		return smooth.Mul(smooth, product(rng, max(digits-3, 4), 1, 1))
	}},
	{"10^d - 1", func(_ *rand.Rand, digits int) *big.Int { return nearPower(10, digits, -1) }},
	{"10^d + 1", func(_ *rand.Rand, digits int) *big.Int { return nearPower(10, digits-1, 1) }},
	{"2^k - 1", func(rng *rand.Rand, digits int) *big.Int { return nearPower(2, bitsOf(digits)-rng.IntN(3), -1) }},
	{"2^k + 1", func(rng *rand.Rand, digits int) *big.Int { return nearPower(2, bitsOf(digits)-rng.IntN(3), 1) }},
}

// product returns a product of primes whose lengths are in that proportion.
func product(rng *rand.Rand, digits int, shares ...int) *big.Int {
	n, left, sum := big.NewInt(1), digits, 0
	for _, s := range shares {
		sum += s
	}
	for _, s := range shares {
		d := left * s / sum
		left, sum = left-d, sum-s
		n.Mul(n, random.Prime(rng, max(d, 1)))
	}
	return n
}

// related returns p (k(p-1)+1) for a prime p, with a prime second factor.
func related(rng *rand.Rand, digits, k int) *big.Int {
	one, times := big.NewInt(1), big.NewInt(int64(k))
	for range 2000 {
		p := random.Prime(rng, digits/2)
		q := new(big.Int).Sub(p, one)
		if q.Mul(q, times).Add(q, one); q.ProbablyPrime(10) {
			return q.Mul(q, p)
		}
	}
	return nil
}

func nearPower(base int64, exponent, plus int) *big.Int {
	n := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(exponent)), nil)
	return n.Add(n, big.NewInt(int64(plus)))
}

// bitsOf is the length of the largest number of so many digits.
func bitsOf(digits int) int { return nearPower(10, digits, -1).BitLen() }

// worstRow is one size.
type worstRow struct {
	Digits  int           `json:"digits"`
	Numbers int           `json:"numbers"` // of all forms
	Mean    time.Duration `json:"mean_ns"` // of the first form
	Worst   time.Duration `json:"worst_ns"`
	Form    string        `json:"form"`
	Number  string        `json:"number"`
}

// worstTable is what `bench worst` prints.
type worstTable struct {
	Machine report.Machine `json:"machine"`
	Seed    uint64         `json:"seed"`
	Rows    []worstRow     `json:"rows"`

	digits, most int
	each         time.Duration
}

// Measure implements [command.Inquiry].
func (t *worstTable) Measure(ctx context.Context, seed uint64, progress io.Writer) error {
	t.Machine, t.Seed = report.ThisMachine(), seed
	for _, size := range worstDigits {
		if size > t.digits {
			break
		}
		fmt.Fprintf(progress, "bench:   %d digits\n", size)
		row, err := worstOf(ctx, size, t.most, t.each, random.New(seed, uint64(size)))
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, row)
	}
	return nil
}

// worstOf looks for the slowest number of a size.
func worstOf(ctx context.Context, digits, most int, each time.Duration, rng *rand.Rand) (worstRow, error) {
	r := worstRow{Digits: digits}
	e := &ownEngine{runner: factor.NewRunner()}
	for i, f := range numberForms {
		var sum, used time.Duration
		count := 0
		for count < most && used < each {
			n := f.draw(rng, digits)
			if n == nil {
				break
			}
			took, all, err := e.alone(ctx, n.String())
			if err != nil {
				return r, fmt.Errorf("%s, %v: %w", f.name, n, err)
			}
			count++
			sum, used = sum+took, used+all
			if took > r.Worst {
				r.Worst, r.Form, r.Number = took, f.name, n.String()
			}
		}
		r.Numbers += count
		if i == 0 {
			r.Mean = sum / time.Duration(count)
		}
	}
	return r, nil
}

// Times below shortRun are taken often enough to leave out what has nothing to do with
// the number.
const (
	shortRun = 100 * time.Millisecond
	attempts = 3
)

// alone factors one number and returns the shortest time that it took, and the time
// of all attempts. The answer is checked.
func (e *ownEngine) alone(ctx context.Context, n string) (least, all time.Duration, err error) {
	for i := 0; i < attempts && all < shortRun; i++ {
		start := time.Now()
		primes, err := e.one(ctx, n)
		took := time.Since(start)
		if err == nil {
			err = factor.Product(n, primes)
		}
		if err != nil {
			return 0, 0, err
		}
		if all += took; i == 0 || took < least {
			least = took
		}
	}
	return least, all, nil
}

// Print implements [command.Inquiry].
func (t *worstTable) Print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DIGITS\tNUMBERS\tP Q, MEAN\tSLOWEST\tTIMES\tFORM\tNUMBER")
	for _, r := range t.Rows {
		fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%.2f\t%s\t%s\n",
			r.Digits, r.Numbers, short(r.Mean), short(r.Worst), stats.RatioOf(float64(r.Worst), float64(r.Mean)), r.Form, r.Number)
	}
	w.Flush()
	fmt.Fprintf(out, "\nwall time of one number, one thread; seed %d\n", t.Seed)
}
