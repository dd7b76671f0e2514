package arith

import (
	"math/big"
	"math/bits"
	"slices"

	"fairfactor/factor/internal/cpu"
)

// MontN is arithmetic modulo an odd n of k words in Montgomery form, R =
// 2^(64k). Residues are slices of k words, least significant first, below n. They
// belong to one runner: the race detector is kept out of the loops, which it makes
// twenty times slower.
//
// From 129 to 1,084 bits the products are in assembly where the processor has ADX and
// BMI2. Then k leaves at least four bits to spare, so that 16n < R; see points.go.
type MontN struct {
	N     []uint64
	neg   uint64 // -n^-1 modulo 2^64
	One   []uint64
	R2    []uint64 // R^2 mod n
	t     []uint64 // scratch of mul, k words
	space []uint64 // scratch of points
	Mod   *big.Int
	words *montWords // of the assembly
	fast  *kernel    // nil without
}

// spareBits is how many bits R has more than n where there is assembly.
const spareBits = 4

// NewMontN prepares arithmetic modulo n, odd and at least 3.
func NewMontN(n *big.Int) *MontN {
	k, fast := wordsFor(n.BitLen())
	m := &MontN{N: make([]uint64, k), t: make([]uint64, k), Mod: n, fast: fast}
	PutWords(m.N, n)
	m.neg = -Inverse2(m.N[0])
	if fast != nil {
		m.words = &montWords{neg: m.neg}
		copy(m.words.n[:], m.N)
		PutWords(m.words.twice[:], new(big.Int).Lsh(n, 1))
	}
	R := new(big.Int).Lsh(big.NewInt(1), uint(64*k))
	R.Mod(R, n)
	m.One = make([]uint64, k)
	PutWords(m.One, R)
	R.Mod(R.Mul(R, R), n)
	m.R2 = make([]uint64, k)
	PutWords(m.R2, R)
	return m
}

// wordsFor returns how many words residues modulo a number of that many bits have, and
// the assembly for them.
func wordsFor(size int) (k int, fast *kernel) {
	k = (size + 63) / 64
	if spare := (size + spareBits + 63) / 64; cpu.ADX && k >= leastWords && spare <= mostWords {
		return spare, &kernels[spare-leastWords]
	}
	return k, nil
}

// Assembly reports whether products modulo numbers of that many bits are in assembly.
func Assembly(size int) bool {
	_, fast := wordsFor(size)
	return fast != nil
}

// PutWords writes v, which fits, to dst.
func PutWords(dst []uint64, v *big.Int) {
	clear(dst)
	const per = 64 / bits.UintSize
	for i, w := range v.Bits() {
		dst[i/per] |= uint64(w) << (uint(i%per) * bits.UintSize % 64)
	}
}

// BigOf returns the value of the words w.
func BigOf(w []uint64) *big.Int {
	b := make([]byte, 0, 8*len(w))
	for i := len(w) - 1; i >= 0; i-- {
		b = append(b, byte(w[i]>>56), byte(w[i]>>48), byte(w[i]>>40), byte(w[i]>>32),
			byte(w[i]>>24), byte(w[i]>>16), byte(w[i]>>8), byte(w[i]))
	}
	return new(big.Int).SetBytes(b)
}

// To sets z to the Montgomery form of v, 0 <= v < n.
func (m *MontN) To(z []uint64, v *big.Int) {
	PutWords(z, v)
	m.Mul(z, z, m.R2)
}

// From returns the value of the residue x.
func (m *MontN) From(x []uint64) *big.Int {
	unit := make([]uint64, len(m.N))
	unit[0] = 1
	m.Mul(unit, x, unit)
	return BigOf(unit)
}

// Mul sets z to x*y/R mod n; z may be x or y.
func (m *MontN) Mul(z, x, y []uint64) {
	if m.fast == nil {
		m.mulGo(z, x, y)
		return
	}
	m.fast.mul(&z[0], &x[0], &y[0], m.words)
	m.fast.reduce(&z[0], m.words)
}

// Square sets z, which may be x, to x*x/R mod n.
func (m *MontN) Square(z, x []uint64) {
	if m.fast == nil || m.fast.square == nil {
		m.Mul(z, x, x)
		return
	}
	m.fast.square(&z[0], &x[0], m.words)
	m.fast.reduce(&z[0], m.words)
}

// powerBits is how many bits of an exponent Power takes at once.
const powerBits = 5

// Power sets z to x^e for e >= 0, with sliding windows; z is not x.
func (m *MontN) Power(z, x []uint64, e *big.Int) {
	k := len(m.N)
	odd := make([]uint64, k<<(powerBits-1)) // x, x^3, x^5, ...
	copy(odd, x)
	square := make([]uint64, k)
	m.Square(square, x)
	for i := k; i < len(odd); i += k {
		m.Mul(odd[i:i+k], odd[i-k:i], square)
	}
	copy(z, m.One)
	for i := e.BitLen() - 1; i >= 0; {
		if e.Bit(i) == 0 {
			m.Square(z, z)
			i--
			continue
		}
		low := max(i-powerBits+1, 0)
		for e.Bit(low) == 0 {
			low++
		}
		v := 0
		for ; i >= low; i-- {
			v = v<<1 | int(e.Bit(i))
			m.Square(z, z)
		}
		m.Mul(z, z, odd[v/2*k:][:k])
	}
}

// mulGo is Mul without assembly. The rows of the product and of the reduction are
// walked together (Koc, Acar, Kaliski, IEEE Micro 16 (1996), FIOS).
//
//go:norace
func (m *MontN) mulGo(z, x, y []uint64) {
	k := len(m.N)
	n, t := m.N[:k], m.t[:k]
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
func (m *MontN) reduce(z, t []uint64, top uint64) {
	n := m.N
	t, z = t[:len(n)], z[:len(n)]
	var b uint64
	for i, v := range n {
		z[i], b = bits.Sub64(t[i], v, b)
	}
	if top < b {
		copy(z, t)
	}
}

// Add sets z to x + y mod n.
func (m *MontN) Add(z, x, y []uint64) {
	if m.fast == nil {
		m.addGo(z, x, y)
		return
	}
	m.fast.add(&z[0], &x[0], &y[0])
	m.fast.reduce(&z[0], m.words)
}

// addGo is Add without assembly.
//
//go:norace
func (m *MontN) addGo(z, x, y []uint64) {
	t := m.t
	x, y = x[:len(t)], y[:len(t)]
	var c uint64
	for i := range t {
		t[i], c = bits.Add64(x[i], y[i], c)
	}
	m.reduce(z, t, c)
}

// Sub sets z to x - y mod n.
//
//go:norace
func (m *MontN) Sub(z, x, y []uint64) {
	n := m.N
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

// Product returns the product of the list, in Montgomery form.
func (m *MontN) Product(list []Uint128) []uint64 {
	p, f := slices.Clone(m.One), make([]uint64, len(m.N))
	for _, v := range list {
		clear(f)
		f[0], f[1] = v.Lo, v.Hi
		m.Mul(f, f, m.R2)
		m.Mul(p, p, f)
	}
	return p
}

// IsZero reports whether the residue x, below the modulus, is zero.
func IsZero(x []uint64) bool {
	var all uint64
	for _, w := range x {
		all |= w
	}
	return all == 0
}
