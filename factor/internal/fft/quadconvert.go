package fft

import (
	"math"
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// quads are transforms modulo four primes at a time. They are not safe for concurrent use.
type quads struct {
	m       *arith.MontN
	k       int // words of a coefficient
	groups  []*quadGroup
	product *big.Int // of all primes
	images  [places]image[quad]

	halves int                  // of 32 bits that a coefficient has before the transform, even
	powers [][]uint64           // 2^32i modulo the primes, by group: for each i four low parts, four high ones
	scales [rootBits + 1][]quad // see scale
	rows   []uint64             // what the digit of each prime counts, in limbs of 28 bits, and the product of all primes
	width  int                  // limbs of a row
	y      []uint64             // digits of some coefficients, a row's worth for each
	share  [digitsAtOnce]quad   // sums of digits over their primes
	lo, hi []uint64             // sums of products of the low and the high parts of digits
	high   []uint64             // hi, with a zero below it
	words  []uint64             // a coefficient before its reduction
	neg    uint64               // -1/n modulo 2^64
}

// digitsAtOnce is how many coefficients are brought together at a time.
const digitsAtOnce = 32

func newQuads(m *arith.MontN, length int) *quads {
	size := m.Mod.BitLen()
	need := mostTerms(m.Mod, length)
	groups, product := quadGroupsFor(need.Lsh(need, 1)) // see digits
	q := &quads{m: m, k: len(m.N), groups: groups, product: product, halves: (size + 63) / 64 * 2, neg: -arith.Inverse2(m.N[0])}
	for _, g := range groups {
		q.powers = append(q.powers, g.powersOf(q.halves))
	}
	// Products of residues have R twice, and reduce divides by 2^64.
	factor := new(big.Int).Lsh(big.NewInt(1), uint(64*q.k))
	factor.ModInverse(factor, m.Mod)
	factor.Lsh(factor, 64)
	q.setRows(factor, (size+splitBits-1)/splitBits)
	q.words = make([]uint64, max(q.k+1, q.width*splitBits/64+2))
	return q
}

// powersOf returns the powers of 2^32, see quads.powers.
func (g *quadGroup) powersOf(count int) []uint64 {
	powers := make([]uint64, 2*quadLanes*count)
	for i, p := range g.primes {
		c := uint64(1)
		for j := range count {
			powers[2*quadLanes*j+i], powers[2*quadLanes*j+quadLanes+i] = c&powerMask, c>>powerBits
			c = mulMod(c, 1<<32, p)
		}
	}
	return powers
}

// setRows has the digit of each prime p count (product/p) factor modulo n, and a last one
// the product of all, negative.
func (q *quads) setRows(factor *big.Int, limbs int) {
	const block = 2 * quadLanes               // limbs that the assembly takes at a time
	q.width = (limbs + block) / block * block // with room for the high part of the last one
	count := quadLanes*len(q.groups) + 1
	q.rows = make([]uint64, count*q.width)
	row := func(i int, v *big.Int) {
		v.Mul(v, factor).Mod(v, q.m.Mod)
		limb, m := new(big.Int), big.NewInt(splitMask)
		for j := range limbs {
			q.rows[i*q.width+j] = limb.And(v, m).Uint64()
			v.Rsh(v, splitBits)
		}
	}
	for g, gr := range q.groups {
		for i, p := range gr.primes {
			row(g*quadLanes+i, new(big.Int).Quo(q.product, new(big.Int).SetUint64(p)))
		}
	}
	row(count-1, new(big.Int).Neg(q.product))
	q.y = make([]uint64, count*digitsAtOnce)
	q.lo, q.high = make([]uint64, q.width), make([]uint64, q.width+1)
	q.hi = q.high[1:]
}

// scale returns for each group what digits multiplies residues with after transforms of
// length 2^size, and that over p: it undoes the factor of invert, and divides by product/p.
func (q *quads) scale(size int) []quad {
	if s := q.scales[size]; s != nil {
		return s
	}
	s := make([]quad, 2*len(q.groups))
	quo, rem := new(big.Int), new(big.Int)
	for g, gr := range q.groups {
		for i, p := range gr.primes {
			quo.Quo(q.product, new(big.Int).SetUint64(p))
			c := rem.Rem(quo, new(big.Int).SetUint64(p)).Uint64()
			c = powMod(mulMod(c, 1<<size, p), p-2, p)
			s[2*g][i], s[2*g+1][i] = balanced(c, p)
		}
	}
	q.scales[size] = s
	return s
}

// room returns place number i with transforms of that length.
func (q *quads) room(i, length int) *image[quad] { return q.images[i].room(len(q.groups), length) }

func (q *quads) transform(i int, coefs []uint64, length int) {
	im := q.room(i, length)
	count := len(coefs) / q.k
	for g, gr := range q.groups {
		a := im.a[g]
		gr.spread(a[:count], coefs, q.k, q.powers[g])
		roots, _ := gr.tables(max(1, length/2))
		if length >= leastGrown && 2*count <= length {
			clear(a[count : length/2])
			gr.grow(a, roots)
			continue
		}
		clear(a[count:])
		gr.transform(a, roots)
	}
}

// spread sets each of a to the value of a coefficient of k words modulo the primes, below
// 1.01 p in absolute value.
func (g *quadGroup) spread(a []quad, coefs []uint64, k int, powers []uint64) {
	if cpu.AVX2 {
		quadSpread(&a[0], &coefs[0], len(a), k, len(powers)/(2*quadLanes), &powers[0], g)
		return
	}
	g.spreadGo(a, coefs, k, powers)
}

//go:norace
func (g *quadGroup) spreadGo(a []quad, coefs []uint64, k int, powers []uint64) {
	for j := range a {
		for i, p := range g.p {
			var low, high uint64 // low + 2^26 high
			for l := range len(powers) / (2 * quadLanes) {
				half := coefs[j*k+l/2] >> (32 * (l % 2)) & (1<<32 - 1)
				low += half * powers[2*quadLanes*l+i]
				high += half * powers[2*quadLanes*l+quadLanes+i]
			}
			high += low >> powerBits
			middle := float64(high&(1<<32-1)) * (1 << powerBits)
			a[j][i] = times(float64(high>>32), g.high[i], g.highOver[i], p) + lessen(middle, p, g.over[i]) + float64(low&powerMask)
		}
	}
}

func (q *quads) multiply(z, x int) {
	for g, gr := range q.groups {
		a := q.images[z].a[g]
		gr.multiply(a, a, q.images[x].a[g])
	}
}

func (q *quads) back(dst []uint64, i, from int) {
	im := &q.images[i]
	length := len(im.a[0])
	for g, gr := range q.groups {
		_, roots := gr.tables(max(1, length/2))
		gr.invert(im.a[g], roots)
	}
	scale := q.scale(bits.TrailingZeros(uint(length)))
	rows := quadLanes*len(q.groups) + 1
	for ; len(dst) > 0; from += digitsAtOnce {
		count := min(digitsAtOnce, len(dst)/q.k)
		clear(q.share[:count])
		for g, gr := range q.groups {
			gr.digits(q.y[g*quadLanes:], im.a[g][from:from+count], rows, scale[2*g:][:2], q.share[:count])
		}
		for j := range count {
			y := q.y[j*rows:][:rows]
			s := &q.share[j]
			y[rows-1] = uint64((s[0] + s[1]) + (s[2] + s[3]) + 0.25)
			q.gather(y)
			q.reduce(dst[j*q.k:][:q.k])
		}
		dst = dst[count*q.k:]
	}
}

// digits sets y, where those of one coefficient are stride behind those of the one before, to
// the digits of the coefficients a, which are the residues times scale. A digit is kept with its
// high part in the upper half of a word. Each adds itself over p
// to share: what is whole of that is how many times the product of all primes the digits are
// too much. The rest is below a half, so that rounding errors do no harm.
func (g *quadGroup) digits(y []uint64, a []quad, stride int, scale, share []quad) {
	if cpu.AVX2 {
		quadDigits(&y[0], &a[0], len(a), stride, &scale[0], &share[0], g)
		return
	}
	g.digitsGo(y, a, stride, scale, share)
}

//go:norace
func (g *quadGroup) digitsGo(y []uint64, a []quad, stride int, scale, share []quad) {
	for j := range a {
		for i, p := range g.p {
			v := times(a[j][i], scale[0][i], scale[1][i], p)
			if v < 0 {
				v += p
			}
			share[j][i] = math.FMA(v, g.over[i], share[j][i])
			d := uint64(v)
			y[j*stride+i] = d&splitMask | d>>splitBits<<32
		}
	}
}

// gather sets lo and hi to the sums of the products of the parts of the digits y and the
// limbs of their rows.
func (q *quads) gather(y []uint64) {
	if cpu.AVX2 {
		quadGather(&q.lo[0], &q.hi[0], &y[0], len(y), &q.rows[0], q.width)
		return
	}
	q.gatherGo(y)
}

//go:norace
func (q *quads) gatherGo(y []uint64) {
	clear(q.lo)
	clear(q.hi)
	for i, d := range y {
		low, high := d&(1<<32-1), d>>32
		for j, limb := range q.rows[i*q.width:][:q.width] {
			q.lo[j] += low * limb
			q.hi[j] += high * limb
		}
	}
}

// reduce sets z to what gather has left, modulo n: a step of Montgomery's reduction makes it less
// than n (1 + 2^-7), as it is below 2^57 n.
func (q *quads) reduce(z []uint64) {
	if cpu.AVX2 && q.k > 1 {
		quadReduce(&z[0], &q.words[0], &q.lo[0], &q.high[0], q.width, &q.m.N[0], q.k, q.neg)
		return
	}
	q.reduceGo(z)
}

//go:norace
func (q *quads) reduceGo(z []uint64) {
	k := q.k
	t := q.words
	clear(t)
	var carry, acc uint64
	have, w := uint(0), 0
	for j, low := range q.lo {
		v := low + q.high[j] + carry // below 2^63
		v, carry = v&splitMask, v>>splitBits
		acc |= v << have
		if have += splitBits; have >= 64 {
			have -= 64
			t[w] = acc
			w++
			acc = v >> (splitBits - have)
		}
	}
	t[w], t[w+1] = acc|carry<<have, carry>>(64-have) // what is left is a limb or two more
	n := q.m.N
	f := t[0] * q.neg
	hi, lo := bits.Mul64(f, n[0])
	_, c := bits.Add64(lo, t[0], 0)
	hi += c
	for i := 1; i < k; i++ {
		h, l := bits.Mul64(f, n[i])
		l, c = bits.Add64(l, hi, 0)
		hi = h + c
		t[i-1], c = bits.Add64(t[i], l, 0)
		hi += c
	}
	t[k-1], c = bits.Add64(t[k], hi, 0)
	t[k] = c
	var borrow uint64
	for i, v := range n {
		z[i], borrow = bits.Sub64(t[i], v, borrow)
	}
	if t[k] < borrow {
		copy(z, t[:k])
	}
}
