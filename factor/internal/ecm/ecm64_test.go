package ecm

import (
	"math/big"
	"math/bits"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/factortest"
)

// affine64 returns X/Z of a point modulo n, false if Z has no inverse.
func affine64(m *arith.Mont64, p point64) (uint64, bool) {
	inv, d := arith.Inverse64(m.From(p.z%m.N), m.N)
	return m.From(m.Mul(p.x%m.N, m.To(inv))), d == 1
}

// TestTrioAgrees runs the same curves with and without reductions, and on the
// arithmetic of two words: the same points, and the same divisors.
func TestTrioAgrees(t *testing.T) {
	r := factortest.Seeded(t)
	run := newECM()
	hits, both := 0, 0
	for i := range uint64(600) {
		size := 40 + r.IntN(25)
		n := factortest.Prime64(r, size/2) * factortest.Prime64(r, size-size/2)
		level := r.IntN(len(trioBounds))
		l, b := &trioPlans()[level], trioBounds[level]
		chain := new(tables).chain(b[0], 0, b[0]+1)
		if bits.Len64(n) <= 36 || arith.IsSquare64(n) {
			continue
		}
		first := 3 * (i % 400)
		full := arith.NewMont64(n)
		var x, divisors, stage1 [lanes]uint64
		for mode := range 5 {
			m := newCurveTrio(n, 64, new(trioSpace))
			m.lazy, m.halfLazy, m.assembly = mode == 1 || mode == 3, mode == 2, mode > 2
			if m.lazy && bits.Len64(n) > lazyBits || m.halfLazy && bits.Len64(n) > halfLazyBits || m.assembly && !cpu.ADX {
				continue
			}
			m.prepare(l)
			m.suyama(first)
			m.run(l)
			products := m.points[l.first] // of stage 1
			zs := m.level(l)
			acc := m.meet(l)
			if d := m.divisor(&zs); m.divisor(&acc) == n && d != 1 && d != n {
				both++
				if got := m.curves(l, first); got != d {
					t.Fatalf("%d, curve %d, mode %d: divisor %d, by Z alone %d", n, first, mode, got, d)
				}
			}
			for j := range acc {
				got, ok := affine64(&full, products[j])
				d, z := m.gcd(acc[j]), m.gcd(zs[j])
				if d%z != 0 || !ok && z == 1 {
					t.Fatalf("%d, curve %d, mode %d: divisor %d, of Z %d", n, first+uint64(j), mode, d, z)
				}
				if mode == 0 {
					x[j], divisors[j], stage1[j] = got, d, z
				}
				if d != divisors[j] || z != stage1[j] || ok && got != x[j] {
					t.Fatalf("%d, curve %d, mode %d: x %d, divisor %d, of Z %d; with all reductions %d, %d, %d", n, first+uint64(j), mode, got, d, z, x[j], divisors[j], stage1[j])
				}
				if d > 1 && d < n {
					hits++
				}
				if mode > 0 || !ok {
					continue
				}
				c := curve128{Mont128: arith.NewMont128(n2(n))}
				p, _ := c.suyama(6 + first + uint64(j))
				p = c.run(run.Poller, chain, p)
				inv, _, _ := c.Inverse(p.z)
				if w := c.From(c.Mul(p.x, inv)); w != n2(got) {
					t.Fatalf("%d, curve %d: x = %d, with two words %d", n, first+uint64(j), got, w.Lo)
				}
				holds(t, &c, b[0]+1, b[0]*b[1], n2(got), d)
			}
		}
	}
	if hits < 50 || both == 0 {
		t.Errorf("the curves found %d factors, and in %d cases the other one too", hits, both)
	}
}

// n2 returns v as two words.
func n2(v uint64) arith.Uint128 { return arith.Uint128{Lo: v} }

// holds checks stage 2 of a pair prime by prime: d is divided by the factors of n modulo
// which some prime from <= p < to, times the point with affine coordinate x, is the neutral
// element.
func holds(t *testing.T, c *curve128, from, to uint64, x arith.Uint128, d uint64) {
	t.Helper()
	q := point128{c.To(x), c.One}
	for _, p := range arith.PrimesBetween(nil, from, to) {
		a, _ := c.ladder(p, &q)
		if g := c.N.GCD(a.z); g.Lo != 1 && d%g.Lo != 0 {
			t.Fatalf("%d, x = %d: %d times the point is zero modulo %d, but the divisor is %d", c.N.Lo, x.Lo, p, g.Lo, d)
		}
	}
}

// TestTrioPlan walks the moves of every plan on integers: each baby and each giant is
// the multiple that it stands for, and every prime of stage 2 has its pair.
func TestTrioPlan(t *testing.T) {
	for i, b := range trioBounds {
		l, b1, D := &trioPlans()[i], b[0], b[2]
		pairs := newPairing(D, b1+1, b1*b[1])
		value := make([]*big.Int, l.points)
		value[0] = big.NewInt(1)
		for _, v := range l.moves {
			p := value[v.p/slotSize]
			if v.q == isDouble {
				value[v.r/slotSize] = new(big.Int).Lsh(p, 1)
				continue
			}
			q, d := value[v.q/slotSize], value[v.d/slotSize]
			sum, difference := new(big.Int).Add(p, q), new(big.Int).Sub(p, q)
			switch {
			case difference.CmpAbs(d) == 0:
				value[v.r/slotSize] = sum
			case sum.CmpAbs(d) == 0: // x of q is that of -q
				value[v.r/slotSize] = difference
			default:
				t.Fatalf("B1 = %d: %v + %v with the difference %v", b1, p, q, d)
			}
		}
		product := value[l.first]
		for _, p := range arith.PrimesBetween(nil, 2, b1+1) {
			power := p
			for power <= b1/p {
				power *= p
			}
			if new(big.Int).Rem(product, new(big.Int).SetUint64(power)).Sign() != 0 {
				t.Errorf("B1 = %d: stage 1 leaves out %d", b1, power)
			}
		}
		multiple := make([]uint64, l.count)
		for j := range multiple {
			if j < len(pairs.babies) {
				multiple[j] = uint64(pairs.babies[j])
			} else {
				multiple[j] = (pairs.first + uint64(j-len(pairs.babies))) * D
			}
			want := new(big.Int).SetUint64(multiple[j])
			if got := value[l.first+j]; got.CmpAbs(want.Mul(want, product)) != 0 {
				t.Fatalf("B1 = %d: point %d is not %d times the product", b1, j, multiple[j])
			}
		}
		covered := make(map[uint64]bool)
		for _, v := range l.list {
			g, b := multiple[v.giant/xSize], multiple[v.baby/xSize]
			covered[g+b], covered[g-b] = true, true
		}
		for _, p := range arith.PrimesBetween(nil, b1+1, b1*b[1]) {
			if !covered[p] {
				t.Errorf("B1 = %d: stage 2 leaves out %d", b1, p)
			}
		}
	}
}
