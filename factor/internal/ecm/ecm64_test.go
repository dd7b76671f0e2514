package ecm

import (
	"math/bits"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

// affine64 returns X/Z of a point modulo n, false if Z has no inverse.
func affine64(m *arith.Mont64, p point64) (uint64, bool) {
	inv, d := arith.Inverse64(m.From(p.z%m.N), m.N)
	return m.From(m.Mul(p.x%m.N, m.To(inv))), d == 1
}

// TestPairAgrees runs the same curves with and without reductions, and on the
// arithmetic of two words: the same points, and the same divisors.
func TestPairAgrees(t *testing.T) {
	r := factortest.Seeded(t)
	run := newECM()
	hits := 0
	for i := range uint64(600) {
		size := 40 + r.IntN(25)
		n := factortest.Prime64(r, size/2) * factortest.Prime64(r, size-size/2)
		l := &smallPlans()[r.IntN(len(smallB1))]
		if bits.Len64(n) <= 36 || arith.IsSquare64(n) {
			continue
		}
		s, u := arith.Mix(7, 2*i), arith.Mix(7, 2*i+1)
		var x [2]uint64
		var divisors [2]uint64
		for mode := range 3 {
			m := curvePair{Mont64: arith.NewMont64(n), lazy: mode == 1, halfLazy: mode == 2}
			if m.lazy && bits.Len64(n) > lazyBits || m.halfLazy && bits.Len64(n) > halfLazyBits {
				continue
			}
			q, d := m.suyama(s, u)
			if d != 1 {
				break
			}
			m.run(l.chain, &q)
			acc0, acc1 := m.stage2(l.pairs, &q)
			for j, acc := range [...]uint64{acc0, acc1} {
				got, ok := affine64(&m.Mont64, q[j])
				if !ok {
					continue
				}
				d := arith.GCD64(acc%n, n)
				if mode == 0 {
					x[j], divisors[j] = got, d
					c := curve128{Mont128: arith.NewMont128(n2(n))}
					p, _ := c.suyama([...]uint64{s, u}[j])
					p = c.run(run.Poller, l.chain, p)
					inv, _, _ := c.Inverse(p.z)
					if w := c.From(c.Mul(p.x, inv)); w != n2(got) {
						t.Fatalf("%d, curve %d: x = %d, with two words %d", n, 2*i+uint64(j), got, w.Lo)
					}
					if w := run.smallCurve128(c.Mont128, l, [...]uint64{s, u}[j]); w != n2(d) {
						t.Fatalf("%d, curve %d: divisor %d, with two words %d", n, 2*i+uint64(j), d, w.Lo)
					}
				}
				if got != x[j] || d != divisors[j] {
					t.Fatalf("%d, curve %d, mode %d: x %d, divisor %d; with all reductions %d, %d", n, 2*i+uint64(j), mode, got, d, x[j], divisors[j])
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
