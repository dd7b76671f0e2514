package siqs

import (
	"math"
	"math/big"
	"math/bits"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// maxFactors bounds the primes in a.
const maxFactors = 20

// coefficient is what a polynomial owes to its a: machines and runners compute it
// alike.
type coefficient struct {
	indices []int         // indices of the primes of a in the factor base, ascending
	a       arith.Uint192 // their product
	aBig    *big.Int
	l       arith.Uint192   // a << shift
	bValues []arith.Uint192 // B_j: b is their sum with signs, plus a if that is needed to make it odd
	gamma   []uint32        // g_j: B_j = g_j a / q_j
	sum     arith.Uint192   // b with all signs plus
	flip    bool            // a was added
}

// newCoefficient sets up the a of the chosen primes.
func (s *Base) newCoefficient(chosen []int) *coefficient {
	d := &coefficient{indices: chosen, a: arith.Uint192{1}}
	for _, i := range chosen {
		d.a, _ = d.a.Mul(uint64(s.primes[i]))
	}
	for _, i := range chosen {
		q := s.primes[i]
		rest, _ := d.a.DivSmall(uint64(q))
		_, r := rest.DivSmall(uint64(q))
		g := uint32(uint64(arith.InverseMod(uint32(r), q)) * uint64(s.rootOfKN(i)) % uint64(q))
		g = min(g, q-g)
		part, _ := rest.Mul(uint64(g))
		d.gamma = append(d.gamma, g)
		d.bValues = append(d.bValues, part)
		d.sum = d.sum.Add(part)
	}
	d.aBig = d.a.Big()
	d.l, _ = d.a.Mul(1 << s.shift)
	if s.shift == 1 && d.sum[0]&1 == 0 {
		d.sum, d.flip = d.sum.Add(d.a), true
	}
	return d
}

// count returns how many polynomials belong to this a: b and -b are alike.
func (d *coefficient) count() int { return 1 << (len(d.indices) - 1) }

// b returns b of polynomial i: bit j of the Gray code of i says that part j has
// the sign minus (Contini, 1997, section 3).
func (d *coefficient) b(i int) arith.Uint192 {
	b := d.sum
	for g := uint(i ^ i>>1); g != 0; g &= g - 1 {
		p := d.bValues[bits.TrailingZeros(g)]
		b = b.Sub(p).Sub(p)
	}
	return b
}

// setCoefficient goes to the a of the chosen primes and computes what its polynomials have
// in common: the first roots, and the steps from one to the next.
func (s *siever) setCoefficient(chosen []int) {
	if s.coefficient != nil && slices.Equal(s.coefficient.indices, chosen) {
		return
	}
	if s.coefficient != nil {
		for _, i := range s.coefficient.indices {
			s.setLog(i)
		}
	}
	s.coefficient = s.newCoefficient(slices.Clone(chosen))
	for _, i := range chosen {
		s.logs[i] = 0
	}
	s.at = -1
	for i := range s.products {
		s.products[i], s.sums[i] = 1, 0
	}
	for j, i := range chosen {
		s.steps[j] = arith.Resize(s.steps[j], len(s.primes))
		s.addFactor(i, uint64(s.coefficient.gamma[j]), s.steps[j])
	}
	s.setRoots()
	for j := range chosen {
		for _, i := range chosen {
			s.steps[j][i] = 0
		}
		s.mediumSteps[j] = arith.Resize(s.mediumSteps[j], s.mid)
		for i, v := range s.steps[j][:s.mid] {
			s.mediumSteps[j][i] = uint16(v)
		}
	}
}

// addFactor takes the prime q, number i, into account: g is what its part of b is
// a multiple of. Modulo each prime, g/q goes to step, is added to sums, and 1/q is
// multiplied to products. 1/q modulo p is (tp+1)/q, where t = -1/p modulo q comes
// from a table.
//
//go:norace
func (s *siever) addFactor(i int, g uint64, step []uint32) {
	q := uint64(s.primes[i])
	over := math.MaxUint64/q + 1 // a quotient by q is the high word of a product with it
	table := s.inversesOf(i)
	primes := s.primes
	recip, products, sums := s.recip[:len(primes)], s.products[:len(primes)], s.sums[:len(primes)]
	step = step[:len(primes)]
	twice := 1 - s.shift
	for k, p32 := range primes {
		p, m := uint64(p32), recip[k]
		quo, _ := bits.Mul64(p, over)
		t := q - uint64(table[p-quo*q])
		inv, _ := bits.Mul64(t*p+1, over)
		h := uint32(barrett(inv*g, p, m))
		products[k] = uint32(barrett(uint64(products[k])*inv, p, m))
		sums[k] = less(sums[k]+h, p32)
		step[k] = less(h<<twice, p32)
	}
}

// inversesOf returns the inverses modulo prime number i by residue; 0 of 0.
func (s *siever) inversesOf(i int) []uint16 {
	if t := s.inverses[i]; t != nil {
		return t
	}
	q := s.primes[i]
	t := make([]uint16, q)
	t[1] = 1
	for x := uint32(2); x < q; x++ { // q = (q/x) x + q%x
		t[x] = uint16(uint64(q-q/x) * uint64(t[q%x]) % uint64(q))
	}
	if s.inverses == nil {
		s.inverses = make(map[int][]uint16)
	}
	s.inverses[i] = t
	return t
}

// setRoots computes the roots of the polynomial with all signs plus: (t - b)/l and
// (-t - b)/l, where products is 1/a and sums is the sum of the parts of b over a,
// which is also that over l, but for the halves if l = 2a.
//
//go:norace
func (s *siever) setRoots() {
	for k := 1; k < len(s.primes); k++ {
		p32, m := s.primes[k], s.recip[k]
		p := uint64(p32)
		inv, sum := s.products[k], s.sums[k]
		if s.shift == 1 {
			inv, sum = half(inv, p32), half(sum, p32)
		}
		if s.coefficient.flip { // a/l = 1/2
			sum = less(sum+(p32+1)/2, p32)
		}
		u := uint32(barrett(uint64(inv)*uint64(s.roots[k]), p, m))
		center := less(s.halfMod[k]+p32-sum, p32)
		s.base1[k], s.base2[k] = less(center+u, p32), less(center+p32-u, p32)
	}
	for _, k := range s.coefficient.indices {
		s.base1[k], s.base2[k] = 0, 0
	}
}

// half returns x/2 modulo odd p for x < p.
func half(x, p uint32) uint32 { return (x + p&-(x&1)) >> 1 }

// barrett returns x mod p for m = floor((2^64-1)/p) and x below 2^44 or so.
func barrett(x, p, m uint64) uint64 {
	q, _ := bits.Mul64(x, m)
	x -= q * p
	if x >= p {
		x -= p
	}
	return x
}

// setPolynomial goes to polynomial i of the current a.
//
//go:norace
func (s *siever) setPolynomial(i int) {
	if s.at >= 0 && i == s.at+1 {
		v := bits.TrailingZeros(uint(i))
		s.at = i
		s.b = s.coefficient.b(i)
		s.stepRoots(v, (i^i>>1)>>v&1 == 1)
		s.setC()
		return
	}
	s.at = i
	s.b = s.coefficient.b(i)
	mask := uint(i ^ i>>1)
	for k := range s.primes {
		p := s.primes[k]
		r1, r2 := s.base1[k], s.base2[k]
		for g := mask; g != 0; g &= g - 1 {
			d := s.steps[bits.TrailingZeros(g)][k]
			r1, r2 = less(r1+d, p), less(r2+d, p)
		}
		if k < s.mid {
			s.medium1[k], s.medium2[k] = uint16(r1), uint16(r2)
		} else {
			s.large1[k-s.mid], s.large2[k-s.mid] = r1, r2
		}
	}
	s.stepLarge(nil, false)
	s.setC()
}

// stepRoots moves the roots when the sign of part v becomes minus or, if not,
// plus again.
func (s *siever) stepRoots(v int, minus bool) {
	step := s.mediumSteps[v]
	from := 0
	if n := s.mid &^ 15; cpu.AVX2 && n > 0 {
		moveRoots16ASM(&s.medium[0], &s.medium1[0], &s.medium2[0], &step[0], n, minus)
		from = n
	}
	moveRoots16(s.medium[from:], s.medium1[from:], s.medium2[from:], step[from:], minus)
	s.stepLarge(s.steps[v][s.mid:], minus)
}

// setC computes c = (b^2 - kn) / l' of the current polynomial: Q(x) = a x^2 + m x
// + c with m = 2b, or m = b if l = 2a.
func (s *siever) setC() {
	b := s.b.Big()
	b.Mul(b, b).Sub(b, s.kn)
	b.Rsh(b, 2*s.shift).Quo(b, s.coefficient.aBig)
	s.c = arith.Uint192Of(b)
	s.m = s.b
	if s.shift == 0 {
		s.m = s.m.Add(s.m)
	}
}

// value returns Q at position pos, its size and sign.
func (s *siever) value(pos int) (v arith.Uint192, negative bool) {
	x := int64(pos) - s.half()
	return s.coefficient.a.Times(x).Add(s.m).Times(x).Add(s.c).Abs()
}

// less returns x mod p for x < 2p.
func less(x, p uint32) uint32 {
	y := x - p
	if x < p {
		y = x
	}
	return y
}
