package factor

import (
	"math/bits"
	"testing"
)

// affine64 returns X/Z of a point modulo n, false if Z has no inverse.
func affine64(m *mont64, p point64) (uint64, bool) {
	inv, d := inverse64(m.from(p.z%m.n), m.n)
	return m.from(m.mul(p.x%m.n, m.to(inv))), d == 1
}

// TestTwinsAgree runs the same curves with and without reductions, and on the
// arithmetic of two words: the same points, and the same divisors.
func TestTwinsAgree(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	hits := 0
	for i := range uint64(600) {
		size := 40 + r.IntN(25)
		n := prime64(r, size/2) * prime64(r, size-size/2)
		l := &microLevels[r.IntN(len(microLevels))]
		if bits.Len64(n) <= 36 || isSquare64(n) {
			continue
		}
		s, u := sigma(7, 2*i), sigma(7, 2*i+1)
		var x [2]uint64
		var divisors [2]uint64
		for mode := range 3 {
			m := twins{mont64: newMont64(n), loose: mode == 1, semi: mode == 2}
			if m.loose && bits.Len64(n) > looseBits || m.semi && bits.Len64(n) > semiBits {
				continue
			}
			q, d := m.suyama(s, u)
			if d != 1 {
				break
			}
			m.run(l.chain, &q)
			acc0, acc1 := m.stage2(l.pairs, &q)
			for j, acc := range [...]uint64{acc0, acc1} {
				got, ok := affine64(&m.mont64, q[j])
				if !ok {
					continue
				}
				d := gcd64(acc%n, n)
				if mode == 0 {
					x[j], divisors[j] = got, d
					c := curve128{mont128: newMont128(n2(n))}
					p, _ := c.suyama([...]uint64{s, u}[j])
					p = c.run(run.ecm.poller, l.chain, p)
					inv, _, _ := c.inverse(p.z)
					if w := c.from(c.mul(p.x, inv)); w != n2(got) {
						t.Fatalf("%d, curve %d: x = %d, with two words %d", n, 2*i+uint64(j), got, w.lo)
					}
					if w := c.microWide(run.ecm, l, [...]uint64{s, u}[j]); w != n2(d) {
						t.Fatalf("%d, curve %d: divisor %d, with two words %d", n, 2*i+uint64(j), d, w.lo)
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
func n2(v uint64) wide { return wide{0, v} }

// TestDivisor holds exact division and remainders by small primes against the
// slow way.
func TestDivisor(t *testing.T) {
	r := seeded(t)
	for range 20000 {
		d := &qsPrimes[r.IntN(len(qsPrimes))].exact
		w := anyWide(r)
		switch r.IntN(3) {
		case 0:
			w.hi = 0
		case 1:
			w, _ = w.divSmall(d.p)
			w, _ = w.mulAdd(d.p, 0)
		}
		q, rem := w.divSmall(d.p)
		if got, ok := w.divExact(d); ok != (rem == 0) || ok && got != q {
			t.Fatalf("%v / %d = %v, %v, want %v, remainder %d", w.big(), d.p, got.big(), ok, q.big(), rem)
		}
		if got := d.mod(w.lo); uint64(got) != w.lo%d.p {
			t.Fatalf("%d mod %d = %d", w.lo, d.p, got)
		}
	}
}
