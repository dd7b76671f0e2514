package arith

import "math/bits"

// Product384 returns t*u.
func Product384(t, u Uint192) (z [6]uint64) {
	for i, m := range u {
		p, top := t.Mul(m)
		var c uint64
		z[i], c = bits.Add64(z[i], p[0], 0)
		z[i+1], c = bits.Add64(z[i+1], p[1], c)
		z[i+2], c = bits.Add64(z[i+2], p[2], c)
		z[i+3] = top + c
	}
	return z
}

// Distance384 returns |x - y| and whether x < y.
func Distance384(x, y [6]uint64) (z [6]uint64, less bool) {
	var b uint64
	for i := range z {
		z[i], b = bits.Sub64(x[i], y[i], b)
	}
	if b == 0 {
		return z, false
	}
	b = 0
	for i := range z {
		z[i], b = bits.Sub64(0, z[i], b)
	}
	return z, true
}

// OddPart384 returns z > 0 without its power of 2, and the exponent of that.
func OddPart384(z [6]uint64) ([6]uint64, int) {
	e := 0
	for z[0] == 0 {
		copy(z[:], z[1:])
		z[5] = 0
		e += 64
	}
	s := uint(bits.TrailingZeros64(z[0]))
	if s > 0 {
		for i := range z[:5] {
			z[i] = z[i]>>s | z[i+1]<<(64-s)
		}
		z[5] >>= s
	}
	return z, e + int(s)
}
