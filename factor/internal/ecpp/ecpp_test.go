package ecpp

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/certificate"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

func newProver() *Prover { return &Prover{Poller: new(stop.Poller)} }

// Primes of all sizes up to 200 digits get a certificate that holds, and always the same.
func TestProve(t *testing.T) {
	r := factortest.Seeded(t)
	p := newProver()
	sizes := []int{65, 66, 67, 70, 80, 96, 127, 128, 129, 160, 192, 193, 250, 333}
	if !testing.Short() {
		sizes = append(sizes, 500, 664)
	}
	for _, size := range sizes {
		n := factortest.RandomPrime(r, size)
		c := p.Prove(n)
		if c == nil {
			t.Errorf("no certificate of %v", n)
			continue
		}
		if err := certificate.Check(c, nil); err != nil || c.N.Cmp(n) != 0 {
			t.Errorf("%v: %v", n, err)
		}
		if size < 200 && newProver().Prove(n).String() != c.String() {
			t.Errorf("%v has two certificates", n)
		}
	}
}

// Small primes have few orders; all of these have a way down.
func TestProveSmall(t *testing.T) {
	p := newProver()
	n := new(big.Int).Lsh(arith.One, 64)
	count := 0
	for n.Add(n, arith.One); count < 100; n.Add(n, arith.Two) {
		if !n.ProbablyPrime(0) {
			continue
		}
		count++
		c := p.Prove(n)
		if c == nil {
			t.Fatalf("no certificate of %v", n)
		}
		if err := certificate.Check(c, nil); err != nil {
			t.Fatalf("%v: %v", n, err)
		}
	}
}

// composites are products, squares, Carmichael numbers and strong pseudoprimes.
func composites(t *testing.T) (list []*big.Int) {
	r := factortest.Seeded(t)
	for _, s := range []string{
		"318665857834031151167461", "3317044064679887385961981", "360681321802296925566181", // strong to many bases
		"9746347772161", "101817952350501", "3778118040573702001", // Carmichael
		"28871482380507712126714295971303939919776094592797227009265160241974323037991527331163289831446392259419778031109293496555784189494417409338056151139799994215424169339729054237110027510420801349667317" +
			"55152859226962916775325475044445856101949404200039904432116776619949629539250452698719329070373564032273701278453899126120309244841494728976885406024976768122077071687938121709811322297802059565867", // Arnault
	} {
		n, _ := new(big.Int).SetString(s, 10)
		list = append(list, n)
	}
	for range 8 {
		a, b := factortest.RandomPrime(r, 40+r.IntN(60)), factortest.RandomPrime(r, 40+r.IntN(60))
		list = append(list, new(big.Int).Mul(a, b), new(big.Int).Mul(a, a))
		// (6k+1)(12k+1)(18k+1) is a Carmichael number if all are prime.
		for k := int64(1) << 24; ; k++ {
			n, all := big.NewInt(1), true
			for _, m := range []int64{6, 12, 18} {
				f := big.NewInt(m*(k+r.Int64N(1000)) + 1)
				all = all && f.ProbablyPrime(0)
				n.Mul(n, f)
			}
			if all {
				list = append(list, n)
				break
			}
		}
	}
	return list
}

// No composite has a certificate. Nor does the work ever fail to end if the test that
// comes before it is left out.
func TestComposites(t *testing.T) {
	for _, n := range composites(t) {
		p := newProver()
		if p.Prove(n) != nil {
			t.Errorf("%v has a certificate", n)
		}
		if n.BitLen() <= 64 || n.BitLen() > 700 {
			continue
		}
		s := newSearch(p, n)
		for range 2 {
			found := s.more()
			for _, o := range found[:min(len(found), 2)] {
				step := p.step(&o)
				if step == nil {
					continue
				}
				c := &certificate.Certificate{N: n, Steps: []certificate.Step{*step}}
				if rest := p.Prove(o.q); rest != nil {
					c.Steps = append(c.Steps, rest.Steps...)
				}
				if err := certificate.Check(c, nil); !errors.Is(err, certificate.ErrInvalid) {
					t.Errorf("%v: the certificate %v holds: %v", n, c, err)
				}
			}
		}
	}
}

// The work stops wherever it is asked to.
func TestStop(t *testing.T) {
	r := factortest.Seeded(t)
	n := factortest.RandomPrime(r, 160)
	p := newProver()
	asked := 0
	p.Start(func() bool { asked++; return false })
	if p.Prove(n) == nil {
		t.Fatal("no certificate")
	}
	for _, at := range []int{1, 2, asked / 4, asked / 2, asked - 1} {
		p := newProver()
		i := 0
		p.Start(func() bool { i++; return i >= at })
		if c := p.Prove(n); c != nil || i != at {
			t.Errorf("stopped at question %d of %d: %v after %d", at, asked, c, i)
		}
	}
}

// TestClassNumbers holds class numbers against how many discriminants there are of each (Watkins,
// Math. Comp. 73 (2004)).
func TestClassNumbers(t *testing.T) {
	counts := make(map[int]int)
	for i, d := range discriminants() {
		counts[d.h]++
		if i > 0 && discriminants()[i-1].h > d.h {
			t.Errorf("%d is in the wrong place", d.d)
		}
		product := 1
		for _, q := range d.primes {
			product *= q
		}
		forms := 0
		for _, f := range reducedForms(d.d) {
			forms++
			if f.pair {
				forms++
			}
		}
		if product != d.d || forms != d.h {
			t.Errorf("%d: %v, %d forms, class number %d", d.d, d.primes, forms, d.h)
		}
	}
	for h, want := range []int{1: 9, 18, 16, 54, 25, 51, 31, 131, 34, 87, 41, 206, 37, 95, 68} {
		if counts[h] != want {
			t.Errorf("%d discriminants of class number %d, want %d", counts[h], h, want)
		}
	}
}

// TestClassPolynomials has polynomials of Cohen, section 7.6, and of the tables there.
func TestClassPolynomials(t *testing.T) {
	never := func() bool { return false }
	for d, want := range map[int][]string{
		-3:   {"0"},
		-4:   {"-1728"},
		-7:   {"3375"},
		-8:   {"-8000"},
		-163: {"262537412640768000"},
		-15:  {"-121287375", "191025"},
		-23:  {"12771880859375", "-5151296875", "3491750"},
	} {
		got := classPolynomial(d, never)
		if !slices.EqualFunc(got, want, func(v *big.Int, s string) bool { return v.String() == s }) {
			t.Errorf("%d: %v, want %v", d, got, want)
		}
	}
	// The last coefficient is a cube up to the sign if 3 does not divide d (Gross and Zagier).
	r := factortest.Seeded(t)
	all := discriminants()
	for range 20 {
		d := &all[r.IntN(len(all))]
		c := classPolynomial(d.d, never)
		if len(c) != d.h {
			t.Fatalf("%d: %d coefficients, class number %d", d.d, len(c), d.h)
		}
		if root := cubeRoot(c[0]); d.d%3 != 0 && root == nil {
			t.Errorf("%d: the last coefficient %v is not a cube", d.d, c[0])
		}
	}
	if classPolynomial(-23, func() bool { return true }) != nil {
		t.Error("not stopped")
	}
}

// cubeRoot returns the cube root of v, nil if it is not an integer.
func cubeRoot(v *big.Int) *big.Int {
	a := new(big.Int).Abs(v)
	r := new(big.Int).Lsh(arith.One, uint(a.BitLen()/3+1))
	for {
		next := new(big.Int).Quo(a, new(big.Int).Mul(r, r))
		next.Add(next, new(big.Int).Lsh(r, 1)).Quo(next, big.NewInt(3))
		if next.Cmp(r) >= 0 {
			break
		}
		r = next
	}
	if new(big.Int).Exp(r, big.NewInt(3), nil).Cmp(a) != 0 {
		return nil
	}
	return r
}

// Square roots of squares are found modulo primes p with any power of 2 in p - 1.
func TestSquareRoot(t *testing.T) {
	r := factortest.Seeded(t)
	for i := range 60 {
		n := factortest.RandomPrime(r, 70+r.IntN(100))
		if i%2 == 0 { // k 2^i + 1
			for n.SetInt64(0); !n.ProbablyPrime(0); {
				n.Lsh(factortest.RandomBig(r, 80), uint(i)).Add(n, arith.One)
			}
		}
		f := newField(n)
		for range 5 {
			v := factortest.RandomBig(r, n.BitLen()-1)
			v.Mul(v, v).Mod(v, n)
			root := f.squareRoot(v)
			if root == nil || new(big.Int).Exp(root, arith.Two, n).Cmp(v) != 0 {
				t.Fatalf("a root of %v modulo %v: %v", v, n, root)
			}
		}
	}
}

// The roots of a product of linear factors are found.
func TestSomeRoot(t *testing.T) {
	r := factortest.Seeded(t)
	for h := 1; h < 40; h += 1 + h/6 {
		n := factortest.RandomPrime(r, 130+r.IntN(100))
		var roots []*big.Int
		p := []*big.Int{big.NewInt(1)}
		for range h {
			x := factortest.RandomBig(r, 120)
			roots = append(roots, x)
			next := make([]*big.Int, len(p)+1)
			for i := range next {
				next[i] = new(big.Int)
				if i > 0 {
					next[i].Set(p[i-1])
				}
				if i < len(p) {
					next[i].Sub(next[i], new(big.Int).Mul(x, p[i])).Mod(next[i], n)
				}
			}
			p = next
		}
		got := newProver().someRoot(newField(n), p[:h])
		if got == nil || !slices.ContainsFunc(roots, func(x *big.Int) bool { return x.Cmp(got) == 0 }) {
			t.Errorf("degree %d: %v is not one of %v", h, got, roots)
		}
	}
}

// Each trace is one of an element of norm n in the ring of its discriminant, and there are as many
// as there are units.
func TestTraces(t *testing.T) {
	r := factortest.Seeded(t)
	seen := 0
	for range 3 {
		n := factortest.RandomPrime(r, 100)
		s := newSearch(newProver(), n)
		for i := range discriminants()[:300] {
			d := &discriminants()[i]
			list := s.traces(d)
			want := map[int]int{-3: 6, -4: 4}[d.d]
			if want == 0 {
				want = 2
			}
			if len(list) != 0 && len(list) != want {
				t.Errorf("%d: %d traces", d.d, len(list))
			}
			for _, u := range list {
				seen++
				v := new(big.Int).Lsh(n, 2)
				v.Sub(v, new(big.Int).Mul(u, u))
				q, rest := v.QuoRem(v, big.NewInt(int64(-d.d)), new(big.Int))
				if _, square := arith.SquareRootBig(q); rest.Sign() != 0 || !square {
					t.Errorf("%d: 4n - %v^2 is not %d times a square", d.d, u, -d.d)
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("%d traces only", seen)
	}
}

// What rough leaves has no small primes, and nothing else is taken out.
func TestRough(t *testing.T) {
	r := factortest.Seeded(t)
	p := newProver()
	var all, wants []*big.Int
	for range 30 {
		want := factortest.RandomPrime(r, 210)
		m := new(big.Int).Set(want)
		for range r.IntN(8) {
			m.Mul(m, new(big.Int).SetUint64(factortest.Prime64(r, 2+r.IntN(18))))
		}
		m.Lsh(m, uint(r.IntN(4))).Mul(m, big.NewInt(3*3*3*307*307))
		all, wants = append(all, m), append(wants, want)
	}
	all, wants = append(all, big.NewInt(1<<20), big.NewInt(307*307)), append(wants, arith.One, arith.One)
	p.rough(all)
	for i, want := range wants {
		if all[i].Cmp(want) != 0 {
			t.Errorf("number %d: %v is left, want %v", i, all[i], want)
		}
	}
}

func BenchmarkProve(b *testing.B) {
	for _, size := range []int{166, 332, 498, 664} {
		b.Run(big.NewInt(int64(size)).String(), func(b *testing.B) {
			r := factortest.Seeded(b)
			p := newProver()
			steps := 0
			for range b.N {
				b.StopTimer()
				n := factortest.RandomPrime(r, size)
				b.StartTimer()
				steps += len(p.Prove(n).Steps)
			}
			b.ReportMetric(float64(steps)/float64(b.N), "steps/op")
		})
	}
}
