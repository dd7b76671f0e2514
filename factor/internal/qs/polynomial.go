package qs

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"fairfactor/factor/internal/arith"
)

// polynomials are the current a and b, and the roots of the polynomial modulo
// the primes of the factor base.
type polynomials struct {
	a, wantA float64 // of the current polynomial, and the best
	aInt     uint64
	b        int64         // |b| < a * primes in a
	c        arith.Uint128 // (kn - b^2) / a; Q(x) = a x^2 + 2 b x - c
	factors  int           // how many primes a has
	chosen   []int         // indices of the primes in a, ascending
	used     map[[maxFactor]uint16]bool
	from, to int    // a is made of base[from:to]
	draws    uint64 // numbers drawn to choose a

	parts [maxFactor]int64    // B_j: b is their sum with signs
	minus [maxFactor]bool     // whose sign is minus
	step  [maxFactor][]uint16 // 2 B_j / a modulo each prime
}

// minFactor and maxFactor bound the number of primes in a.
const minFactor, maxFactor = 3, 8

// startPolynomials chooses how many primes a has and their range. The best a is
// sqrt(2 kn) / M, for which Q stays smallest over the sieve; its primes must be
// well inside the factor base, or there are too few products of that size: three
// primes above the middle of it, as fixed tables by size once asked for, left half
// of the 80-bit numbers without polynomials.
func (q *Sieve) startPolynomials() {
	q.wantA = math.Sqrt(2*q.knFloat()) / float64(q.parameters.length/2)
	largest := float64(q.base[len(q.base)-1].p)
	ideal := 0.0
	for q.factors = minFactor; ; q.factors++ {
		ideal = math.Pow(q.wantA, 1/float64(q.factors))
		if ideal <= largest/2 || q.factors == maxFactor {
			break
		}
	}
	at := q.atLeast(ideal)
	width := 8 + len(q.base)/12
	q.from = max(q.first, min(at-width, len(q.base)-2*width))
	q.to = min(q.from+2*width, len(q.base))
	q.draws = 0
	if q.used == nil {
		q.used = make(map[[maxFactor]uint16]bool)
	}
	clear(q.used)
	for j := range q.factors {
		q.step[j] = arith.Resize(q.step[j], len(q.roots.p))
		clear(q.step[j])
	}
}

// atLeast returns the index of the first prime of the base that is p or more.
func (q *Sieve) atLeast(p float64) int {
	i, _ := slices.BinarySearchFunc(q.base, p, func(b basePrime, p float64) int { return cmp.Compare(float64(b.p), p) })
	return i
}

// maxDraws is how many products nextA looks at; a new one of about the right
// size is among the first few.
const maxDraws = 2000

// nextA chooses a new a and sets up its first polynomial: all primes but one by
// random, the last one to fit. It returns false if it finds none that was not used
// before.
func (q *Sieve) nextA() bool {
	for try := range maxDraws {
		q.chosen = q.chosen[:0]
		q.a = 1
		for draw := 0; len(q.chosen) < q.factors-1 && draw < maxDraws; draw++ {
			q.choose(q.from + q.draw(q.to-q.from))
		}
		last := q.atLeast(q.wantA / q.a)
		if try > maxDraws/4 {
			last = q.first + q.draw(len(q.base)-q.first) // the good ones are used up
		}
		if last < q.first || last >= len(q.base) || !q.choose(last) || len(q.chosen) < q.factors {
			continue
		}
		slices.Sort(q.chosen)
		var key [maxFactor]uint16
		for j, i := range q.chosen {
			key[j] = uint16(i)
		}
		if !q.used[key] {
			q.used[key] = true
			q.firstB()
			return true
		}
	}
	return false
}

// draw returns a random number below n.
func (q *Sieve) draw(n int) int {
	q.draws++
	return int(arith.Mix(arith.Seed, q.draws) % uint64(n))
}

// choose takes prime i of the base into a, unless it divides k or is in a.
func (q *Sieve) choose(i int) bool {
	if q.base[i].root == 0 || slices.Contains(q.chosen, i) {
		return false
	}
	q.chosen = append(q.chosen, i)
	q.a *= float64(q.base[i].p)
	return true
}

// firstB sets up the polynomial with all signs plus.
//
//go:norace
func (q *Sieve) firstB() {
	q.aInt = 1
	for _, i := range q.chosen {
		q.aInt *= uint64(q.base[i].p)
	}
	q.b = 0
	for j, i := range q.chosen {
		p := q.base[i].p
		rest := q.aInt / uint64(p)
		g := arith.InverseMod(uint32(rest%uint64(p)), p) * q.base[i].root % p
		g = min(g, p-g)
		q.parts[j] = int64(rest * uint64(g))
		q.b += q.parts[j]
		q.minus[j] = false
	}
	half := uint32(q.parameters.length / 2)
	for i := 1; i < len(q.base); i++ {
		e := &q.base[i].exact
		p, root := q.base[i].p, q.base[i].root
		a := e.Mod(q.aInt)
		if a == 0 {
			for j := range q.chosen {
				q.step[j][i] = 0
			}
			continue
		}
		inv := arith.InverseMod(a, p)
		for j := range q.chosen {
			q.step[j][i] = uint16(e.Mod(uint64(2*e.Mod(uint64(q.parts[j]))) * uint64(inv)))
		}
		b := e.Mod(uint64(q.b))
		q.roots.r1[i] = uint16(e.Mod(uint64((root+p-b)*inv + half)))
		q.roots.r2[i] = uint16(e.Mod(uint64((2*p-root-b)*inv + half)))
	}
	q.setC()
}

// nextB goes to polynomial i of this a, i = 1, 2, ... 2^(s-1) - 1 in the order
// of the Gray code, which changes one sign.
func (q *Sieve) nextB(i int) {
	v := bits.TrailingZeros(uint(i))
	if q.minus[v] {
		q.b += 2 * q.parts[v]
		q.roots.stepBack(q.step[v])
	} else {
		q.b -= 2 * q.parts[v]
		q.roots.step(q.step[v])
	}
	q.minus[v] = !q.minus[v]
	q.setC()
}

// setC computes c of the current a and b and takes the primes of a out of the
// sieve: modulo them Q is linear.
func (q *Sieve) setC() {
	for _, i := range q.chosen {
		q.roots.r1[i], q.roots.r2[i] = uint16(q.parameters.length), uint16(q.parameters.length)
	}
	b := uint64(max(q.b, -q.b))
	hi, lo := bits.Mul64(b, b)
	w0, borrow := bits.Sub64(q.kn[0], lo, 0)
	w1, borrow := bits.Sub64(q.kn[1], hi, borrow)
	w2 := q.kn[2] - borrow
	r := w2 % q.aInt // c has two words: a is far above kn / 2^128
	q.c.Hi, r = bits.Div64(r, w1, q.aInt)
	q.c.Lo, _ = bits.Div64(r, w0, q.aInt)
}

// at returns |a x + b| and the size and sign of Q(x).
func (q *Sieve) at(x int64) (root, value arith.Uint128, negative bool) {
	ax := arith.SignedMul(q.aInt, x)
	t, _ := ax.Add(arith.Signed(q.b))
	root = t.Abs()
	t, _ = t.Add(arith.Signed(q.b)) // a x + 2 b
	size, _ := t.Abs().MulAdd(uint64(max(x, -x)), 0)
	if t.Hi>>63 != uint64(x)>>63 {
		size, _ = arith.Uint128{}.Sub(size)
	}
	v, _ := size.Sub(q.c)
	return root, v.Abs(), v.Hi>>63 == 1
}
