package pm1

import (
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
)

// steps are the giant steps of stage 2, with few residues prime to each.
var steps = [...]uint64{30, 210, 2310, 30030}

// stepFor returns the giant step that makes stage 2 over a range cheapest. The first giant
// is one step, so the primes must be above half of it.
func stepFor(from, to uint64) uint64 {
	cost := func(d uint64) uint64 { return d/4 + (to-from)/d }
	best := steps[0]
	for _, d := range steps[1:] {
		if d <= 2*from && cost(d) < cost(best) {
			best = d
		}
	}
	return best
}

// stage2 looks for a prime q, from <= q < to, for which x^q is 1, or V(q) is 2, modulo a
// factor of n, and returns that factor or nil. x is what stage 1 reached.
func (s *search) stage2(x *big.Int, from, to uint64) *big.Int {
	v := x // V(1)
	if !s.plus {
		inverse := new(big.Int).ModInverse(x, s.n)
		if inverse == nil {
			return nil
		}
		v = inverse.Add(inverse, x)
		v.Mod(v, s.n)
	}
	return s.giants(v, from, to)
}

// giants is stage 2 for the sequence with V(1) = v.
func (s *search) giants(v *big.Int, from, to uint64) *big.Int {
	m, k := s.m, uint64(len(s.m.N))
	D := stepFor(from, to)
	babies := s.babies(v, D)
	giant := (from + D/2) / D
	step, cur, last := s.term(v, D), s.term(v, giant*D), s.term(v, (giant-1)*D)
	acc, t := slices.Clone(m.One), make([]uint64, k)
	seen := make([]uint64, D/4+1) // the last giant that has met the baby
	span := min(max(1<<21/(k*k), 1<<12), 1<<18)
	for lo := from; lo < to; lo += span {
		hi := min(lo+span, to)
		for _, q := range arith.PrimesBetween(nil, lo, hi) {
			for g := (q + D/2) / D; giant < g; giant++ {
				m.Mul(t, cur, step)
				m.Sub(last, t, last)
				last, cur = cur, last
				if s.worked(1) {
					return nil
				}
			}
			j := max(q, giant*D) - min(q, giant*D)
			j /= 2
			if seen[j] == giant {
				continue // a prime on the other side of the giant
			}
			seen[j] = giant
			m.Sub(t, cur, babies[j*k:(j+1)*k])
			m.Mul(acc, acc, t)
			if s.worked(1) {
				return nil
			}
		}
		if s.Poll() {
			return nil
		}
		d := new(big.Int).GCD(nil, nil, m.From(acc), s.n)
		if d.Cmp(s.n) == 0 {
			return s.halve(v, lo, hi)
		}
		if d.Cmp(arith.One) != 0 {
			return d
		}
	}
	return nil
}

// halve is giants for a range in which all factors of n come: one half first, then the
// other; nil if they come with neighbouring primes.
func (s *search) halve(v *big.Int, from, to uint64) *big.Int {
	if to-from < 3 {
		return nil
	}
	middle := from + (to-from)/2
	if d := s.giants(v, from, middle); d != nil || s.Stopped() {
		return d
	}
	return s.giants(v, middle, to)
}

// term returns V(i) for the sequence with V(1) = v.
func (s *search) term(v *big.Int, i uint64) []uint64 {
	z := make([]uint64, len(s.m.N))
	if i == 0 {
		s.m.Add(z, s.m.One, s.m.One)
	} else {
		s.m.To(z, s.lucas(v, new(big.Int).SetUint64(i)))
	}
	return z
}

// babies returns V(1), V(3), V(5), ... to half a giant step, or anything if the turn is to
// stop.
func (s *search) babies(v *big.Int, D uint64) []uint64 {
	m, k := s.m, len(s.m.N)
	count := int(D/4) + 1
	all := make([]uint64, count*k)
	second := s.term(v, 2)
	copy(all, s.term(v, 1))
	before := all[:k] // V(-1)
	for i := 1; i < count && !s.worked(1); i++ {
		last, z := all[(i-1)*k:i*k], all[i*k:(i+1)*k]
		m.Mul(z, last, second)
		m.Sub(z, z, before)
		before = last
	}
	return all
}
