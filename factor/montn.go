package factor

import (
	"math/big"
	"math/bits"
)

// montN is arithmetic modulo an odd n of k words in Montgomery form, R =
// 2^(64k). Residues are slices of k words, least significant first, below n. They
// belong to one runner: the race detector is kept out of the loops, which it makes
// twenty times slower.
type montN struct {
	n   []uint64
	neg uint64 // -n^-1 modulo 2^64
	one []uint64
	r2  []uint64 // R^2 mod n
	t   []uint64 // scratch of mul, k words
	mod *big.Int
}

// newMontN prepares arithmetic modulo n, odd and at least 3.
func newMontN(n *big.Int) *montN {
	k := (n.BitLen() + 63) / 64
	m := &montN{n: make([]uint64, k), t: make([]uint64, k), mod: n}
	words(m.n, n)
	m.neg = -inverse2(m.n[0])
	R := new(big.Int).Lsh(big.NewInt(1), uint(64*k))
	R.Mod(R, n)
	m.one = make([]uint64, k)
	words(m.one, R)
	R.Mod(R.Mul(R, R), n)
	m.r2 = make([]uint64, k)
	words(m.r2, R)
	return m
}

// words writes v, which fits, to dst.
func words(dst []uint64, v *big.Int) {
	clear(dst)
	const per = 64 / bits.UintSize
	for i, w := range v.Bits() {
		dst[i/per] |= uint64(w) << (uint(i%per) * bits.UintSize % 64)
	}
}

// bigOf returns the value of the words w.
func bigOf(w []uint64) *big.Int {
	b := make([]byte, 0, 8*len(w))
	for i := len(w) - 1; i >= 0; i-- {
		b = append(b, byte(w[i]>>56), byte(w[i]>>48), byte(w[i]>>40), byte(w[i]>>32),
			byte(w[i]>>24), byte(w[i]>>16), byte(w[i]>>8), byte(w[i]))
	}
	return new(big.Int).SetBytes(b)
}

// to sets z to the Montgomery form of v, 0 <= v < n.
func (m *montN) to(z []uint64, v *big.Int) {
	words(z, v)
	m.mul(z, z, m.r2)
}

// from returns the value of the residue x.
func (m *montN) from(x []uint64) *big.Int {
	unit := make([]uint64, len(m.n))
	unit[0] = 1
	m.mul(unit, x, unit)
	return bigOf(unit)
}

// mul sets z to x*y/R mod n. The rows of the product and of the reduction are
// walked together (Koc, Acar, Kaliski, IEEE Micro 16 (1996), FIOS); z may be x
// or y.
//
//go:norace
func (m *montN) mul(z, x, y []uint64) {
	k := len(m.n)
	n, t := m.n[:k], m.t[:k]
	x, y, z = x[:k], y[:k], z[:k]
	clear(t)
	var top uint64
	for _, yi := range y {
		h1, l1 := bits.Mul64(x[0], yi)
		l1, c := bits.Add64(l1, t[0], 0)
		h1 += c
		q := l1 * m.neg
		h2, l2 := bits.Mul64(q, n[0])
		_, c = bits.Add64(l1, l2, 0)
		h2 += c
		for j := 1; j < k; j++ {
			h, l := bits.Mul64(x[j], yi)
			l, c = bits.Add64(l, t[j], 0)
			h += c
			l, c = bits.Add64(l, h1, 0)
			h1 = h + c
			h, s := bits.Mul64(q, n[j])
			l, c = bits.Add64(l, s, 0)
			h += c
			l, c = bits.Add64(l, h2, 0)
			h2 = h + c
			t[j-1] = l
		}
		h1, c = bits.Add64(h1, h2, 0)
		h1, c2 := bits.Add64(h1, top, 0)
		t[k-1], top = h1, c+c2
	}
	m.reduce(z, t, top)
}

// reduce sets z to top*R + t, which is below 2n, modulo n.
//
//go:norace
func (m *montN) reduce(z, t []uint64, top uint64) {
	n := m.n
	t, z = t[:len(n)], z[:len(n)]
	var b uint64
	for i, v := range n {
		z[i], b = bits.Sub64(t[i], v, b)
	}
	if top < b {
		copy(z, t)
	}
}

// add sets z to x + y mod n.
//
//go:norace
func (m *montN) add(z, x, y []uint64) {
	t := m.t
	x, y = x[:len(t)], y[:len(t)]
	var c uint64
	for i := range t {
		t[i], c = bits.Add64(x[i], y[i], c)
	}
	m.reduce(z, t, c)
}

// sub sets z to x - y mod n.
//
//go:norace
func (m *montN) sub(z, x, y []uint64) {
	n := m.n
	x, y, z = x[:len(n)], y[:len(n)], z[:len(n)]
	var b uint64
	for i := range n {
		z[i], b = bits.Sub64(x[i], y[i], b)
	}
	if b == 0 {
		return
	}
	var c uint64
	for i, v := range n {
		z[i], c = bits.Add64(z[i], v, c)
	}
}
