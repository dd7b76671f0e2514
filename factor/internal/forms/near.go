package forms

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
)

// near looks for factors within steps of the k-th root of n, for k = 3, 4 and 5, as
// products of k primes that follow one another have them.
func (f Finder) near(n *big.Int, steps int) *big.Int {
	if steps < 12 {
		return nil // n is so long that its roots take longer
	}
	m := arith.NewMontN(n)
	acc, x, unit := make([]uint64, len(m.N)), make([]uint64, len(m.N)), make([]uint64, len(m.N))
	for k := 3; k <= 5; k++ {
		root := arith.RootBig(n, k)
		reach := steps / 12 // even numbers are left out
		if k == 3 {
			reach = steps / 3
		}
		reach = min(reach, root.BitLen()*8)
		if root.SetBit(root, 0, 1); root.Cmp(big.NewInt(int64(8*reach+8))) <= 0 {
			return nil
		}
		// The residues of root - 2 reach, root - 2 reach + 2, ... without their
		// Montgomery factor: a common factor of all that changes no gcd.
		first := new(big.Int).Sub(root, big.NewInt(int64(2*reach)))
		arith.PutWords(x, first)
		clear(unit)
		unit[0] = 2
		copy(acc, m.One)
		for i := range 2 * reach {
			if i%pollSteps == 0 && f.Poll() {
				return nil
			}
			m.Mul(acc, acc, x)
			m.Add(x, x, unit)
		}
		if d := prime.Proper(arith.BigOf(acc), n); d != nil {
			return d
		}
		if !arith.IsZero(acc) {
			continue
		}
		for range 2 * reach { // all factors at once: the first one
			if d := prime.Proper(first, n); d != nil || f.Poll() {
				return d
			}
			first.Add(first, arith.Two)
		}
	}
	return nil
}
