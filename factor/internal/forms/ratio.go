package forms

import (
	"math"
	"math/big"
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
)

// pollSteps is after how many square roots, or the like, a loop asks whether to stop.
const pollSteps = 256

// ratio looks for factors p and q with b q close to a p, where a b <= steps: then
// ceil(sqrt(4 a b n)) is a p + b q, and its square less 4 a b n that of a p - b q.
// The step for each k = a b is Lehman's (Math. Comp. 28 (1974), 637-646), without his
// search around it; the first one is Fermat's. The difference of a p and b q may be twice
// the fourth root of 4 k n.
func (f Finder) ratio(n *big.Int, steps int) *big.Int {
	root := new(big.Int).Sqrt(n)
	var kn, x, q, rest, minus big.Int
	newton := 1
	for bits := 50; bits < root.BitLen()+16; bits *= 2 {
		newton++
	}
	for k := 1; k <= steps; k++ {
		if k%pollSteps == 0 && f.Poll() {
			return nil
		}
		kn.Lsh(kn.Mul(n, q.SetUint64(uint64(k))), 2)
		// The root to 50 bits, and more by Newton's iteration.
		x.Mul(root, q.SetUint64(uint64(math.Sqrt(4*float64(k))*0x1p40)))
		x.Rsh(&x, 40)
		for range newton {
			q.Quo(&kn, &x)
			x.Rsh(x.Add(&x, &q), 1)
		}
		// Now x is the root rounded down, or at most a little more.
		rest.Sub(rest.Mul(&x, &x), &kn)
		for rest.Sign() < 0 {
			rest.Add(&rest, &x).Add(&rest, x.Add(&x, arith.One))
		}
		for {
			minus.Sub(&rest, &x)
			if minus.Sub(&minus, q.Sub(&x, arith.One)); minus.Sign() < 0 {
				break
			}
			rest.Set(&minus)
			x.Sub(&x, arith.One)
		}
		if d := splitBySquare(n, &x, &rest); d != nil {
			return d
		}
	}
	return nil
}

// splitBySquare returns a proper factor of n if rest, which is x^2 less a multiple of n,
// is a square that gives one.
func splitBySquare(n, x, rest *big.Int) *big.Int {
	if !maySquare(rest) {
		return nil
	}
	root, square := arith.SquareRootBig(rest)
	if !square {
		return nil
	}
	return prime.Proper(root.Sub(x, root), n)
}

// squareModulus is the product of squarePrimes; one number in 30,000 that is no square is
// one modulo all of them.
const squareModulus = 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31 * 37 * 41 * 43 * 47 * 53

var squarePrimes = [...]uint64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53}

// squareBits returns, for each of squarePrimes, the set of squares modulo it.
var squareBits = sync.OnceValue(func() (sets [len(squarePrimes)]uint64) {
	for i, p := range squarePrimes {
		for v := range p {
			sets[i] |= 1 << (v * v % p)
		}
	}
	return sets
})

// maySquare reports whether v >= 0 may be a square.
func maySquare(v *big.Int) bool {
	if v.Sign() == 0 {
		return true
	}
	if arith.Squares64>>(uint(v.Bits()[0])&63)&1 == 0 {
		return false
	}
	var rem, modulus big.Int
	m := rem.Rem(v, modulus.SetUint64(squareModulus)).Uint64()
	sets := squareBits()
	for i, p := range squarePrimes {
		if sets[i]>>(m%p)&1 == 0 {
			return false
		}
	}
	return true
}

// sieveModulus is the second modulus of squares: 1 number in 22 is a square modulo it.
const sieveModulus = 9 * 5 * 7 * 11 * 13

// isSquareSieve tells which numbers are squares modulo sieveModulus.
var isSquareSieve = sync.OnceValue(func() *[sieveModulus]bool {
	t := new([sieveModulus]bool)
	for v := range sieveModulus {
		t[v*v%sieveModulus] = true
	}
	return t
})

// squares is Fermat's method: it looks for squares x^2 - n for the next steps values of
// x after the root of n. They are known by their residues; one in 120 has a closer look.
func (f Finder) squares(n *big.Int, steps int) *big.Int {
	x := new(big.Int).Sqrt(n)
	x.Add(x, arith.One)
	rest := new(big.Int).Mul(x, x)
	rest.Sub(rest, n)
	var q, t, v big.Int
	q.SetUint64(sieveModulus)
	low, lowX := uint64(rest.Bits()[0]), uint64(x.Bits()[0])
	res, resX := t.Rem(rest, &q).Uint64(), v.Rem(x, &q).Uint64()
	squares := isSquareSieve()
	for i := range uint64(steps) {
		if i%(pollSteps<<12) == 0 && f.Poll() {
			return nil
		}
		if arith.Squares64>>(low&63)&1 != 0 && squares[res] {
			v.Add(x, q.SetUint64(i))
			t.Sub(t.Mul(&v, &v), n)
			if d := splitBySquare(n, &v, &t); d != nil {
				return d
			}
		}
		low += 2*lowX + 1
		lowX++
		if res += 2*resX + 1; res >= sieveModulus {
			if res -= sieveModulus; res >= sieveModulus {
				res -= sieveModulus
			}
		}
		if resX++; resX == sieveModulus {
			resX = 0
		}
	}
	return nil
}
