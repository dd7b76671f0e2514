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

// batchOrders is how many orders are looked at before the best of them is taken, so that
// it takes about as long as one step less saves.
const batchOrders = 40

// more returns orders that may be a step, the one with the smallest q first. There are
// no more if it returns none.
func (s *search) more() (found []order) {
	all := discriminants()
	for tried := 0; s.next < len(all) && (tried < batchOrders || len(found) == 0); s.next++ {
		if s.p.Poll() {
			return nil
		}
		d := &all[s.next]
		for _, t := range s.traces(d) {
			tried++
			if o, ok := s.order(d, t); ok {
				found = append(found, o)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b order) int { return a.q.Cmp(b.q) })
	return found
}

// order takes the small primes out of n + 1 - t. It is not ok unless what is left may be
// prime and is large enough for a step.
func (s *search) order(d *discriminant, t *big.Int) (o order, ok bool) {
	n := s.f.n
	m := new(big.Int).Add(n, arith.One)
	m.Sub(m, t)
	q := s.p.rough(m)
	if q.Cmp(s.least) <= 0 || q.Cmp(n) >= 0 || !probablyPrime(q) {
		return o, false
	}
	return order{d: d, n: n, t: t, s: m.Quo(m, q), q: q}, true
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

// rough returns m > 0 without its small primes, or anything if the work is to stop.
func (p *Prover) rough(m *big.Int) *big.Int {
	q := new(big.Int).Rsh(m, m.TrailingZeroBits())
	without := func(g *big.Int) {
		for g.Cmp(arith.One) > 0 {
			q.Quo(q, g)
			g.GCD(nil, nil, g, q)
		}
	}
	without(new(big.Int).GCD(nil, nil, smallProduct(), q))
	if q.BitLen() > 64 {
		without(primorial.Short().Common(q, p.Poll))
	}
	if q.BitLen() > longFrom {
		without(primorial.Long().Common(q, p.Poll))
	}
	return q
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
