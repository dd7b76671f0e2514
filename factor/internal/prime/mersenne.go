package prime

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
)

// MersenneBits is the size up to which Mersenne numbers are tested: then the test takes
// less than a turn may.
const MersenneBits = 10_000

// IsMersenne reports whether n is 2^p - 1 with p from 3 to MersenneBits.
func IsMersenne(n *big.Int) bool {
	p := n.BitLen()
	if p < 3 || p > MersenneBits {
		return false
	}
	ones := 0
	for _, w := range n.Bits() {
		ones += bits.OnesCount(uint(w))
	}
	return ones == p
}

// lucasLehmer decides whether the Mersenne number n = 2^p - 1, p an odd prime, is prime:
// if and only if s(p-1) = 0 for s(1) = 4, s(i+1) = s(i)^2 - 2 modulo n (Lehmer, J. London
// Math. Soc. 10 (1935), 162-165). It is undecided if it was stopped.
func (r *Prover) lucasLehmer(n *big.Int) verdict {
	p := uint(n.BitLen())
	if p&1 == 0 || !IsPrime64(uint64(p)) {
		return isComposite
	}
	s, high := big.NewInt(4), new(big.Int)
	for i := range p - 2 {
		if i%64 == 0 && r.Poll() {
			return undecided
		}
		s.Mul(s, s)
		for s.BitLen() > int(p) { // 2^p is 1 modulo n
			high.Rsh(s, p)
			s.And(s, n).Add(s, high)
		}
		if s.Cmp(arith.Two) < 0 {
			s.Add(s, n)
		}
		s.Sub(s, arith.Two)
	}
	if s.Sign() == 0 || s.Cmp(n) == 0 {
		return IsPrime
	}
	return isComposite
}
