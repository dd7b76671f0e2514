package ecm

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// vector runs eight curves in step on the number n, in the lanes of the vector
// registers of processors with AVX-512 IFMA: products of 52 bits, eight at a time.
// Others run curveTrio and smallCurve128 instead.
//
// Nothing here needs an inverse or the Montgomery form: points and (A+2)/4 are
// fractions whose numerators and denominators may both lack the same factor, and
// what is looked for is a common divisor with n.
//
// The order of the fields, and that it is not part of another structure, lets all
// vectors begin where a line of the cache does.
type vector struct {
	num, den residue8   // (A+2)/4 of the curves
	points   [12]point8 // scratch
	babies   [24]point8
	xz       [24]residue8 // x z of babies
	scratch  [4]residue8
	stop     *stop.Poller // asked whether to go on
	mod8
}

// start sets points[0] and (A+2)/4 to those of family f.
func (e *vector) start(f *suyama8) {
	e.points[0] = point8{residue8{f.u3}, residue8{f.v3}}
	e.den = residue8{f.den}
	for i := range e.limbs {
		for j := range 8 {
			e.num[i][j] = e.twice[i]
		}
	}
	for j, v := range f.minusNum {
		e.num[0][j] -= v
	}
}

// find runs the curves of family f modulo n, below 2^VectorBits, and returns a
// divisor of n, perhaps 1 or n.
func (e *vector) find(n arith.Uint128, l *curvePlan, f *suyama8) arith.Uint128 {
	e.set(n.Lo, n.Hi)
	e.start(f)
	q := e.run(l.chain)
	if d := e.divisor(n, &q.z); d != (arith.Uint128{Lo: 1}) {
		return d
	}
	return e.divisor(n, e.stage2(l.pairs, q))
}

// findBig is curves for n up to 2^VectorMostBits.
func (e *vector) findBig(n *big.Int, l *curvePlan, f *suyama8) *big.Int {
	w := make([]uint64, (n.BitLen()+63)/64)
	arith.PutWords(w, n)
	e.set(w...)
	e.start(f)
	return e.finish(n, l)
}

// finish runs both stages from points[0] on and returns a divisor of n, perhaps 1
// or n.
func (e *vector) finish(n *big.Int, l *curvePlan) *big.Int {
	q := e.run(l.chain)
	if d := e.divisorBig(n, &q.z); d.Cmp(arith.One) != 0 {
		return d
	}
	return e.divisorBig(n, e.stage2(l.pairs, q))
}

// vectorPoll is how many operations of a chain, 0.4 us each at most, run between
// two looks at stop.
const vectorPoll = 4096

// run multiplies points[0] by the number that code stands for and returns where
// the product is; see curveN.run.
//
//go:norace
func (e *vector) run(code []byte) *point8 {
	a, b, c, t, u := &e.points[0], &e.points[1], &e.points[2], &e.points[3], &e.points[4]
	for i, op := range code {
		if i%vectorPoll == vectorPoll-1 && e.stop.Poll() {
			break
		}
		switch op {
		case opStart:
			e.copyPoint(c, a)
			e.dup(t, a)
			a, b, t = t, a, b
		case 1:
			e.add(t, a, b, c)
			e.add(u, t, a, b)
			e.add(b, b, t, a)
			a, u = u, a
		case 2, 4:
			e.add(b, a, b, c)
			e.dup(a, a)
		case 3:
			e.add(c, b, a, c)
			b, c = c, b
		case 5:
			e.add(c, c, a, b)
			e.dup(a, a)
		case 6:
			e.dup(t, a)
			e.add(u, a, b, c)
			e.add(a, t, a, a)
			e.add(t, t, u, c)
			b, c, t = t, b, c
		case 7:
			e.add(t, a, b, c)
			e.add(b, t, a, b)
			e.dup(t, a)
			e.add(a, a, t, a)
		case 8:
			e.add(t, a, b, c)
			e.add(c, c, a, b)
			b, t = t, b
			e.dup(t, a)
			e.add(a, a, t, a)
		case 9:
			e.add(c, c, b, a)
			e.dup(b, b)
		case opEnd:
			e.add(a, a, b, c)
		case opSwap:
			a, b = b, a
		case opDup:
			e.dup(a, a)
		}
	}
	return a
}

// stage2 returns residues; one has a factor of n in common with n if a
// prime of the pairing, times q on that curve, is the neutral element modulo that
// factor; see curveTrio.stage2.
//
//go:norace
func (e *vector) stage2(pr *pairing, q *point8) *residue8 {
	if q != &e.points[0] {
		e.copyPoint(&e.points[0], q)
	}
	step := &e.points[1]
	if pr.D == 60 {
		e.babies60(step)
	} else {
		e.babies210(step)
	}
	xz := e.xz[:len(pr.babies)]
	for i := range xz {
		e.mul(&xz[i], &e.babies[i].x, &e.babies[i].z)
	}
	prev, cur, next := &e.points[2], &e.points[3], &e.points[4]
	e.copyPoint(prev, step)
	e.dup(cur, step)
	for range pr.first - 1 {
		e.add(next, cur, step, prev)
		prev, cur, next = cur, next, prev
	}
	acc, gxz := &e.points[5].x, &e.points[5].z
	*acc = residue8{{1, 1, 1, 1, 1, 1, 1, 1}}
	start := uint32(0)
	for i, end := range pr.ends {
		if i%128 == 127 && e.stop.Poll() {
			break
		}
		if start < end {
			e.mul(gxz, &prev.x, &prev.z)
			e.meet(acc, prev, gxz, pr.hits[start:end])
		}
		start = end
		e.add(next, cur, step, prev)
		prev, cur, next = cur, next, prev
	}
	return acc
}

// babies60 sets babies to the multiples of points[0] by the numbers below 30
// coprime to 60 and step to that by 60.
func (e *vector) babies60(step *point8) {
	b, p := &e.babies, &e.points
	q, p2, p3, p4, p5, p6 := &p[0], &p[2], &p[3], &p[4], &p[5], &p[6]
	e.dup(p2, q)
	e.add(p3, p2, q, q)
	e.dup(p4, p2)
	e.add(p5, p3, p2, q)
	e.dup(p6, p3)
	e.copyPoint(&b[0], q)
	e.add(&b[1], p4, p3, q)        // 7
	e.add(&b[2], p6, p5, q)        // 11
	e.add(&b[3], &b[1], p6, q)     // 13
	e.add(&b[4], &b[2], p6, p5)    // 17
	e.add(&b[5], &b[3], p6, &b[1]) // 19
	e.add(&b[6], &b[4], p6, &b[2]) // 23
	e.add(&b[7], &b[6], p6, &b[4]) // 29
	e.add(step, &b[4], &b[3], p4)  // 30
	e.dup(step, step)
}

// babies210 is babies60 for the numbers below 105 coprime to 210, and 210.
func (e *vector) babies210(step *point8) {
	p := &e.points
	q, p2, p3, p5, p6 := &p[0], &p[2], &p[3], &p[4], &p[5]
	e.dup(p2, q)
	e.add(p3, p2, q, q)
	e.add(p5, p3, p2, q)
	e.dup(p6, p3)
	// Two progressions of step 6: 1, 7, 13, ... and 5, 11, 17, ...
	low, high, lowNext, highNext, spare := &p[6], &p[7], &p[8], &p[9], &p[10]
	e.copyPoint(low, q)
	e.copyPoint(high, p5)
	e.add(lowNext, p6, q, p5)  // 7
	e.add(highNext, p6, p5, q) // 11
	b := 0
	for j := uint64(1); ; j += 6 {
		if arith.GCD64(j, 210) == 1 {
			e.copyPoint(&e.babies[b], low)
			b++
		}
		if j == 103 {
			break
		}
		if arith.GCD64(j+4, 210) == 1 {
			e.copyPoint(&e.babies[b], high)
			b++
		}
		e.add(spare, lowNext, p6, low)
		low, lowNext, spare = lowNext, spare, low
		e.add(spare, highNext, p6, high)
		high, highNext, spare = highNext, spare, high
	}
	e.dup(p2, p2)
	e.add(step, low, high, p2) // 103 + 107
}

// divisor returns a common divisor of n and one of the residues, a proper one if
// it can.
func (e *vector) divisor(n arith.Uint128, r *residue8) arith.Uint128 {
	var w [8]arith.Uint128
	for i := range w {
		w[i] = r.at(i)
		if !w[i].Less(n) {
			w[i], _ = w[i].Sub(n)
		}
	}
	var d arith.Uint128
	if inv := arith.Inverse2(n.Lo); n.Hi == 0 {
		m := arith.Mont64{N: n.Lo, Inv: inv}
		p := w[0].Lo
		for _, v := range w[1:] {
			p = m.Mul(p, v.Lo)
		}
		d.Lo = arith.GCD64(p, n.Lo)
	} else {
		m := arith.Mont128{N: n, Inv: inv}
		p := w[0]
		for _, v := range w[1:] {
			p = m.Mul(p, v)
		}
		d = n.GCD(p)
	}
	if d != n {
		return d
	}
	for _, v := range w {
		if d = n.GCD(v); d != n && d != (arith.Uint128{Lo: 1}) {
			return d
		}
	}
	return n
}

// divisorBig is divisor for numbers of any size, given as a big integer.
func (e *vector) divisorBig(n *big.Int, r *residue8) *big.Int {
	product := big.NewInt(1)
	var lanes [8]*big.Int
	for i := range lanes {
		lanes[i] = e.bigAt(r, i)
		product.Mod(product.Mul(product, lanes[i]), n)
	}
	d := new(big.Int).GCD(nil, nil, product, n)
	if d.Cmp(n) != 0 {
		return d
	}
	for _, v := range lanes {
		if d.GCD(nil, nil, v, n); d.Cmp(n) != 0 && d.Cmp(arith.One) != 0 {
			return d
		}
	}
	return n
}
