package ecm

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

// arithmetic8 is one way to do the arithmetic of vector with two limbs.
type arithmetic8 struct {
	name string
	mul  func(r, a, b *residue8, m *mod8)
	add  func(r, p, q, d *point8, m *mod8)
	dup  func(r, p *point8, num, den *residue8, m *mod8)
	meet func(acc *residue8, g *point8, babies []point8, gxz *residue8, xz []residue8, hits []uint16, m *mod8)
}

// arithmetics returns the ways that this processor has.
func arithmetics(t *testing.T) []arithmetic8 {
	t.Helper()
	all := []arithmetic8{{"go", mulGo, addGo, dupGo, meetGo}}
	if !cpu.IFMA {
		t.Log("no AVX-512 IFMA here: the Go only")
		return all
	}
	assembly := arithmetic8{"ifma", mul8, add8, dup8, nil}
	assembly.meet = func(acc *residue8, g *point8, babies []point8, gxz *residue8, xz []residue8, hits []uint16, m *mod8) {
		list := append(slices.Clone(hits), 0) // it has a first element even if there are no hits
		meet8(acc, g, &babies[0], gxz, &xz[0], &list[0], len(hits), m)
	}
	return append(all, assembly)
}

// fewer returns count, or a tenth of it where vector runs in Go, which takes ten times
// as long.
func fewer(count int) int {
	if !cpu.IFMA {
		return max(count/10, 1)
	}
	return count
}

// newECM returns a runner that is never asked to stop.
func newECM() *Runner { return &Runner{Poller: &stop.Poller{}} }

// odd100 returns an odd number of 41 to VectorBits bits, often at an edge.
func odd100(r *rand.Rand) arith.Uint128 {
	size := uint(41 + r.IntN(VectorBits-40))
	top := arith.Uint128{Lo: 1}.Shl(size - 1)
	n := arith.Uint128{Hi: r.Uint64(), Lo: r.Uint64()}.Shr(128 - size)
	switch r.IntN(4) {
	case 0:
		n = arith.Uint128{Lo: r.Uint64N(1000)}
	case 1:
		n, _ = top.Sub(arith.Uint128{Lo: 1 + r.Uint64N(1000)})
	}
	return arith.Uint128{Hi: n.Hi | top.Hi, Lo: n.Lo | top.Lo | 1}
}

// residueOf returns eight random residues modulo n, in any of the forms that
// sums and differences have.
func residueOf(r *rand.Rand, n arith.Uint128) (res residue8) {
	n2 := n.Shl(1)
	for i := range 8 {
		v := arith.Uint128{Hi: r.Uint64(), Lo: r.Uint64()}
		_, v = v.Div(n2)
		switch r.IntN(8) {
		case 0:
			v = arith.Uint128{}
		case 1:
			v, _ = n2.Sub(arith.Uint128{Lo: 1})
		case 2:
			v.Lo &^= limb
		}
		borrow := r.Uint64N(16) - 8
		res[0][i] = v.Lo&limb + borrow<<52
		res[1][i] = v.Shr(52).Lo - borrow
	}
	return res
}

// slow8 is the arithmetic of vector one lane at a time, on plain numbers.
type slow8 struct{ n, inv *big.Int } // inv is 1/R

func newSlow8(n arith.Uint128) *slow8 {
	s := &slow8{n: n.Big()}
	s.inv = new(big.Int).ModInverse(new(big.Int).Lsh(arith.One, 104), s.n)
	return s
}

func (s *slow8) mul(a, b *big.Int) *big.Int {
	c := new(big.Int).Mul(a, b)
	return c.Mod(c.Mul(c, s.inv), s.n)
}

func (s *slow8) sub(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }

func (s *slow8) add(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }

// equal checks lane i of a residue.
func (s *slow8) equal(t *testing.T, what string, r *residue8, i int, want *big.Int) {
	t.Helper()
	got := r.at(i).Big()
	if got.Cmp(new(big.Int).Lsh(s.n, 1)) >= 0 {
		t.Fatalf("%s modulo %v: lane %d is %v, more than 2n", what, s.n, i, got)
	}
	d := s.sub(got, want)
	if d.Mod(d, s.n).Sign() != 0 {
		t.Fatalf("%s modulo %v: lane %d is %v, want %v", what, s.n, i, got, want)
	}
}

// TestVectorArithmetic holds the assembly of vector, and the Go, against math/big.
func TestVectorArithmetic(t *testing.T) {
	for _, a := range arithmetics(t) {
		t.Run(a.name, func(t *testing.T) { testArithmetic(t, a) })
	}
}

func testArithmetic(t *testing.T, a arithmetic8) {
	t.Helper()
	r := factortest.Seeded(t)
	for range 2000 {
		n := odd100(r)
		s := newSlow8(n)
		var m mod8
		m.set(n.Lo, n.Hi)
		var p [6]point8
		for i := range p {
			p[i] = point8{residueOf(r, n), residueOf(r, n)}
		}
		x := func(k, i int) *big.Int { return p[k].x.at(i).Big() }
		z := func(k, i int) *big.Int { return p[k].z.at(i).Big() }

		var prod residue8
		a.mul(&prod, &p[0].x, &p[0].z, &m)
		var sum, twice point8
		a.add(&sum, &p[0], &p[1], &p[2], &m)
		a.dup(&twice, &p[0], &p[3].x, &p[3].z, &m)
		acc, gxz := p[4].x, p[4].z
		xz := [2]residue8{p[5].x, p[5].z}
		all := [...]uint16{1, 0, 1}
		hits := all[:r.IntN(4)]
		a.meet(&acc, &p[0], p[1:3], &gxz, xz[:], hits, &m)
		for i := range 8 {
			s.equal(t, "product", &prod, i, s.mul(x(0, i), z(0, i)))

			u := s.mul(s.sub(x(0, i), z(0, i)), s.add(x(1, i), z(1, i)))
			v := s.mul(s.add(x(0, i), z(0, i)), s.sub(x(1, i), z(1, i)))
			plus, minus := s.add(u, v), s.sub(u, v)
			s.equal(t, "x of a sum", &sum.x, i, s.mul(s.mul(plus, plus), z(2, i)))
			s.equal(t, "z of a sum", &sum.z, i, s.mul(s.mul(minus, minus), x(2, i)))

			plus, minus = s.add(x(0, i), z(0, i)), s.sub(x(0, i), z(0, i))
			a, b := s.mul(plus, plus), s.mul(minus, minus)
			w, b4 := s.sub(a, b), s.mul(z(3, i), b)
			s.equal(t, "x of a double", &twice.x, i, s.mul(a, b4))
			s.equal(t, "z of a double", &twice.z, i, s.mul(w, s.add(b4, s.mul(x(3, i), w))))

			want := x(4, i)
			for _, h := range hits {
				k := 1 + int(h)
				c := s.mul(s.sub(x(0, i), x(k, i)), s.add(z(0, i), z(k, i)))
				c = s.add(s.sub(c, gxz.at(i).Big()), xz[h].at(i).Big())
				want = s.mul(want, c)
			}
			s.equal(t, "what meets", &acc, i, want)
		}
	}
}

// TestVectorAliases lets the results of additions and doublings take the place of what
// they are made of.
func TestVectorAliases(t *testing.T) {
	for _, a := range arithmetics(t) {
		t.Run(a.name, func(t *testing.T) { testAliases(t, a) })
	}
}

func testAliases(t *testing.T, a arithmetic8) {
	t.Helper()
	r := factortest.Seeded(t)
	for range 100 {
		n := odd100(r)
		var m mod8
		m.set(n.Lo, n.Hi)
		var p [4]point8
		for i := range p {
			p[i] = point8{residueOf(r, n), residueOf(r, n)}
		}
		var sum, twice point8
		a.add(&sum, &p[0], &p[1], &p[2], &m)
		a.dup(&twice, &p[0], &p[3].x, &p[3].z, &m)
		for k := range 3 {
			q := p
			a.add(&q[k], &q[0], &q[1], &q[2], &m)
			if q[k] != sum {
				t.Fatalf("modulo %v: a sum in the place of point %d differs", n.Big(), k)
			}
		}
		q := p
		a.dup(&q[0], &q[0], &q[3].x, &q[3].z, &m)
		if q[0] != twice {
			t.Fatalf("modulo %v: a double in place differs", n.Big())
		}
	}
}

// TestVectorAgrees runs the same curves three at a time: they find the same divisors.
func TestVectorAgrees(t *testing.T) {
	r := factortest.Seeded(t)
	e := &vector{stop: &stop.Poller{}}
	found, missed := 0, 0
	for range fewer(300) {
		size := 50 + r.IntN(14)
		n := factortest.Prime64(r, size/2) * factortest.Prime64(r, size-size/2)
		if arith.IsSquare64(n) {
			continue
		}
		level, family := r.IntN(3), r.IntN(len(suyamaFamilies()))
		l := &vectorPlans()[level]
		trio := newTrioPlan(l.chain, l.pairs)
		m := newCurveTrio(n, 64, new(trioSpace))
		any, d := false, arith.Uint128{}
		for i := uint64(0); i < 8; i += lanes {
			m.prepare(&trio)
			m.suyama(8*uint64(family) + min(i, 5)) // the last three curves end where the eight do
			m.run(&trio)
			m.level(&trio)
			acc := m.meet(&trio)
			d := m.divisor(&acc)
			any = any || d != 1
		}
		if d = e.find(arith.Uint128{Lo: n}, l, &suyamaFamilies()[family]); d.Lo != 1 && !any {
			t.Fatalf("%d, B1 = %d, family %d: divisor %d, by three at a time none", n, l.b1, family, d.Lo)
		}
		if any && d.Lo == 1 { // a multiple of the giant step is zero, which only trios see
			missed++
		}
		if any {
			found++
		}
	}
	if found < fewer(300)/6 || missed > found/20+2 {
		t.Errorf("found %d factors, missed %d", found, missed)
	}
}

// TestVectorFinds counts what is left of products of two primes of like size, to
// 84 bits: hardly anything.
func TestVectorFinds(t *testing.T) {
	r := factortest.Seeded(t)
	run := newECM()
	left := 0
	for range fewer(400) {
		n, p, q := factortest.Semiprime128(r, 60+r.IntN(25))
		switch d := run.FindVector(n); d {
		case arith.Uint128{Lo: 1}:
			left++
		case arith.Uint128{Lo: p}, arith.Uint128{Lo: q}:
		default:
			t.Fatalf("%v = %d * %d: found %v", n.Big(), p, q, d.Big())
		}
	}
	if left > fewer(400)/10+3 {
		t.Errorf("%d of %d left", left, fewer(400))
	}
}

// TestBabies checks the multiples of stage 2 on a curve modulo a prime.
func TestBabies(t *testing.T) {
	n := arith.Uint128{Lo: 1<<61 - 1}
	e := &vector{stop: &stop.Poller{}}
	e.set(n.Lo, n.Hi)
	f := &suyamaFamilies()[0]
	e.start(f)
	start := e.points[0]
	// times returns k times the start, by a ladder.
	times := func(k uint64) point8 {
		a, b, d := start, start, start
		e.dup(&b, &a)
		for i := (arith.Uint128{Lo: k}).Len() - 2; i >= 0; i-- {
			var sum point8
			e.add(&sum, &b, &a, &d)
			if k>>i&1 == 1 {
				a = sum
				e.dup(&b, &b)
			} else {
				b = sum
				e.dup(&a, &a)
			}
		}
		return a
	}
	same := func(p, q point8) bool {
		var u, v residue8
		e.mul(&u, &p.x, &q.z)
		e.mul(&v, &q.x, &p.z)
		for i := range 8 {
			a, _ := u.at(i).Add(n.Shl(1))
			a, _ = a.Sub(v.at(i))
			if _, rem := a.Div(n); !rem.IsZero() || p.z.at(i).IsZero() {
				return false
			}
		}
		return true
	}
	for _, D := range []uint64{60, 210} {
		e.points[0] = start
		if D == 60 {
			e.babies60(&e.points[1])
		} else {
			e.babies210(&e.points[1])
		}
		for i, j := range newPairing(D, 1000, 2000).babies {
			if !same(e.babies[i], times(uint64(j))) {
				t.Errorf("step %d: baby %d is wrong", D, j)
			}
		}
		if !same(e.points[1], times(D)) {
			t.Errorf("step %d: the step is wrong", D)
		}
	}
}

// TestVectorLimbs holds the arithmetic of three limbs and more against math/big.
func TestVectorLimbs(t *testing.T) {
	r := factortest.Seeded(t)
	for range 2000 {
		size := VectorBits + 1 + r.IntN(VectorMostBits-VectorBits)
		n := factortest.RandomBig(r, size)
		switch r.IntN(4) {
		case 0:
			n.Sub(new(big.Int).Lsh(arith.One, uint(size)), big.NewInt(2+r.Int64N(1000)))
		case 1:
			n.Add(new(big.Int).Lsh(arith.One, uint(size-1)), big.NewInt(r.Int64N(1000)))
		}
		n.SetBit(n.SetBit(n, 0, 1), size-1, 1)
		e := &vector{stop: &stop.Poller{}}
		w := make([]uint64, (size+63)/64)
		arith.PutWords(w, n)
		e.set(w...)
		n2 := new(big.Int).Lsh(n, 1)
		inv := new(big.Int).ModInverse(new(big.Int).Lsh(arith.One, uint(52*e.limbs)), n)
		draw := func() (res residue8) {
			for i := range 8 {
				v := factortest.RandomBig(r, size+1)
				if v.Mod(v, n2); r.IntN(8) == 0 {
					v.Sub(n2, arith.One)
				}
				for j := range e.limbs {
					res[j][i] = new(big.Int).And(new(big.Int).Rsh(v, uint(52*j)), big.NewInt(limb)).Uint64()
				}
			}
			return res
		}
		a, b, c, d := draw(), draw(), draw(), draw()
		var prod, u, v residue8
		for i := range 8 {
			e.put(&u, i, e.sumLane(e.laneOf(&a, i), e.laneOf(&b, i)))
			e.put(&v, i, e.differenceLane(e.laneOf(&c, i), e.laneOf(&d, i)))
		}
		mulGo(&prod, &u, &v, &e.mod8)
		if cpu.IFMA {
			var s, t2, p residue8
			sumLimbs(&s, &a, &b, &e.mod8)
			differenceLimbs(&t2, &c, &d, &e.mod8)
			mulLimbs(&p, &s, &t2, &e.mod8)
			if s != u || t2 != v || p != prod {
				t.Fatalf("modulo %v: the assembly differs from the Go", n)
			}
		}
		for i := range 8 {
			at := func(r *residue8) *big.Int { return e.bigAt(r, i) }
			sum := new(big.Int).Add(at(&a), at(&b))
			diff := new(big.Int).Sub(at(&c), at(&d))
			diff.Add(diff, n2)
			if at(&u).Cmp(sum) != 0 || at(&v).Cmp(diff) != 0 {
				t.Fatalf("modulo %v, lane %d: sum %v, want %v; difference %v, want %v", n, i, at(&u), sum, at(&v), diff)
			}
			want := new(big.Int).Mul(sum, diff)
			want.Mod(want.Mul(want, inv), n)
			got := at(&prod)
			if got.Cmp(n2) >= 0 || want.Sub(got, want).Mod(want, n).Sign() != 0 {
				t.Fatalf("modulo %v, lane %d: product %v", n, i, got)
			}
			for j := range e.limbs {
				if prod[j][i] > limb {
					t.Fatalf("modulo %v, lane %d: limb %d is too large", n, i, j)
				}
			}
		}
	}
}

// TestVectorBig finds factors of 25 bits in numbers of all sizes, in hardly more
// than one try.
func TestVectorBig(t *testing.T) {
	r := factortest.Seeded(t)
	run := newECM()
	for size := 129; size <= VectorMostBits; size += 7 {
		p := factortest.Prime64(r, 25)
		q := factortest.RandomPrime(r, size-25)
		n := new(big.Int).Mul(q, new(big.Int).SetUint64(p))
		if d := run.quickVector(n); d == nil || d.Uint64() != p {
			t.Errorf("%v: found %v, want %d", n, d, p)
		}
		stopped := newECM()
		stopped.Start(func() bool { return true })
		if d := stopped.quickVector(n); d != nil || !stopped.Stopped() {
			t.Errorf("%v: stopped, but found %v", n, d)
		}
	}
}

// TestVectorTurns runs turns of curves with and without vector: the same curves
// find the same factors.
func TestVectorTurns(t *testing.T) {
	r := factortest.Seeded(t)
	run, other := newECM(), newECM()
	found := 0
	for i := range uint64(fewer(30) + 5) {
		p := factortest.RandomPrime(r, 34+r.IntN(8))
		n := new(big.Int).Mul(p, factortest.RandomPrime(r, 60+r.IntN(220)))
		c := &Work{N: n.Bytes(), Seed: 5, First: 100 * i, Count: 2 + r.Uint64N(14), B1: 300, Hi: 301, From: 301, To: 20_000, Step: 210}
		if !c.FitsVector(n.BitLen()) {
			t.Fatalf("%+v does not fit", c)
		}
		got := run.CurvesVector(n, c)
		want, _ := other.CurvesN(n, c)
		if (got == nil) != (want == nil) || got != nil && got.Cmp(want) != 0 && got.Cmp(want.Quo(n, want)) != 0 {
			t.Fatalf("%v, curves from %d, %d of them: found %v, one by one %v", n, c.First, c.Count, got, want)
		}
		if got != nil {
			found++
		}
	}
	if found < fewer(30)/10 {
		t.Errorf("found %d factors", found)
	}
	stopped := newECM()
	stopped.Start(func() bool { return true })
	n := factortest.RandomPrime(r, 200)
	c := &Work{N: n.Bytes(), Seed: 5, Count: 8, B1: 11_000, Hi: 11_001, From: 11_001, To: 1_300_000, Step: 2310}
	if d := stopped.CurvesVector(n, c); d != nil || !stopped.Stopped() {
		t.Errorf("stopped, but found %v", d)
	}
}
