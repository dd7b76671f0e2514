package fft

import (
	"math/big"
	"math/bits"
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// An integer is a polynomial in 2^192: the coefficients of a product of two have at most 384 bits and
// 18 more, which eight primes are enough for.
const (
	pieceWords = 3
	pieceLimbs = (64*pieceWords + limbBits - 1) / limbBits
	wholeLimbs = 8
	wholeWords = 7
)

// leastWords is the length of the shorter factor from which on a product by transforms with
// IFMA is faster than that of math/big, measured with BenchmarkMul. Without IFMA it is slower
// at all lengths that occur.
const leastWords = 500

// multiplier is the room for a product.
type multiplier struct {
	*basis
	primes []uint64 // their product, in limbs
	x, y   [][]vec
	t      [wholeLimbs]uint64
	w      [wholeWords]uint64
}

var multipliers = sync.Pool{New: func() any {
	m := &multiplier{basis: newBasis(pieceLimbs, 2*64*pieceWords+rootBits)}
	m.setRows(big.NewInt(1), nil, wholeLimbs)
	m.primes = limbsOf(m.product, wholeLimbs)
	m.x, m.y = make([][]vec, 1), make([][]vec, 1)
	return m
}}

// Mul returns x y. It is [big.Int.Mul] where that is faster.
func Mul(x, y *big.Int) *big.Int {
	nx, ny := (x.BitLen()+63)/64, (y.BitLen()+63)/64
	if !cpu.IFMA || min(nx, ny) < leastWords || (nx+ny)/pieceWords+2 > MaxLength {
		return new(big.Int).Mul(x, y)
	}
	return multiplyIntegers(x, y)
}

// multiplyIntegers is Mul by transforms, for numbers that are not zero and not too long.
func multiplyIntegers(x, y *big.Int) *big.Int {
	m := multipliers.Get().(*multiplier)
	defer multipliers.Put(m)
	a, b := pieces(x), pieces(y)
	count := (len(a)+len(b))/pieceWords - 1
	length := 1
	for length < count {
		length *= 2
	}
	g := m.groups[0]
	forward, revert := g.tables(max(1, length/2))
	for _, side := range [...]struct {
		room  [][]vec
		words []uint64
	}{{m.x, a}, {m.y, b}} {
		if cap(side.room[0]) < length {
			side.room[0] = make([]vec, length)
		}
		side.room[0] = side.room[0][:length]
		m.spreadAll(side.room, side.words, pieceWords)
		g.transform(side.room[0], forward)
	}
	g.multiply(m.x[0], m.x[0], m.y[0])
	g.invert(m.x[0], revert)
	words := make([]uint64, len(a)+len(b)+wholeWords)
	scale := m.scale(bits.TrailingZeros(uint(length)))
	for i := range count {
		m.add(words[i*pieceWords:], m.whole(m.x, i, scale))
	}
	product := arith.BigOf(words)
	if x.Sign()*y.Sign() < 0 {
		product.Neg(product)
	}
	return product
}

// pieces returns the words of the absolute value of v, filled up to whole pieces.
func pieces(v *big.Int) []uint64 {
	words := (v.BitLen() + 63) / 64
	w := make([]uint64, (words+pieceWords-1)/pieceWords*pieceWords)
	arith.PutWords(w, v)
	return w
}

// add adds what whole has left to words.
//
//go:norace
func (m *multiplier) add(words []uint64, times uint64) {
	carry, above := int64(0), uint64(0)
	for i := range m.t {
		v := int64(m.lo[0][i]+above) - int64(times*m.primes[i]) + carry
		above = m.hi[0][i]
		m.t[i], carry = uint64(v)&mask, v>>limbBits
	}
	pack(m.w[:], m.t[:])
	var c uint64
	for i, v := range m.w {
		words[i], c = bits.Add64(words[i], v, c)
	}
	for i := len(m.w); c > 0; i++ {
		words[i], c = bits.Add64(words[i], 0, c)
	}
}
