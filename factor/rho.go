package factor

// rho64 returns a proper factor of the odd composite n, which is not a prime
// power, by Pollard's method in Brent's form (BIT 20 (1980), 176-184). It
// tries one polynomial after the other, so it ends with probability 1; it is
// the last resort behind the elliptic curves.
func rho64(n uint64) uint64 {
	m := newMont64(n)
	for c := uint64(1); ; c++ {
		if d := m.rho(m.to(c)); d != 1 && d != n {
			return d
		}
	}
}

// rho runs one polynomial x^2 + c and returns 1 < d <= n dividing n.
func (m *mont64) rho(c uint64) uint64 {
	const batch = 64
	y, x, prod := m.to(2), uint64(0), m.one
	for r := 1; ; r *= 2 {
		x = y
		for range r {
			y = m.add(m.mul(y, y), c)
		}
		for k := 0; k < r; k += batch {
			back := y
			for range min(batch, r-k) {
				y = m.add(m.mul(y, y), c)
				prod = m.mul(prod, m.sub(x, y))
			}
			d := gcd64(prod, m.n)
			if d == 1 {
				continue
			}
			for d == m.n {
				back = m.add(m.mul(back, back), c)
				if d = gcd64(m.sub(x, back), m.n); d != 1 {
					return d
				}
				d = m.n
			}
			return d
		}
	}
}
