package prime

import (
	"math/big"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

// orders are the prime powers that the characters of jacobiTable need.
var orders = [...]primePower{{2, 1}, {2, 2}, {2, 3}, {2, 4}, {3, 1}, {3, 2}, {5, 1}, {7, 1}, {2, 5}, {3, 3}, {11, 1}, {13, 1}}

// slowRing is Z[zeta]/n as polynomials modulo a cyclotomic one, divided with
// remainder.
type slowRing struct {
	n       *big.Int
	modulus []*big.Int // the cyclotomic polynomial, lowest coefficient first
}

func newSlowRing(c *cyclotomic, n *big.Int) slowRing {
	s := slowRing{n: n}
	for i := 0; i <= c.degree; i++ {
		s.modulus = append(s.modulus, new(big.Int))
		if i%c.step == 0 {
			s.modulus[i].SetInt64(1)
		}
	}
	return s
}

// remainder divides x by the cyclotomic polynomial.
func (s *slowRing) remainder(x []*big.Int) []*big.Int {
	d := len(s.modulus) - 1
	for i := len(x) - 1; i >= d; i-- {
		top := new(big.Int).Set(x[i])
		for j, m := range s.modulus {
			x[i-d+j].Sub(x[i-d+j], new(big.Int).Mul(top, m))
		}
	}
	for len(x) < d {
		x = append(x, new(big.Int))
	}
	for i := range d {
		x[i].Mod(x[i], s.n)
	}
	return x[:d]
}

func (s *slowRing) mul(x, y []*big.Int) []*big.Int {
	z := make([]*big.Int, len(x)+len(y))
	for i := range z {
		z[i] = new(big.Int)
	}
	for i := range x {
		for j := range y {
			z[i+j].Add(z[i+j], new(big.Int).Mul(x[i], y[j]))
		}
	}
	return s.remainder(z)
}

func (s *slowRing) power(x []*big.Int, e *big.Int) []*big.Int {
	z := s.remainder([]*big.Int{big.NewInt(1)})
	for i := e.BitLen() - 1; i >= 0; i-- {
		z = s.mul(z, z)
		if e.Bit(i) == 1 {
			z = s.mul(z, x)
		}
	}
	return z
}

// conjugate puts zeta^a in the place of zeta.
func (s *slowRing) conjugate(x []*big.Int, a int) []*big.Int {
	z := make([]*big.Int, len(x)*a+1)
	for i := range z {
		z[i] = new(big.Int)
	}
	for i := range x {
		z[i*a].Set(x[i])
	}
	return s.remainder(z)
}

// random returns a random element and its coefficients.
func (c *cyclotomic) random(value func() *big.Int) ([]uint64, []*big.Int) {
	x, v := c.element(), []*big.Int(nil)
	for i := range c.degree {
		v = append(v, value())
		y := c.at(x, i)
		arith.PutWords(y, v[i])
		c.product(y, y, c.m.R2)
	}
	return x, v
}

// is reports whether the coefficients of x are v.
func (c *cyclotomic) is(x []uint64, v []*big.Int) bool {
	for i := range v {
		if c.m.From(c.at(x, i)).Cmp(v[i]) != 0 {
			return false
		}
	}
	return true
}

func TestCyclotomic(t *testing.T) {
	r := factortest.Seeded(t)
	for _, pp := range orders {
		for _, size := range []int{70, 128, 129, 192, 332, 640} {
			n := factortest.RandomBig(r, size)
			n.SetBit(n, 0, 1).SetBit(n, size-1, 1)
			c := newCyclotomic(arith.NewMontN(n), pp.p, pp.k)
			s := newSlowRing(c, n)
			value := func() *big.Int {
				v := factortest.RandomBig(r, size+64)
				if r.IntN(4) == 0 {
					v = new(big.Int).Sub(n, big.NewInt(int64(1+r.IntN(2))))
				}
				return v.Mod(v, n)
			}
			x, xs := c.random(value)
			y, ys := c.random(value)
			z := c.element()
			if c.mul(z, x, y); !c.is(z, s.mul(xs, ys)) {
				t.Fatalf("%v, n = %v: %v * %v", pp, n, xs, ys)
			}
			copy(z, x)
			if c.square(z, z); !c.is(z, s.mul(xs, xs)) {
				t.Fatalf("%v, n = %v: %v^2", pp, n, xs)
			}
			for _, e := range []*big.Int{new(big.Int), arith.One, big.NewInt(31), big.NewInt(32), factortest.RandomBig(r, 40), n} {
				if c.power(z, x, e); !c.is(z, s.power(xs, e)) {
					t.Fatalf("%v, n = %v: %v^%v", pp, n, xs, e)
				}
			}
			product := s.remainder([]*big.Int{big.NewInt(1)})
			exponent := func(a int) int { return a * a % 7 }
			for a := 1; a < c.order; a++ {
				if a%c.p == 0 {
					continue
				}
				if c.conjugate(z, x, a); !c.is(z, s.conjugate(xs, a)) {
					t.Fatalf("%v, n = %v: %v conjugated by %d", pp, n, xs, a)
				}
				image := s.conjugate(xs, c.inverse(a))
				product = s.mul(product, s.power(image, big.NewInt(int64(exponent(a)))))
			}
			if c.symbolic(z, x, exponent); !c.is(z, product) {
				t.Fatalf("%v, n = %v: symbolic power of %v", pp, n, xs)
			}
			for i := range c.order {
				zeta := s.power(s.remainder([]*big.Int{new(big.Int), big.NewInt(1)}), big.NewInt(int64(i)))
				root, _ := c.random(func() *big.Int { zeta = append(zeta[1:], zeta[0]); return zeta[len(zeta)-1] })
				if got := c.rootOfUnity(root); got != i {
					t.Fatalf("%v, n = %v: zeta^%d is taken for %d", pp, n, i, got)
				}
			}
			if x[0]++; c.rootOfUnity(x) >= 0 {
				t.Fatalf("%v: a random element is a root of unity", pp)
			}
		}
	}
}

// largest is the largest order for which all characters are tested.
const largest = 5040

// TestJacobiSums computes the sums of chi^a(x) chi^b(1-x) over the field, with
// logarithms by trial.
func TestJacobiSums(t *testing.T) {
	log := func(q, g, v int) int {
		w := 1
		for e := 0; ; e++ {
			if w == v {
				return e
			}
			w = w * g % q
		}
	}
	root := func(q int) int {
		for g := 2; ; g++ {
			w, order := g, 1
			for ; w != 1; order++ {
				w = w * g % q
			}
			if order == q-1 {
				return g
			}
		}
	}
	for _, c := range jacobiTable()[largest] {
		q := int(c.q)
		if q > 250 {
			continue
		}
		g := root(q)
		for _, s := range c.sums() {
			order := 1
			for range s.k {
				order *= s.p
			}
			sum := func(a, b int) []int64 {
				z := make([]int64, order)
				for x := 2; x < q; x++ {
					z[(a*log(q, g, x)+b*log(q, g, q+1-x))%order]++
				}
				return modulo(z, s.p, order)
			}
			same := func(what string, got, want []int64) {
				t.Helper()
				if len(got) != len(want) {
					t.Fatalf("q = %d, order %d: %s is %v, want %v", q, order, what, got, want)
				}
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("q = %d, order %d: %s is %v, want %v", q, order, what, got, want)
					}
				}
			}
			if order == 2 {
				continue
			}
			same("J(chi, chi)", s.j, sum(1, 1))
			if s.p == 2 && order > 4 {
				same("triple", s.triple, timesModulo(sum(1, 1), sum(2, 1), 2, order))
				e := sum(3*order/8, order/8)
				same("eighth", s.eighth, timesModulo(e, e, 2, order))
			}
		}
	}
}

// TestJacobiNorm checks that the absolute value of a sum is the root of q.
func TestJacobiNorm(t *testing.T) {
	for _, c := range append(jacobiTable()[55_440], jacobiTable()[60_480]...) {
		for _, s := range c.sums() {
			if len(s.j) < 2 {
				continue
			}
			order := len(s.j) * s.p / (s.p - 1)
			bar := make([]int64, order)
			for i, v := range s.j {
				bar[(order-i)%order] += v
			}
			norm := timesModulo(s.j, modulo(bar, s.p, order), s.p, order)
			for i, v := range norm {
				if i == 0 && v != int64(c.q) || i > 0 && v != 0 {
					t.Fatalf("q = %d, order %d: the norm is %v", c.q, order, norm)
				}
			}
		}
	}
}

// TestPlans checks what the theorem asks of t and s at every size.
func TestPlans(t *testing.T) {
	for size := 48; size <= ProvableBits; size += 1 + size/200 {
		n := new(big.Int).Lsh(arith.One, uint(size))
		n.Sub(n, arith.One)
		p := planJacobi(n)
		if p == nil {
			t.Fatalf("no plan for %d bits", size)
		}
		if new(big.Int).Mul(p.s, p.s).Cmp(n) <= 0 || p.s.BitLen() >= size {
			t.Errorf("%d bits: s = %v", size, p.s)
		}
		for a := int64(2); a < 100; a++ {
			v := big.NewInt(a)
			if new(big.Int).GCD(nil, nil, v, p.s).Cmp(arith.One) == 0 && v.Exp(v, new(big.Int).SetUint64(p.t), p.s).Cmp(arith.One) != 0 {
				t.Fatalf("%d bits: %d^%d is not 1 modulo %v", size, a, p.t, p.s)
			}
		}
	}
	if planJacobi(new(big.Int).Lsh(arith.One, 770)) != nil {
		t.Error("a plan for 771 bits")
	}
}

// TestSymbols checks the root of unity of every character for primes n: it is
// primitive if and only if n is no p-th power modulo q.
func TestSymbols(t *testing.T) {
	r := factortest.Seeded(t)
	for _, size := range []int{66, 128, 200, 332} {
		n := factortest.RandomPrime(r, size)
		j := newJacobiTest(n, largest)
		for _, c := range jacobiTable()[largest] {
			q := new(big.Int).SetUint64(c.q)
			for i := range c.sums() {
				s := &c.sums()[i]
				ring := j.ring(s.p, s.k)
				got := ring.rootOfUnity(j.symbol(ring, c.q, s))
				power := new(big.Int).Exp(n, big.NewInt(int64(c.q-1)/int64(s.p)), q).Cmp(arith.One) == 0
				if got < 0 || (got%s.p == 0) != power {
					t.Fatalf("n = %v, q = %d, p = %d: root %d; n is a p-th power: %v", n, c.q, s.p, got, power)
				}
			}
		}
	}
}

// TestNoDivisor holds the last step against division by every residue.
func TestNoDivisor(t *testing.T) {
	r := factortest.Seeded(t)
	run := newProver()
	caught := 0
	for range 3000 {
		plan := &jacobiPlan{t: 12, s: big.NewInt(5 * 7 * 13 * 9)}
		d := big.NewInt(int64(r.IntN(4000))*2 + 3)
		n := new(big.Int).Mul(d, factortest.RandomPrime(r, 40))
		want := IsPrime
		x := big.NewInt(1)
		for range plan.t {
			if new(big.Int).GCD(nil, nil, x, n).Cmp(arith.One) != 0 {
				want = isComposite
			}
			x.Mul(x, n).Mod(x, plan.s)
		}
		if new(big.Int).GCD(nil, nil, n, plan.s).Cmp(arith.One) != 0 {
			want = isComposite
		}
		if got := run.noDivisor(n, plan); got != want {
			t.Fatalf("n = %v: %v, want %v", n, got, want)
		}
		if want == isComposite {
			caught++
		}
	}
	if caught == 0 || caught == 3000 {
		t.Errorf("%d of 3000 numbers have such a divisor", caught)
	}
}

// TestPieces proves primes of 333 to 664 bits piece by piece, in any order, and with the
// conditions that the pieces show forgotten.
func TestPieces(t *testing.T) {
	r := factortest.Seeded(t)
	run := newProver()
	for _, size := range []int{333, 500, 664} {
		n := factortest.RandomPrime(r, size)
		pieces := JacobiPieces(n)
		if len(pieces) < 3 {
			t.Fatalf("%d bits: %d pieces", size, len(pieces))
		}
		shown, last := uint64(0), pieces[len(pieces)-1]
		for i := len(pieces) - 2; i >= 0; i-- {
			if i < len(pieces)-2 && pieces[i].To != pieces[i+1].From || pieces[i].Nanos <= 0 {
				t.Errorf("%d bits: pieces %+v", size, pieces)
			}
			g, more := run.RunPiece(n, pieces[i].From, pieces[i].To, 0)
			if g != Probable {
				t.Fatalf("%v, piece %d: grade %v", n, i, g)
			}
			shown |= more
		}
		for _, known := range []uint64{shown, 0} {
			if g, _ := run.RunPiece(n, last.From, last.To, known); g != ProvenJacobi || last.From != last.To {
				t.Errorf("%v, the last piece: grade %v", n, g)
			}
		}
		composite := factortest.Semiprime(r, size)
		if g, _ := run.RunPiece(composite, 0, 3, 0); g != Composite {
			t.Errorf("%v: grade %v", composite, g)
		}
		if g, _ := run.RunPiece(n, 0, 1<<15, 0); g != Unproven {
			t.Errorf("a piece that n does not have: grade %v", g)
		}
	}
}
