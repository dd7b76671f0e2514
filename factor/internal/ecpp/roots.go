package ecpp

import (
	"math/big"

	"fairfactor/factor/internal/arith"
)

// polynomials are polynomials modulo n, by coefficients from that of x^0 on, each of k
// words; a monic one does not have its first coefficient, so its degree is their number.
type polynomials struct {
	*field
	k    int
	t, u []uint64 // scratch: a product of two, a residue
	p    *Prover
}

// someRoot returns a root modulo n of a monic polynomial that splits into different linear
// factors if n is prime, the coefficients being integers; nil if it has none, or if
// the work is to stop. It splits the polynomial by squares: x + a is a square modulo n for half of
// the roots (Cohen, algorithm 1.6.1).
func (p *Prover) someRoot(f *field, coefs []*big.Int) *big.Int {
	r := &polynomials{field: f, k: len(f.N), p: p}
	m := r.elements(len(coefs))
	for i, c := range coefs {
		copy(m[i*r.k:], f.of(c))
	}
	r.t, r.u = r.elements(2*len(coefs)), r.elements(1)
	for tries := uint64(0); r.degree(m) > 1; tries++ {
		if tries == mostBases {
			return nil
		}
		shift := f.random(tries)
		v := r.halfPower(f.of(shift), m)
		if v == nil {
			return nil
		}
		r.Sub(v[:r.k], v[:r.k], f.One)
		d := r.gcd(m, v)
		if d == nil {
			return nil
		}
		if n := r.degree(d); n > 0 && n < r.degree(m) {
			if 2*n > r.degree(m) {
				d = r.quotient(m, d)
			}
			m = d
		}
	}
	root := r.elements(1)
	r.Sub(root, root, m)
	return f.From(root)
}

// degree is that of a monic polynomial.
func (r *polynomials) degree(m []uint64) int { return len(m) / r.k }

// at returns coefficient i of a.
func (r *polynomials) at(a []uint64, i int) []uint64 { return a[i*r.k:][:r.k] }

// halfPower returns (x + a)^((n-1)/2) modulo monic m of degree 2 or more, nil if the work is to
// stop.
func (r *polynomials) halfPower(a, m []uint64) []uint64 {
	v := make([]uint64, len(m))
	copy(v, a)
	copy(r.at(v, 1), r.One)
	e := new(big.Int).Rsh(r.minus, 1)
	for i := e.BitLen() - 2; i >= 0; i-- {
		if i%64 == 0 && r.p.Poll() {
			return nil
		}
		r.square(v, m)
		if e.Bit(i) == 1 {
			r.timesLinear(v, a, m)
		}
	}
	return v
}

// square sets v to v^2 modulo m.
func (r *polynomials) square(v, m []uint64) {
	h := r.degree(m)
	t := r.t[:2*h*r.k]
	clear(t)
	for i := range h {
		x := r.at(v, i)
		for j := i + 1; j < h; j++ {
			r.Mul(r.u, x, r.at(v, j))
			r.Add(r.at(t, i+j), r.at(t, i+j), r.u)
		}
	}
	for i := range 2 * h {
		r.Add(r.at(t, i), r.at(t, i), r.at(t, i))
	}
	for i := range h {
		r.Square(r.u, r.at(v, i))
		r.Add(r.at(t, 2*i), r.at(t, 2*i), r.u)
	}
	r.reduce(t, m)
	copy(v, t[:h*r.k])
}

// reduce takes multiples of monic m off t, until its degree is below that of m.
func (r *polynomials) reduce(t, m []uint64) {
	h := r.degree(m)
	for i := r.degree(t) - 1; i >= h; i-- {
		lead := r.at(t, i)
		if arith.IsZero(lead) {
			continue
		}
		for j := range h {
			r.Mul(r.u, lead, r.at(m, j))
			c := r.at(t, i-h+j)
			r.Sub(c, c, r.u)
		}
		clear(lead)
	}
}

// timesLinear sets v to v (x + a) modulo m.
func (r *polynomials) timesLinear(v, a, m []uint64) {
	h := r.degree(m)
	lead := append([]uint64(nil), r.at(v, h-1)...)
	for i := h - 1; i >= 0; i-- {
		c := r.at(v, i)
		r.Mul(c, c, a)
		if i > 0 {
			r.Add(c, c, r.at(v, i-1))
		}
		r.Mul(r.u, lead, r.at(m, i))
		r.Sub(c, c, r.u)
	}
}

// monic returns a, which is not 0, over its first coefficient; nil if that has no inverse.
func (r *polynomials) monic(a []uint64) []uint64 {
	h := r.degree(a) - 1
	for arith.IsZero(r.at(a, h)) {
		h--
	}
	inverse := r.inverse(r.at(a, h))
	if inverse == nil {
		return nil
	}
	m := r.elements(h)
	for i := range h {
		r.Mul(r.at(m, i), r.at(a, i), inverse)
	}
	return m
}

// gcd returns the greatest common divisor of monic m and v of lower degree, monic; nil if an
// element has no inverse.
func (r *polynomials) gcd(m, v []uint64) []uint64 {
	for !arith.IsZero(v) {
		next := r.monic(v)
		if next == nil {
			return nil
		}
		rest := append(append([]uint64(nil), m...), r.One...)
		r.reduce(rest, next)
		m, v = next, rest[:len(next)]
	}
	return m
}

// quotient returns monic m over its monic divisor d.
func (r *polynomials) quotient(m, d []uint64) []uint64 {
	rest := append(append([]uint64(nil), m...), r.One...)
	h := r.degree(d)
	q := r.elements(r.degree(m) - h)
	for i := r.degree(m); i >= h; i-- {
		lead := r.at(rest, i)
		if i < r.degree(m) {
			copy(r.at(q, i-h), lead)
		}
		for j := range h {
			r.Mul(r.u, lead, r.at(d, j))
			c := r.at(rest, i-h+j)
			r.Sub(c, c, r.u)
		}
	}
	return q
}
