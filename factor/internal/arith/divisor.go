package arith

import "math/bits"

// Divisor is an odd prime prepared for exact division: p divides m if and only
// if m*inv <= max (Granlund and Montgomery, PLDI 1994, section 9).
type Divisor struct {
	Inv, Max uint64
	P        uint64
}

// NewDivisor prepares the odd prime p.
func NewDivisor(p uint64) Divisor { return Divisor{Inverse2(p), ^uint64(0) / p, p} }

// Mod returns x modulo the prime: the estimate of the quotient is at most 2 too
// small.
func (d *Divisor) Mod(x uint64) uint32 {
	q, _ := bits.Mul64(x, d.Max)
	r := x - q*d.P
	for r >= d.P {
		r -= d.P
	}
	return uint32(r)
}
