package forms

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

func newFinder() Finder { return Finder{new(stop.Poller)} }

// after returns the first prime above v.
func after(v *big.Int) *big.Int {
	q := new(big.Int).Add(v, arith.One)
	for q.SetBit(q, 0, 1); !q.ProbablyPrime(0); {
		q.Add(q, big.NewInt(2))
	}
	return q
}

// times returns k v + c.
func times(v *big.Int, k, c int64) *big.Int {
	w := new(big.Int).Mul(v, big.NewInt(k))
	return w.Add(w, big.NewInt(c))
}

// relative returns a prime p of that many bits for which k p + c is prime, and that one.
func relative(r *rand.Rand, size int, k, c int64) (p, q *big.Int) {
	for {
		p = factortest.RandomPrime(r, size)
		if q = times(p, k, c); q.ProbablyPrime(0) {
			return p, q
		}
	}
}

// power returns 2^(n-1) modulo n.
func power(n *big.Int) *big.Int {
	return new(big.Int).Exp(arith.Two, new(big.Int).Sub(n, arith.One), n)
}

// TestForms splits numbers of each form, and says by which.
func TestForms(t *testing.T) {
	r := factortest.Seeded(t)
	f := newFinder()
	for _, size := range []int{72, 100, 135, 250, 500} {
		p := factortest.RandomPrime(r, size)
		p2, q2 := relative(r, min(size, 250), 2, -1) // takes long to find
		p7, q7 := relative(r, min(size, 250), 1_000_002, -1_000_001)
		far := new(big.Int).Lsh(arith.One, uint(size)/2+2)
		for _, c := range []struct {
			what string
			p, q *big.Int
			form Form
		}{
			{"p (2p-1)", p2, q2, Related},
			{"p (k(p-1)+1)", p7, q7, Related},
			{"p, next prime", p, after(p), Ratio},
			{"p, next prime after 3p", p, after(times(p, 3, 0)), Ratio},
			{"next primes after 5p and 7p", after(times(p, 5, 0)), after(times(p, 7, 0)), Ratio},
			{"p, prime 4 fourth roots of n above", p, after(far.Add(far, p)), Ratio},
		} {
			n := new(big.Int).Mul(c.p, c.q)
			x := power(n)
			if x.Cmp(arith.One) == 0 {
				continue // the test for primality splits it
			}
			d, form := f.Find(n, x, 1e6)
			// Neighbours are related, too, if they are close enough.
			if d == nil || d.Cmp(c.p) != 0 && d.Cmp(c.q) != 0 || form != c.form && form != Related {
				t.Errorf("%s, %d bits: %v, form %d", c.what, size, d, form)
			}
		}
		n := factortest.Semiprime(r, 2*size)
		if d, _ := f.Find(n, power(n), 1e6); d != nil {
			t.Errorf("an ordinary number, %v = %v ...", n, d)
		}
		if size > 250 {
			continue
		}
		q := after(p)
		n.Mul(p, q).Mul(n, after(q))
		if d, form := f.Find(n, power(n), 4e6); d == nil || new(big.Int).Mod(n, d).Sign() != 0 || d.Cmp(arith.One) == 0 || d.Cmp(n) == 0 {
			t.Errorf("three primes in a row, %d bits: %v, form %d", size, d, form)
		}
	}
}

// TestStops asks the finder to stop at every place where it asks.
func TestStops(t *testing.T) {
	n := factortest.Semiprime(factortest.Seeded(t), 300)
	f, asked := newFinder(), 0
	f.Start(func() bool { asked++; return false })
	f.Find(n, power(n), 4e6)
	if asked < 5 {
		t.Errorf("asked %d times", asked)
	}
	for at := 1; at <= asked; at++ {
		left := at
		f.Start(func() bool { left--; return left <= 0 })
		if d, _ := f.Find(n, power(n), 4e6); d != nil || !f.Stopped() {
			t.Errorf("stopped at %d of %d: %v", at, asked, d)
		}
	}
}

// TestSquares holds both filters of squares against roots.
func TestSquares(t *testing.T) {
	r := factortest.Seeded(t)
	passed := 0
	for range 3000 {
		v := factortest.RandomBig(r, 1+r.IntN(300))
		square := new(big.Int).Mul(v, v)
		if !maySquare(square) || !isSquareSieve()[new(big.Int).Mod(square, big.NewInt(sieveModulus)).Int64()] {
			t.Fatalf("%v^2 is no square", v)
		}
		if _, is := arith.SquareRootBig(v); !is && maySquare(v) {
			passed++
		}
	}
	if passed > 100 {
		t.Errorf("%d of 3000 numbers pass for squares", passed)
	}
}

// TestAlgebraic splits powers plus and less one, and rows of ones.
func TestAlgebraic(t *testing.T) {
	never := func() bool { return false }
	expr := func(base, e, plus, over int64) *big.Int {
		v := new(big.Int).Exp(big.NewInt(base), big.NewInt(e), nil)
		v.Add(v, big.NewInt(plus))
		return v.Quo(v, big.NewInt(over))
	}
	for _, c := range []struct {
		n     *big.Int
		parts int // at least
	}{
		{expr(2, 240, -1, 1), 19},
		{expr(2, 210, 1, 1), 9}, // divisors of 420 that do not divide 210, one of each twice
		{expr(2, 256, 1, 1), 0},
		{expr(2, 257, -1, 1), 0},
		{expr(10, 60, -1, 9), 11},
		{expr(10, 61, -1, 9), 0},
		{expr(3, 100, -1, 1), 9},
		{expr(1_000_003, 15, 1, 1), 4},
		{expr(29, 77, -1, 1), 4},
		{expr(10, 50, 7, 1), 0},
		{new(big.Int).Exp(big.NewInt(97), big.NewInt(40), nil), 0},
	} {
		parts := Algebraic(c.n, never)
		if len(parts) < c.parts || c.parts == 0 && parts != nil {
			t.Errorf("%v: %d parts", c.n, len(parts))
		}
		product := big.NewInt(1)
		for _, p := range parts {
			product.Mul(product, p)
			if p.Cmp(arith.Two) < 0 {
				t.Errorf("%v: a part of %v", c.n, p)
			}
		}
		if parts != nil && product.Cmp(c.n) != 0 {
			t.Errorf("%v: parts multiply to %v", c.n, product)
		}
	}
}

// BenchmarkOrdinary looks for forms in numbers that have none, and reports the time as
// a multiple of the budget.
func BenchmarkOrdinary(b *testing.B) {
	r := factortest.Seeded(b)
	for _, size := range []int{145, 200, 300, 1000, 2048} {
		n := factortest.Semiprime(r, size)
		x, f := power(n), newFinder()
		const budget = 1e6
		e := effortFor(size, budget)
		for _, method := range []struct {
			name string
			run  func()
		}{
			{"all", func() { f.Find(n, x, budget) }},
			{"related", func() { f.related(n, x, e.related) }},
			{"ratio", func() { f.ratio(n, e.ratios) }},
			{"squares", func() { f.squares(n, e.squares) }},
			{"near", func() { f.near(n, e.near) }},
		} {
			b.Run(fmt.Sprintf("%s %d", method.name, size), func(b *testing.B) {
				for b.Loop() {
					method.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/budget, "budgets")
			})
		}
		b.Run(fmt.Sprintf("algebraic %d", size), func(b *testing.B) {
			for b.Loop() {
				Algebraic(n, func() bool { return false })
			}
		})
	}
}
