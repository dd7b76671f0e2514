package fft

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
)

// eights are transforms modulo eight primes at a time. They are not safe for concurrent use.
type eights struct {
	*basis
	m      *arith.MontN
	k      int      // words of a coefficient
	n      []uint64 // in limbs
	neg    uint64   // -1/n modulo 2^52
	excess []uint64 // what the product of all primes counts, in limbs
	t      []uint64 // limbs, scratch
	term   []uint64 // one coefficient, scratch
	images [places]image[vec]
}

// image is a polynomial's transform, by group of primes.
type image[V any] struct {
	all [][]V // the room
	a   [][]V // what is in use
}

// room makes a transform of that length, of any values, for so many groups.
func (im *image[V]) room(groups, length int) *image[V] {
	if len(im.all) == 0 || len(im.all[0]) < length {
		im.all = make([][]V, groups)
		for g := range im.all {
			im.all[g] = make([]V, length)
		}
	}
	im.a = im.a[:0]
	for _, a := range im.all {
		im.a = append(im.a, a[:length])
	}
	return im
}

func newEights(m *arith.MontN, length int) *eights {
	size := m.Mod.BitLen()
	limbs := (size + limbBits - 1) / limbBits
	r := &eights{basis: newBasis(limbs, 2*size+bits.Len(uint(length))), m: m, k: len(m.N)}
	// Products of residues have R twice, and reduce divides by 2^104.
	factor := new(big.Int).Lsh(big.NewInt(1), uint(64*r.k))
	factor.ModInverse(factor, m.Mod)
	factor.Lsh(factor, 2*limbBits)
	r.setRows(factor, m.Mod, limbs)
	excess := new(big.Int).Mul(r.product, factor)
	r.excess = limbsOf(excess.Mod(excess.Neg(excess), m.Mod), limbs)
	r.n = limbsOf(m.Mod, limbs)
	r.neg = -arith.Inverse2(m.N[0]) & mask
	r.t = make([]uint64, limbs+3)
	r.term = make([]uint64, r.k)
	return r
}

// room returns place number i with transforms of that length.
func (r *eights) room(i, length int) *image[vec] { return r.images[i].room(len(r.groups), length) }

func (r *eights) transform(i int, coefs []uint64, length int) {
	im := r.room(i, length)
	r.spreadAll(im.a, coefs, r.k)
	for g, gr := range r.groups {
		roots, _ := gr.tables(max(1, length/2))
		gr.transform(im.a[g], roots)
	}
}

func (r *eights) multiply(z, x int) {
	for g, gr := range r.groups {
		a := r.images[z].a[g]
		gr.multiply(a, a, r.images[x].a[g])
	}
}

func (r *eights) back(dst []uint64, i, from int) {
	im := &r.images[i]
	length := len(im.a[0])
	for g, gr := range r.groups {
		_, roots := gr.tables(max(1, length/2))
		gr.invert(im.a[g], roots)
	}
	scale := r.scale(bits.TrailingZeros(uint(length)))
	for j := range len(dst) / r.k {
		r.reduce(dst[j*r.k:][:r.k], r.whole(im.a, from+j, scale))
	}
}

// reduce sets z to what whole has left, modulo n: two steps of Montgomery's reduction by a
// limb make it less than n (1 + 2^-40).
//
//go:norace
func (r *eights) reduce(z []uint64, times uint64) {
	L := len(r.n)
	t := r.t[:L+3]
	carry := uint64(0)
	for i := range L {
		t[i] = r.lo[i/lanes][i%lanes] + carry + times*r.excess[i]
		carry = r.hi[i/lanes][i%lanes]
	}
	t[L], t[L+1], t[L+2] = carry, 0, 0
	for range 2 {
		q := t[0] * r.neg & mask
		hi, lo := bits.Mul64(q, r.n[0]<<(64-limbBits))
		above := (t[0]+lo>>(64-limbBits))>>limbBits + hi
		for i := 1; i < L; i++ {
			hi, lo = bits.Mul64(q, r.n[i]<<(64-limbBits))
			t[i-1] = t[i] + lo>>(64-limbBits) + above
			above = hi
		}
		t[L-1], t[L], t[L+1] = t[L]+above, t[L+1], 0
	}
	carry = 0
	for i := range L + 1 {
		v := t[i] + carry
		t[i], carry = v&mask, v>>limbBits
	}
	pack(z, t[:L+1])
	// What pack had no room for, if n fills its words: the value can be n and a little more.
	over := uint64(0)
	for i, at := 64*r.k/limbBits, 64*r.k; i <= L; i++ {
		over |= t[i] >> uint(max(0, at-i*limbBits))
	}
	s := r.term
	var borrow uint64
	for i, n := range r.m.N {
		s[i], borrow = bits.Sub64(z[i], n, borrow)
	}
	if over >= borrow {
		copy(z, s)
	}
}
