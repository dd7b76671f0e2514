package ecpp

import (
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
)

// field is arithmetic modulo n, odd and above 64 bits, which is meant to be prime. If it is not,
// something that holds modulo primes does not, and what needs it gives up.
type field struct {
	*arith.MontN
	n, minus *big.Int
	twos     uint     // 2^twos divides n - 1
	odd      *big.Int // and that is the quotient
	unity    []uint64 // a root of 1 of order 2^twos, once it is needed
}

func newField(n *big.Int) *field {
	f := &field{MontN: arith.NewMontN(n), n: n, minus: new(big.Int).Sub(n, arith.One)}
	f.twos = f.minus.TrailingZeroBits()
	f.odd = new(big.Int).Rsh(f.minus, f.twos)
	return f
}

// elements returns room for count residues.
func (f *field) elements(count int) []uint64 { return make([]uint64, count*len(f.N)) }

// of returns the residue of v.
func (f *field) of(v *big.Int) []uint64 {
	x := f.elements(1)
	f.To(x, new(big.Int).Mod(v, f.n))
	return x
}

// power returns x^e modulo n.
func (f *field) power(x, e *big.Int) *big.Int {
	z := f.elements(1)
	f.Power(z, f.of(x), e)
	return f.From(z)
}

// inverse returns 1/x, nil if x has none.
func (f *field) inverse(x []uint64) []uint64 {
	v := f.From(x)
	if v.ModInverse(v, f.n) == nil {
		return nil
	}
	return f.of(v)
}

// squareRoot returns a square root of v, whose Jacobi symbol is 1, by the method of Tonelli and
// Shanks (Cohen, algorithm 1.5.1); nil if it has no root, so that n is not prime.
func (f *field) squareRoot(v *big.Int) *big.Int {
	x := f.of(v)
	b, r := f.elements(1), f.elements(1)
	e := new(big.Int).Rsh(f.odd, 1)
	f.Power(r, x, e) // x^((odd-1)/2)
	f.Square(b, r)
	f.Mul(b, b, x) // x^odd, a root of 1 of order 2^k, k < twos
	f.Mul(r, r, x) // r^2 = b x
	if f.twos > 1 && !slices.Equal(b, f.One) && !f.findUnity() {
		return nil
	}
	z, t := slices.Clone(f.unity), f.elements(1)
	for left := f.twos; !slices.Equal(b, f.One); {
		k := uint(0)
		for copy(t, b); !slices.Equal(t, f.One); k++ {
			if k+1 >= left {
				return nil
			}
			f.Square(t, t)
		}
		for i := left - k; i > 1; i-- { // z has the order 2^left
			f.Square(z, z)
		}
		f.Mul(r, r, z)
		f.Square(z, z) // of order 2^k
		f.Mul(b, b, z)
		left = k
	}
	return f.From(r)
}

// mostBases bounds the search for one that is not a square; half of the numbers are none.
const mostBases = 100

// findUnity sets unity and reports whether there is a number that is not a square.
func (f *field) findUnity() bool {
	for v := int64(2); f.unity == nil && v < mostBases; v++ {
		if c := big.NewInt(v); big.Jacobi(c, f.n) == -1 {
			f.unity = f.elements(1)
			f.Power(f.unity, f.of(c), f.odd)
		}
	}
	return f.unity != nil
}

// random returns number i of those that stand for random ones.
func (f *field) random(i uint64) *big.Int {
	return new(big.Int).SetUint64(arith.Mix(arith.Seed^f.N[0], i))
}
