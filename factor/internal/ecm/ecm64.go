package ecm

import (
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// curvePlan are the bounds of the curves of the smallest sizes, with what depends on
// them.
type curvePlan struct {
	b1    uint64
	chain []byte
	pairs *pairing
}

// smallB1 are the stage 1 bounds of single curves modulo two words. Stage 2 goes to 25 B1
// with a giant step of 60.
var smallB1 = [...]uint64{30, 47, 70, 85, 125, 165, 205}

// smallPlans are the levels of smallB1.
var smallPlans = sync.OnceValue(func() *[len(smallB1)]curvePlan {
	t := new([len(smallB1)]curvePlan)
	var tb tables
	for i, b1 := range smallB1 {
		t[i] = curvePlan{b1, tb.chain(b1, 0, b1+1), newPairing(60, b1+1, 25*b1)}
	}
	return t
})

// trioBounds are the bounds of three curves: b1, b2/b1, and the giant step. The first
// giant is one step, so b1 is at least half of it.
var trioBounds = [...][3]uint64{
	{30, 30, 60},
	{47, 25, 60},
	{60, 30, 120},
	{70, 35, 120},
	{100, 35, 120},
	{120, 40, 120},
	{140, 45, 210},
	{165, 45, 210},
	{205, 50, 210},
}

// trioPlans are the plans of trioBounds.
var trioPlans = sync.OnceValue(func() *[len(trioBounds)]trioPlan {
	t := new([len(trioBounds)]trioPlan)
	var tb tables
	for i, b := range trioBounds {
		t[i] = newTrioPlan(tb.chain(b[0], 0, b[0]+1), newPairing(b[2], b[0]+1, b[0]*b[1]))
	}
	return t
})

// trioLevels are the indices of trioBounds that are tried one after the other for numbers
// up to that many bits; the last one goes on. Small factors are likely in what trial
// division leaves, so the first bounds are lower than what suits two factors of like size:
// the best for the mean of both kinds. Measured on a Zen 5.
var trioLevels = [...]struct {
	bits   int
	levels []int
}{
	{40, []int{0}},
	{44, []int{0, 1}},
	{48, []int{0, 2}},
	{52, []int{0, 3}},
	{56, []int{0, 4, 5}},
	{60, []int{0, 4, 6}},
	{62, []int{0, 4, 7}},
	{64, []int{0, 4, 8}},
}

// Find64 returns a proper factor of n, an odd composite that is not a power,
// below 2^64 and of that many bits, or 1 if count times three curves do not find one.
func (r *Runner) Find64(n uint64, size, count int) uint64 {
	m := r.trioFor(n, size)
	row := 0
	for trioLevels[row].bits < size {
		row++
	}
	plans, levels := trioPlans(), trioLevels[row].levels
	for i := range count {
		l := &plans[levels[min(i, len(levels)-1)]]
		if d := m.curves(l, uint64(lanes*i)); d != 1 && d != n {
			return d
		}
	}
	return 1
}

// curveTrio runs three curves in step: the multiplications of one curve wait for each
// other, and those of the others fill the gaps. Two take as long as three.
//
// Nothing here needs an inverse, which takes as long as seventy multiplications on each
// curve, nor the Montgomery form: points and (A+2)/4 are fractions, and only whether
// their numerators have a factor in common with n counts.
//
// The smaller n, the fewer reductions are needed. Below 2^lazyBits there are
// none: a sum or difference of two residues below 2n is below 4n, the product of
// two such is below n*2^64, and its Montgomery reduction is below 2n again. Below
// 2^halfLazyBits products are reduced below n, sums and differences stay below 2n.
//
// With BMI2 additions, doublings and stage 2 are in assembly. There, above 2^lazyBits,
// sums are only below 2^64, and so is the square of a sum, for what multiplies them is
// below n.
type curveTrio struct {
	arith.Mont64
	lazy, halfLazy bool
	assembly       bool
	trioWords
	*trioSpace
}

// trioWords are the constants of curveTrio that the assembly reads, which knows this
// layout.
type trioWords struct {
	n, inverse   uint64        // modulus, and 1/n modulo 2^64
	minus, twice uint64        // -n, 2n
	num, den     [lanes]uint64 // (A+2)/4 of the curves, as fractions
}

// trioFor prepares three curves modulo n, odd and of that many bits.
func (r *Runner) trioFor(n uint64, size int) curveTrio {
	if r.trio == nil {
		r.trio = new(trioSpace)
	}
	return newCurveTrio(n, size, r.trio)
}

// newCurveTrio is trioFor with the scratch.
func newCurveTrio(n uint64, size int, space *trioSpace) curveTrio {
	m := curveTrio{trioSpace: space, lazy: size <= lazyBits, halfLazy: size <= halfLazyBits, assembly: cpu.ADX}
	m.Mont64 = arith.Mont64{N: n, Inv: arith.Inverse2(n)}
	m.trioWords = trioWords{n: n, inverse: m.Inv, minus: -n, twice: 2 * n}
	return m
}

const (
	lazyBits     = 60 // 4n * 4n < n * 2^64
	halfLazyBits = 62 // 2n * 2n < n * 2^64
)

// point64 is a point X:Z of a Montgomery curve.
type point64 struct{ x, z uint64 }

// lanes is how many curves run in step.
const lanes = 3

// trioPoint are the points of all curves.
type trioPoint [lanes]point64

// curves runs curves number i and those that follow and returns a divisor of n, perhaps 1
// or n.
func (m *curveTrio) curves(l *trioPlan, i uint64) uint64 {
	m.prepare(l)
	m.suyama(i)
	m.run(l)
	zs := m.level(l)
	acc := m.meet(l)
	if d := m.divisor(&acc); d != m.N {
		return d
	}
	// Curves found all factors, but perhaps not all of them in stage 1.
	return m.divisor(&zs)
}

// divisor returns a common divisor of n and one of the residues, a proper one
// if it can.
func (m *curveTrio) divisor(residues *[lanes]uint64) uint64 {
	d := m.gcd(m.product(m.product(residues[0], residues[1]), residues[2]))
	if d != m.N {
		return d
	}
	for _, v := range residues {
		if d = m.gcd(v); d != 1 && d != m.N {
			return d
		}
	}
	return m.N
}

// gcd returns the greatest common divisor of n and a residue.
func (m *curveTrio) gcd(a uint64) uint64 { return arith.GCD64(m.strict(a), m.N) }

// strict returns the residue below n of a < 2n.
func (m *curveTrio) strict(a uint64) uint64 {
	if a >= m.N {
		a -= m.N
	}
	return a
}

// product returns a*b/R modulo n: below n, or below 2n if loose.
func (m *curveTrio) product(a, b uint64) uint64 {
	if m.lazy {
		return m.MulLazy(a, b)
	}
	return m.Mul(a, b)
}

// suyama sets points[0] and (A+2)/4 to those of curve number i and of those that follow.
func (m *curveTrio) suyama(i uint64) {
	for j := range lanes {
		c := suyamaCurve(i + uint64(j))
		m.points[0][j] = point64{m.Mul(c.u3, 1), m.Mul(c.v3, 1)}
		m.num[j], m.den[j] = m.Sub(0, m.Mul(c.w3, c.t)), m.Mul(c.u3, c.v16)
	}
}
