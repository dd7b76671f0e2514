// Package rho is Pollard's rho method, the last resort below 2^64.
package rho

import "fairfactor/factor/internal/arith"

// Factor returns a proper factor of the odd composite n, which is not a prime
// power, by Pollard's method in Brent's form (BIT 20 (1980), 176-184). It
// tries one polynomial after the other, so it ends with probability 1; it is
// the last resort behind the elliptic curves.
func Factor(n uint64) uint64 {
	m := arith.NewMont64(n)
	for c := uint64(1); ; c++ {
		if d := rho(&m, m.To(c)); d != 1 && d != n {
			return d
		}
	}
}

// rho runs one polynomial x^2 + c and returns 1 < d <= n dividing n.
func rho(m *arith.Mont64, c uint64) uint64 {
	const batch = 64
	y, x, prod := m.To(2), uint64(0), m.One
	for r := 1; ; r *= 2 {
		x = y
		for range r {
			y = m.Add(m.Mul(y, y), c)
		}
		for k := 0; k < r; k += batch {
			back := y
			for range min(batch, r-k) {
				y = m.Add(m.Mul(y, y), c)
				prod = m.Mul(prod, m.Sub(x, y))
			}
			d := arith.GCD64(prod, m.N)
			if d == 1 {
				continue
			}
			for d == m.N {
				back = m.Add(m.Mul(back, back), c)
				if d = arith.GCD64(m.Sub(x, back), m.N); d != 1 {
					return d
				}
				d = m.N
			}
			return d
		}
	}
}
