package gf2

import "math/bits"

// matrix64 is a 64 x 64 matrix modulo 2, a word a row; bit j is column j. Vectors of
// words are matrices of 64 columns.
type matrix64 [64]uint64

// mul returns m*n.
func (m *matrix64) mul(n *matrix64) (p matrix64) {
	for i, row := range m {
		for ; row != 0; row &= row - 1 {
			p[i] ^= n[bits.TrailingZeros64(row)]
		}
	}
	return p
}

// plus returns m + n.
func (m *matrix64) plus(n *matrix64) (p matrix64) {
	for i := range p {
		p[i] = m[i] ^ n[i]
	}
	return p
}

// masked returns m with the columns in mask, the others zero.
func (m *matrix64) masked(mask uint64) (p matrix64) {
	for i := range p {
		p[i] = m[i] & mask
	}
	return p
}

// identity returns the identity.
func identity() (p matrix64) {
	for i := range p {
		p[i] = 1 << i
	}
	return p
}

// byteSums are the sums of the rows of a 64 x 64 matrix by the bytes of a word.
type byteSums [8][256]uint64

// of fills s for m.
func (s *byteSums) of(m *matrix64) {
	for b := range s {
		s[b][0] = 0
		for i := 1; i < 256; i++ {
			s[b][i] = s[b][i&(i-1)] ^ m[8*b+bits.TrailingZeros(uint(i))]
		}
	}
}

// addProduct adds v*m to dst.
func (s *byteSums) addProduct(dst, v []uint64, m *matrix64) {
	s.of(m)
	dst = dst[:len(v)]
	for i, w := range v {
		dst[i] ^= s[0][w&255] ^ s[1][w>>8&255] ^ s[2][w>>16&255] ^ s[3][w>>24&255] ^
			s[4][w>>32&255] ^ s[5][w>>40&255] ^ s[6][w>>48&255] ^ s[7][w>>56]
	}
}

// product sets dst to v*m; they may be the same.
func (s *byteSums) product(dst, v []uint64, m *matrix64) {
	s.of(m)
	dst = dst[:len(v)]
	for i, w := range v {
		dst[i] = s[0][w&255] ^ s[1][w>>8&255] ^ s[2][w>>16&255] ^ s[3][w>>24&255] ^
			s[4][w>>32&255] ^ s[5][w>>40&255] ^ s[6][w>>48&255] ^ s[7][w>>56]
	}
}

// inner returns v'w, v' the transpose of v.
func (s *byteSums) inner(v, w []uint64) (p matrix64) {
	*s = byteSums{}
	w = w[:len(v)]
	for i, x := range v {
		y := w[i]
		s[0][x&255] ^= y
		s[1][x>>8&255] ^= y
		s[2][x>>16&255] ^= y
		s[3][x>>24&255] ^= y
		s[4][x>>32&255] ^= y
		s[5][x>>40&255] ^= y
		s[6][x>>48&255] ^= y
		s[7][x>>56] ^= y
	}
	for i := range p {
		b, bit := i/8, 1<<(i%8)
		for j, y := range s[b] {
			if j&bit != 0 {
				p[i] ^= y
			}
		}
	}
	return p
}
