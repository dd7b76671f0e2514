package ecm

import (
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/factortest"
)

// TestTrio128Agrees runs the same curves one by one: the same points after stage 1, and
// stage 2 holds prime by prime.
func TestTrio128Agrees(t *testing.T) {
	if !cpu.ADX {
		t.Skip("no ADX here")
	}
	r := factortest.Seeded(t)
	run := newECM()
	hits := 0
	for i := range uint64(fewer(400)) {
		size := 65 + r.IntN(TrioBits-64)
		small := 20 + r.IntN(12)
		p, q := factortest.RandomPrime(r, small), factortest.RandomPrime(r, size-small)
		n := arith.Uint128Of(p.Mul(p, q).Bytes())
		level := r.IntN(len(trioBounds))
		l, b := &trioPlans()[level], trioBounds[level]
		chain := new(tables).chain(b[0], 0, b[0]+1)
		first := 3 * (i % 400)
		m := run.trio128For(n)
		m.prepare(l)
		m.suyama(first)
		runTrio128(&m.points[0], &l.moves[0], len(l.moves), &m.trioWords128)
		zs := m.level(l)
		acc := m.meet(l)
		full := arith.NewMont128(n)
		for j := range lanes {
			d := n.GCD(acc[j])
			if _, rest := d.Div(n.GCD(zs[j])); !rest.IsZero() {
				t.Fatalf("%v, curve %d: the divisor is %v, that of Z %v", n.Big(), j, d.Big(), n.GCD(zs[j]).Big())
			}
			if d != n && d != (arith.Uint128{Lo: 1}) {
				hits++
			}
			c := curve128{Mont128: full}
			p, _ := c.suyama(6 + first + uint64(j))
			p = c.run(run.Poller, chain, p)
			inv, _, ok := c.Inverse(p.z)
			if !ok {
				continue
			}
			// The first baby is the product of stage 1.
			x, got := c.From(c.Mul(p.x, inv)), m.points[l.first][j]
			inv, g, ok := c.Inverse(c.Mul(wordsOf(got.z), full.One))
			if !ok { // the chain met the point at infinity modulo a prime, which is found
				if _, rest := d.Div(g); !rest.IsZero() {
					t.Fatalf("%v, curve %d: Z has the divisor %v, but %v is found", n.Big(), j, g.Big(), d.Big())
				}
				continue
			}
			if got := c.From(c.Mul(wordsOf(got.x), inv)); got != x {
				t.Fatalf("%v, curve %d: x = %v, alone %v", n.Big(), j, got.Big(), x.Big())
			}
			q := point128{c.To(x), c.One}
			for _, prime := range arith.PrimesBetween(nil, b[0]+1, b[0]*b[1]) {
				a, _ := c.ladder(prime, &q)
				g := n.GCD(a.z)
				if _, rest := d.Div(g); !rest.IsZero() {
					t.Fatalf("%v, curve %d: %d times the point is zero modulo %v, but the divisor is %v", n.Big(), j, prime, g.Big(), d.Big())
				}
			}
		}
	}
	if hits < fewer(400)/10 {
		t.Errorf("the curves found %d factors", hits)
	}
}

// TestTrio128Edges squares residues of moduli at the edges of words by running a plan:
// n - 1 is -1, and its chain of doublings is known.
func TestTrio128Edges(t *testing.T) {
	if !cpu.ADX {
		t.Skip("no ADX here")
	}
	run := newECM()
	for _, n := range []arith.Uint128{
		{Hi: 1, Lo: 1},
		{Hi: 1, Lo: ^uint64(0)},
		{Hi: 1<<60 - 1, Lo: ^uint64(0)},
		{Hi: 1 << 59, Lo: 1},
		{Hi: 1<<60 - 1, Lo: 1},
		{Hi: ^uint64(0) >> 8, Lo: 3},
	} {
		m := run.trio128For(n)
		m.Mont128 = *arith.NewMont128(n)
		c := curve128{Mont128: &m.Mont128}
		minus, _ := n.Sub(arith.Uint128{Lo: 1})
		ones := arith.Uint128{Lo: ^uint64(0)}
		points := make([]trioPoint128, 4)
		for _, x := range []arith.Uint128{{}, {Lo: 1}, minus, ones} {
			for _, z := range []arith.Uint128{{Lo: 1}, minus, ones} {
				for j := range lanes {
					m.num[j], m.den[j] = pairOf(minus), pairOf(m.One)
					points[0][j].x, points[0][j].z = pairOf(x), pairOf(z)
					points[1][j].x, points[1][j].z = pairOf(z), pairOf(x)
				}
				c.a24 = minus
				p, q := point128{x, z}, point128{z, x}
				moves := []trioMove{{2 * slotSize, 0, isDouble, 0}, {3 * slotSize, 0, slotSize, slotSize}}
				runTrio128(&points[0], &moves[0], len(moves), &m.trioWords128)
				for j := range lanes {
					for i, want := range []point128{c.dupPoint(&p), c.addPoint(&p, &q, &q)} {
						got := points[2+i][j]
						if c.Mul(wordsOf(got.x), m.R2) != c.Mul(want.x, m.R2) || c.Mul(wordsOf(got.z), m.R2) != c.Mul(want.z, m.R2) {
							t.Fatalf("n %v, x %v, z %v, move %d, curve %d", n.Big(), x.Big(), z.Big(), i, j)
						}
					}
				}
			}
		}
	}
}
