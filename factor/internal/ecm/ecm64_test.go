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
	hits := 0
	for i := range uint64(600) {
		size := 40 + r.IntN(25)
		n := factortest.Prime64(r, size/2) * factortest.Prime64(r, size-size/2)
		level := r.IntN(len(trioBounds))
		l, b := &trioPlans()[level], trioBounds[level]
		chain := new(tables).chain(b[0], 0, b[0]+1)
		if bits.Len64(n) <= 36 || arith.IsSquare64(n) {
			continue
		}
		sigma := [lanes]uint64{arith.Mix(7, 3*i), arith.Mix(7, 3*i+1), arith.Mix(7, 3*i+2)}
		var x, divisors [lanes]uint64
		var failed uint64
		for mode := range 5 {
			m := newCurveTrio(n, 64, new(trioSpace))
			m.lazy, m.halfLazy, m.assembly = mode == 1 || mode == 3, mode == 2, mode > 2
			if m.lazy && bits.Len64(n) > lazyBits || m.halfLazy && bits.Len64(n) > halfLazyBits || m.assembly && !cpu.ADX {
				continue
			}
			m.prepare(l)
			if m.suyama(&sigma) != 1 {
				break
			}
			m.run(l)
			first := m.points[l.first] // the product of stage 1
			d := m.normalise(l)
			if mode == 0 {
				failed = d
			}
			if d != failed {
				t.Fatalf("%d, curve %d, mode %d: divisor %d of Z, with all reductions %d", n, lanes*i, mode, d, failed)
			}
			if d != 1 {
				if d < n {
					hits++
				}
				continue
			}
			for j, acc := range m.meet(l) {
				got, ok := affine64(&m.Mont64, first[j])
				if !ok {
					continue
				}
				d := arith.GCD64(acc%n, n)
				if mode == 0 {
					x[j], divisors[j] = got, d
					c := curve128{Mont128: arith.NewMont128(n2(n))}
					p, _ := c.suyama(sigma[j])
					p = c.run(run.Poller, chain, p)
					inv, _, _ := c.Inverse(p.z)
					if w := c.From(c.Mul(p.x, inv)); w != n2(got) {
						t.Fatalf("%d, curve %d: x = %d, with two words %d", n, lanes*i+uint64(j), got, w.Lo)
					}
					holds(t, &c, b[0]+1, b[0]*b[1], n2(got), d)
				}
				if got != x[j] || d != divisors[j] {
					t.Fatalf("%d, curve %d, mode %d: x %d, divisor %d; with all reductions %d, %d", n, lanes*i+uint64(j), mode, got, d, x[j], divisors[j])
				}
				if d > 1 && d < n {
					hits++
				}
			}
		}
	}
	if hits < 50 {
		t.Errorf("the curves found %d factors", hits)
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
