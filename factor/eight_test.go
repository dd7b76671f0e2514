package factor

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"fairfactor/factor/internal/cpu"
)

// needEight ends the test on processors that can not run eight.
func needEight(t *testing.T) {
	t.Helper()
	if !cpu.IFMA {
		t.Skip("this processor has no AVX-512 IFMA, or the build leaves it out")
	}
}

// odd100 returns an odd number of 41 to eightBits bits, often at an edge.
func odd100(r *rand.Rand) wide {
	size := uint(41 + r.IntN(eightBits-40))
	top := wide{0, 1}.shl(size - 1)
	n := wide{r.Uint64(), r.Uint64()}.shr(128 - size)
	switch r.IntN(4) {
	case 0:
		n = wide{0, r.Uint64N(1000)}
	case 1:
		n, _ = top.sub(wide{0, 1 + r.Uint64N(1000)})
	}
	return wide{n.hi | top.hi, n.lo | top.lo | 1}
}

// residueOf returns eight random residues modulo n, in any of the forms that
// sums and differences have.
func residueOf(r *rand.Rand, n wide) (res residue8) {
	n2 := n.shl(1)
	for i := range 8 {
		v := wide{r.Uint64(), r.Uint64()}
		_, v = v.div(n2)
		switch r.IntN(8) {
		case 0:
			v = wide{}
		case 1:
			v, _ = n2.sub(wide{0, 1})
		case 2:
			v.lo &^= limb
		}
		borrow := r.Uint64N(16) - 8
		res[0][i] = v.lo&limb + borrow<<52
		res[1][i] = v.shr(52).lo - borrow
	}
	return res
}

// slow8 is the arithmetic of eight one lane at a time, on plain numbers.
type slow8 struct{ n, inv *big.Int } // inv is 1/R

func newSlow8(n wide) *slow8 {
	s := &slow8{n: n.big()}
	s.inv = new(big.Int).ModInverse(new(big.Int).Lsh(one, 104), s.n)
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
	got := r.at(i).big()
	if got.Cmp(new(big.Int).Lsh(s.n, 1)) >= 0 {
		t.Fatalf("%s modulo %v: lane %d is %v, more than 2n", what, s.n, i, got)
	}
	d := s.sub(got, want)
	if d.Mod(d, s.n).Sign() != 0 {
		t.Fatalf("%s modulo %v: lane %d is %v, want %v", what, s.n, i, got, want)
	}
}

// TestEightArithmetic holds the assembly of eight against math/big.
func TestEightArithmetic(t *testing.T) {
	needEight(t)
	r := seeded(t)
	for range 2000 {
		n := odd100(r)
		s := newSlow8(n)
		var m mod8
		m.set(n.lo, n.hi)
		var p [6]point8
		for i := range p {
			p[i] = point8{residueOf(r, n), residueOf(r, n)}
		}
		x := func(k, i int) *big.Int { return p[k].x.at(i).big() }
		z := func(k, i int) *big.Int { return p[k].z.at(i).big() }

		var prod residue8
		mul8(&prod, &p[0].x, &p[0].z, &m)
		var sum, twice point8
		add8(&sum, &p[0], &p[1], &p[2], &m)
		dup8(&twice, &p[0], &p[3].x, &p[3].z, &m)
		acc, gxz := p[4].x, p[4].z
		xz := [2]residue8{p[5].x, p[5].z}
		all := [...]uint16{1, 0, 1}
		hits := all[:r.IntN(4)]
		meet8(&acc, &p[0], &p[1], &gxz, &xz[0], &all[0], len(hits), &m)
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
				c = s.add(s.sub(c, gxz.at(i).big()), xz[h].at(i).big())
				want = s.mul(want, c)
			}
			s.equal(t, "what meets", &acc, i, want)
		}
	}
}

// TestEightAliases lets the results of add8 and dup8 take the place of what they
// are made of.
func TestEightAliases(t *testing.T) {
	needEight(t)
	r := seeded(t)
	for range 100 {
		n := odd100(r)
		var m mod8
		m.set(n.lo, n.hi)
		var p [4]point8
		for i := range p {
			p[i] = point8{residueOf(r, n), residueOf(r, n)}
		}
		var sum, twice point8
		add8(&sum, &p[0], &p[1], &p[2], &m)
		dup8(&twice, &p[0], &p[3].x, &p[3].z, &m)
		for k := range 3 {
			q := p
			add8(&q[k], &q[0], &q[1], &q[2], &m)
			if q[k] != sum {
				t.Fatalf("modulo %v: a sum in the place of point %d differs", n.big(), k)
			}
		}
		q := p
		dup8(&q[0], &q[0], &q[3].x, &q[3].z, &m)
		if q[0] != twice {
			t.Fatalf("modulo %v: a double in place differs", n.big())
		}
	}
}

// TestEightAgrees runs the same curves with twins: they find the same divisors.
func TestEightAgrees(t *testing.T) {
	needEight(t)
	r := seeded(t)
	e := &eight{stop: &poller{}}
	found := 0
	for range 300 {
		size := 50 + r.IntN(14)
		n := prime64(r, size/2) * prime64(r, size-size/2)
		if isSquare64(n) {
			continue
		}
		level, family := r.IntN(3), r.IntN(len(families8))
		l := &levels8[level]
		if l.pairs.D != 60 { // twins know no other
			l = &micro{l.b1, l.chain, newPairing(60, l.b1+1, 35*l.b1)}
		}
		m := twins{mont64: newMont64(n)}
		any, d := false, wide{}
		for i := uint64(0); i < 8; i += 2 {
			s := 6 + 8*uint64(family) + i
			q, d := m.suyama(s, s+1)
			if d == 1 {
				m.run(l.chain, &q)
				acc0, acc1 := m.stage2(l.pairs, &q)
				d = gcd64(m.mul(acc0, acc1), n)
			}
			any = any || d != 1
		}
		if d = e.curves(wide{0, n}, l, &families8[family]); (d.lo != 1) != any {
			t.Fatalf("%d, B1 = %d, family %d: divisor %d, with twins found %v", n, l.b1, family, d.lo, any)
		}
		if any {
			found++
		}
	}
	if found < 50 {
		t.Errorf("found %d factors", found)
	}
}

// TestEightFinds counts what is left of products of two primes of like size, to
// 84 bits: hardly anything.
func TestEightFinds(t *testing.T) {
	needEight(t)
	r := seeded(t)
	run := NewRunner()
	left := 0
	for range 400 {
		n, p, q := wideSemiprime(r, 60+r.IntN(25))
		switch d := run.ecm.find8(n); d {
		case wide{0, 1}:
			left++
		case wide{0, p}, wide{0, q}:
		default:
			t.Fatalf("%v = %d * %d: found %v", n.big(), p, q, d.big())
		}
	}
	if left > 40 {
		t.Errorf("%d of 400 left", left)
	}
}

// TestBabies checks the multiples of stage 2 on a curve modulo a prime.
func TestBabies(t *testing.T) {
	needEight(t)
	n := wide{0, 1<<61 - 1}
	e := &eight{stop: &poller{}}
	e.set(n.lo, n.hi)
	f := &families8[0]
	e.start(f)
	start := e.points[0]
	// times returns k times the start, by a ladder.
	times := func(k uint64) point8 {
		a, b, d := start, start, start
		dup8(&b, &a, &e.num, &e.den, &e.mod8)
		for i := (wide{0, k}).len() - 2; i >= 0; i-- {
			var sum point8
			add8(&sum, &b, &a, &d, &e.mod8)
			if k>>i&1 == 1 {
				a = sum
				dup8(&b, &b, &e.num, &e.den, &e.mod8)
			} else {
				b = sum
				dup8(&a, &a, &e.num, &e.den, &e.mod8)
			}
		}
		return a
	}
	same := func(p, q point8) bool {
		var u, v residue8
		mul8(&u, &p.x, &q.z, &e.mod8)
		mul8(&v, &q.x, &p.z, &e.mod8)
		for i := range 8 {
			a, _ := u.at(i).add(n.shl(1))
			a, _ = a.sub(v.at(i))
			if _, rem := a.div(n); !rem.isZero() || p.z.at(i).isZero() {
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

// TestEightLimbs holds the arithmetic of three limbs and more against math/big.
func TestEightLimbs(t *testing.T) {
	needEight(t)
	r := seeded(t)
	for range 2000 {
		size := eightBits + 1 + r.IntN(eightMostBits-eightBits)
		n := randomBig(r, size)
		switch r.IntN(4) {
		case 0:
			n.Sub(new(big.Int).Lsh(one, uint(size)), big.NewInt(2+r.Int64N(1000)))
		case 1:
			n.Add(new(big.Int).Lsh(one, uint(size-1)), big.NewInt(r.Int64N(1000)))
		}
		n.SetBit(n.SetBit(n, 0, 1), size-1, 1)
		e := &eight{stop: &poller{}}
		w := make([]uint64, (size+63)/64)
		words(w, n)
		e.set(w...)
		n2 := new(big.Int).Lsh(n, 1)
		inv := new(big.Int).ModInverse(new(big.Int).Lsh(one, uint(52*e.limbs)), n)
		draw := func() (res residue8) {
			for i := range 8 {
				v := randomBig(r, size+1)
				if v.Mod(v, n2); r.IntN(8) == 0 {
					v.Sub(n2, one)
				}
				for j := range e.limbs {
					res[j][i] = new(big.Int).And(new(big.Int).Rsh(v, uint(52*j)), big.NewInt(limb)).Uint64()
				}
			}
			return res
		}
		a, b, c, d := draw(), draw(), draw(), draw()
		var prod, u, v residue8
		sumLimbs(&u, &a, &b, &e.mod8)
		differenceLimbs(&v, &c, &d, &e.mod8)
		mulLimbs(&prod, &u, &v, &e.mod8)
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

// TestEightBig finds factors of 25 bits in numbers of all sizes, in hardly more
// than one try.
func TestEightBig(t *testing.T) {
	needEight(t)
	r := seeded(t)
	run := NewRunner()
	for size := 129; size <= eightMostBits; size += 7 {
		p := prime64(r, 25)
		q := randomPrime(r, size-25)
		n := new(big.Int).Mul(q, new(big.Int).SetUint64(p))
		if d := run.ecm.quickCurves8(n); d == nil || d.Uint64() != p {
			t.Errorf("%v: found %v, want %d", n, d, p)
		}
		stopped := NewRunner()
		stopped.poller.start(func() bool { return true })
		if d := stopped.ecm.quickCurves8(n); d != nil || !stopped.poller.halted {
			t.Errorf("%v: stopped, but found %v", n, d)
		}
	}
}

// TestEightTurns runs turns of curves with and without eight: the same curves
// find the same factors.
func TestEightTurns(t *testing.T) {
	needEight(t)
	r := seeded(t)
	run, other := NewRunner(), NewRunner()
	found := 0
	for i := range uint64(30) {
		p := randomPrime(r, 34+r.IntN(8))
		n := new(big.Int).Mul(p, randomPrime(r, 60+r.IntN(220)))
		c := &curves{n: n.Bytes(), seed: 5, first: 100 * i, count: 2 + r.Uint64N(14), b1: 300, hi: 301, from: 301, to: 20_000, step: 210}
		if !c.fitsEight(n.BitLen()) {
			t.Fatalf("%+v does not fit", c)
		}
		got := run.ecm.curves8(n, c)
		want, _ := other.ecm.curvesBig(n, c)
		if (got == nil) != (want == nil) || got != nil && got.Cmp(want) != 0 && got.Cmp(want.Quo(n, want)) != 0 {
			t.Fatalf("%v, curves from %d, %d of them: found %v, one by one %v", n, c.first, c.count, got, want)
		}
		if got != nil {
			found++
		}
	}
	if found < 3 {
		t.Errorf("found %d factors", found)
	}
	stopped := NewRunner()
	stopped.poller.start(func() bool { return true })
	n := randomPrime(r, 200)
	c := &curves{n: n.Bytes(), seed: 5, count: 8, b1: 11_000, hi: 11_001, from: 11_001, to: 1_300_000, step: 2310}
	if d := stopped.ecm.curves8(n, c); d != nil || !stopped.poller.halted {
		t.Errorf("stopped, but found %v", d)
	}
}
