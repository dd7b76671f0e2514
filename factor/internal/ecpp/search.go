package ecpp

import (
	"math/big"
	"slices"
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/primorial"
)

// order is an order m = s q of a curve modulo n that may be a step down to q.
type order struct {
	d          *discriminant
	n, t, s, q *big.Int // t = n + 1 - m
}

// search looks for the orders of curves modulo n, discriminant by discriminant.
type search struct {
	p     *Prover
	f     *field
	roots map[int]*big.Int // of prime discriminants; nil: none is there
	next  int              // place in discriminants()
	least *big.Int         // q is above it
}

func newSearch(p *Prover, n *big.Int) *search {
	r := new(big.Int).Sqrt(n)
	r.Sqrt(r).Add(r, arith.Two) // above n^(1/4) + 1
	return &search{p: p, f: newField(n), roots: make(map[int]*big.Int), least: r.Mul(r, r)}
}

// lotOrders is how many orders are looked at before the best of them is taken, so that
// it takes about as long as one step less saves.
const lotOrders = 40

// more returns orders that may be a step, the one with the smallest q first. There are
// no more if it returns none.
func (s *search) more() (found []order) {
	for len(found) == 0 {
		lot := s.lot()
		if len(lot) == 0 {
			return nil
		}
		left := make([]*big.Int, len(lot))
		for i := range lot {
			m := new(big.Int).Add(s.f.n, arith.One)
			left[i] = m.Sub(m, lot[i].t)
		}
		s.p.rough(left)
		for i, o := range lot {
			if s.p.Poll() {
				return nil
			}
			if s.leadsTo(&o, left[i]) {
				found = append(found, o)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b order) int { return a.q.Cmp(b.q) })
	return found
}

// lot returns the next orders, without s and q.
func (s *search) lot() (lot []order) {
	all := discriminants()
	for ; s.next < len(all) && len(lot) < lotOrders; s.next++ {
		if s.p.Poll() {
			return nil
		}
		d := &all[s.next]
		for _, t := range s.traces(d) {
			lot = append(lot, order{d: d, n: s.f.n, t: t})
		}
	}
	return lot
}

// leadsTo reports whether q, what is left of an order without its small primes, may be
// prime and is large enough for a step, and completes o then.
func (s *search) leadsTo(o *order, q *big.Int) bool {
	if q.Cmp(s.least) <= 0 || q.Cmp(o.n) >= 0 || !probablyPrime(q) {
		return false
	}
	m := new(big.Int).Add(o.n, arith.One)
	o.s, o.q = m.Quo(m.Sub(m, o.t), q), q
	return true
}

// smallProduct is the product of the odd primes that no tree has.
var smallProduct = sync.OnceValue(func() *big.Int {
	product := big.NewInt(1)
	for _, p := range arith.SmallPrimes(primorial.Least) {
		product.Mul(product, new(big.Int).SetUint64(p))
	}
	return product
})

// longFrom is the size from which the primes above 2^16 are looked for, too.
const longFrom = 192

// rough takes the small primes out of the list of numbers above 0, or anything if the work is to
// stop. The primes are held against the product of all: dividing a long product by a number of
// some words takes nearly as long as by one of some hundred.
func (p *Prover) rough(list []*big.Int) {
	without := func(q, g *big.Int) {
		for g.GCD(nil, nil, g, q); g.Cmp(arith.One) > 0; g.GCD(nil, nil, g, q) {
			q.Quo(q, g)
		}
	}
	most := 0
	for _, q := range list {
		q.Rsh(q, q.TrailingZeroBits())
		without(q, new(big.Int).Set(smallProduct()))
		most = max(most, q.BitLen())
	}
	trees := []*primorial.Tree{primorial.Short()}
	if most > longFrom {
		trees = append(trees, primorial.Long())
	}
	for _, t := range trees {
		product := big.NewInt(1)
		for _, q := range list {
			product.Mul(product, q)
		}
		if product.Cmp(arith.One) == 0 {
			return
		}
		g := t.Common(product, p.Poll)
		for _, q := range list {
			without(q, new(big.Int).Set(g))
		}
	}
}

// probablyPrime tells whether odd q passes Baillie-PSW, most composites after one power.
func probablyPrime(q *big.Int) bool {
	if q.BitLen() > 64 {
		f := newField(q)
		if x := f.power(big.NewInt(2), new(big.Int).Sub(q, arith.One)); x.Cmp(arith.One) != 0 {
			return false
		}
	}
	return q.ProbablyPrime(0)
}

// traces returns the t for which a curve with n + 1 - t points has complex multiplication
// by d: none if 4n is not U^2 + |d| V^2.
func (s *search) traces(d *discriminant) []*big.Int {
	root := big.NewInt(1)
	for _, q := range d.primes {
		r := s.root(q)
		if r == nil {
			return nil
		}
		root.Mul(root, r).Mod(root, s.f.n)
	}
	u, v := cornacchia(s.f.n, d.d, root)
	if u == nil {
		return nil
	}
	list := []*big.Int{u}
	switch d.d {
	case -4: // i (U + 2i V)/2 has twice the real part -2V
		list = append(list, v.Lsh(v, 1))
	case -3: // times a third root of 1: (U +- 3V)/2
		v.Mul(v, big.NewInt(3))
		a, b := new(big.Int).Add(u, v), new(big.Int).Sub(u, v)
		list = append(list, a.Rsh(a, 1), b.Rsh(b, 1))
	}
	for _, t := range list {
		list = append(list, new(big.Int).Neg(t))
	}
	return list
}

// root returns a square root of a prime discriminant modulo n, nil if it is not a square.
func (s *search) root(q int) *big.Int {
	r, known := s.roots[q]
	if !known {
		v := big.NewInt(int64(q))
		if big.Jacobi(v, s.f.n) == 1 {
			r = s.f.squareRoot(v.Mod(v, s.f.n))
		}
		s.roots[q] = r
	}
	return r
}

// cornacchia solves 4n = u^2 + |d| v^2 for u, v >= 0, given a square root of d modulo odd n:
// Cohen, algorithm 1.5.3. It returns nil if there is no solution.
func cornacchia(n *big.Int, d int, root *big.Int) (u, v *big.Int) {
	b := new(big.Int).Set(root)
	if b.Bit(0) != uint(d&1) {
		b.Sub(n, b)
	}
	a := new(big.Int).Lsh(n, 1)
	four := new(big.Int).Lsh(n, 2)
	bound := new(big.Int).Sqrt(four)
	for b.Cmp(bound) > 0 {
		a.Mod(a, b)
		a, b = b, a
	}
	v = new(big.Int).Mul(b, b)
	v.Sub(four, v)
	v, rest := v.QuoRem(v, big.NewInt(int64(-d)), new(big.Int))
	if rest.Sign() != 0 {
		return nil, nil
	}
	r := new(big.Int).Sqrt(v)
	if rest.Mul(r, r).Cmp(v) != 0 {
		return nil, nil
	}
	return b, r
}
