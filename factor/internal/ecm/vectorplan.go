package ecm

import (
	"math/big"
	"sync"

	"fairfactor/factor/internal/arith"
)

// suyama8 are eight curves of Suyama's parameters with the point u3 : v3 and (A+2)/4 =
// -minusNum / den.
type suyama8 struct{ u3, v3, minusNum, den [8]uint64 }

// suyamaFamilies are the families of the curves, in the order in which they are tried.
var suyamaFamilies = sync.OnceValue(func() *[5]suyama8 {
	t := new([5]suyama8)
	for i := range t {
		f := &t[i]
		for j := range f.u3 {
			c := suyamaCurve(uint64(8*i + j))
			f.u3[j], f.v3[j], f.minusNum[j], f.den[j] = c.u3, c.v3, c.w3*c.t, c.u3*c.v16
		}
	}
	return t
})

// vectorPlans are the bounds of eight curves. A giant step of 210 pays from B1 = 70 on;
// B2 = 35 B1 costs a third of a curve.
var vectorPlans = sync.OnceValue(func() (t []curvePlan) {
	var tb tables
	for _, b1 := range [...]uint64{16, 47, 70, 100, 120, 140, 205, 300, 400, 500} {
		step := uint64(210)
		if b1 < 60 {
			step = 60
		}
		t = append(t, curvePlan{b1, tb.chain(b1, 0, b1+1), newPairing(step, b1+1, 35*b1)})
	}
	return t
})

// vectorLevels are the levels of the families that are tried one after the other for
// numbers up to that many bits: small factors are likely in what trial division
// leaves, so the first bounds are lower than what suits two factors of like size.
// Above 84 bits the sieve is faster for those.
var vectorLevels = [...]struct {
	bits   int
	levels []int
}{
	{64, []int{4, 5, 5, 6, 6}},
	{68, []int{0, 5, 6, 7, 7}},
	{74, []int{0, 7, 7, 8, 8}},
	{80, []int{1, 8, 8, 9, 9}},
	{84, []int{1, 8, 9, 9, 9}},
	{92, []int{2, 5}},
	{100, []int{2, 6}},
}

// quickVectorPlan are the bounds of the quick methods above 2^128, with the families
// that they run: like quickWork, for a twentieth of the time.
var quickVectorPlan = sync.OnceValue(func() curvePlan {
	var tb tables
	return curvePlan{quickWork.B1, tb.chain(quickWork.B1, 0, quickWork.Hi), newPairing(quickWork.Step, quickWork.From, quickWork.To)}
})

const quickFamilies = 3

// quickVector is quickCurves for n of up to VectorMostBits bits.
func (r *Runner) quickVector(n *big.Int) *big.Int {
	l := quickVectorPlan()
	e := r.vectorFor()
	for i := range quickFamilies {
		d := e.findBig(n, &l, &suyamaFamilies()[i])
		if r.Poll() {
			return nil
		}
		if d.Cmp(arith.One) != 0 && d.Cmp(n) != 0 {
			return d
		}
	}
	return nil
}

// vectorFor returns the vector of the runner.
func (r *Runner) vectorFor() *vector {
	if r.vector == nil {
		r.vector = &vector{stop: r.Poller}
	}
	return r.vector
}

// VectorFromBits is the size from which a vector of curves is faster than three curves in
// step.
const VectorFromBits = 62

// FindVector returns a proper factor of n, an odd composite of VectorFromBits to VectorBits
// bits that is not a power, or 1 if the curves do not find one.
func (r *Runner) FindVector(n arith.Uint128) arith.Uint128 {
	e := r.vectorFor()
	row := 0
	for vectorLevels[row].bits < n.Len() {
		row++
	}
	for i, l := range vectorLevels[row].levels {
		if d := e.find(n, &vectorPlans()[l], &suyamaFamilies()[i]); d != (arith.Uint128{Lo: 1}) && d != n {
			return d
		}
	}
	return arith.Uint128{Lo: 1}
}

// Bounds of the curves of a turn that a vector runs: its giant step is 210 whatever
// the bounds, and others get ahead where few primes are left among its pairs.
const (
	eightMostB1 = 12_000
	eightMostB2 = 2_000_000
)

// FitsVector reports whether c is whole curves that a vector runs for a number of
// that many bits.
func (c *Work) FitsVector(bits int) bool {
	return c.wholeInMemory() && c.Count > 1 && c.B1 <= eightMostB1 && c.To <= eightMostB2 &&
		bits >= VectorFromBits && bits <= VectorMostBits
}

// CurvesVector is CurvesN for curves that fit a vector; it returns a proper factor or
// nil.
func (r *Runner) CurvesVector(n *big.Int, c *Work) *big.Int {
	l := curvePlan{c.B1, r.tables.chain(c.B1, c.Lo, c.Hi), r.tables.pair(210, c.From, c.To)}
	e := r.vectorFor()
	w := make([]uint64, (n.BitLen()+63)/64)
	arith.PutWords(w, n)
	for i := uint64(0); i < c.Count; i += 8 {
		e.set(w...)
		for lane := range uint64(8) { // the last curve fills the lanes that are left
			e.startLane(n, int(lane), arith.Mix(c.Seed, c.First+min(i+lane, c.Count-1)))
		}
		d := e.finish(n, &l)
		if r.Stopped() {
			return nil
		}
		if d.Cmp(arith.One) != 0 && d.Cmp(n) != 0 {
			return d
		}
	}
	return nil
}

// startLane sets the curve and the point of one lane to those of Suyama's
// parameter.
func (e *vector) startLane(n *big.Int, lane int, sigma uint64) {
	s := new(big.Int).SetUint64(sigma)
	u := new(big.Int).Mul(s, s)
	u.Sub(u, big.NewInt(5))
	v := new(big.Int).Lsh(s, 2)
	cube := func(x *big.Int) *big.Int { return new(big.Int).Exp(x, big.NewInt(3), n) }
	u3 := cube(u)
	num := new(big.Int).Add(v, new(big.Int).Mul(u, big.NewInt(3)))
	num.Mul(num, cube(new(big.Int).Sub(v, u)))
	den := new(big.Int).Mul(u3, v)
	e.setLane(&e.points[0].x, lane, u3)
	e.setLane(&e.points[0].z, lane, cube(v))
	e.setLane(&e.num, lane, num.Mod(num, n))
	e.setLane(&e.den, lane, den.Mod(den.Lsh(den, 4), n))
}

// setLane sets one lane of a residue to v.
func (e *vector) setLane(r *residue8, lane int, v *big.Int) {
	var w [maxLimbs]uint64
	arith.PutWords(w[:], v)
	for i := range e.limbs {
		r[i][lane] = limbAt(w[:], i)
	}
}
