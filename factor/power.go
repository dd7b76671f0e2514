package factor

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
)

// power64 returns r and the smallest prime k with n = r^k, for n without prime
// factors below roughTo (so k is at most 5, and a fifth power above 2^60), or k = 1.
func power64(n uint64) (r uint64, k int) {
	if r, ok := arith.Root64(n, 2); ok {
		return r, 2
	}
	if r, ok := arith.Root64(n, 3); ok {
		return r, 3
	}
	if n > 1<<60 {
		if r, ok := arith.Root64(n, 5); ok {
			return r, 5
		}
	}
	return n, 1
}

// power128 returns r and the smallest prime k with n = r^k, for n > 2^64
// without prime factors below roughTo (so k is at most 10), or k = 1.
func power128(n arith.Uint128) (r arith.Uint128, k int) {
	for _, k := range [...]int{2, 3, 5, 7} {
		if k*12 >= n.Len() {
			break
		}
		if k == 2 && arith.Squares64>>(n.Lo&63)&1 == 0 {
			continue
		}
		if r, ok := arith.Root128(n, k); ok {
			return r, k
		}
	}
	return n, 1
}

// powerBig returns r and the smallest prime k with n = r^k for n without prime
// factors below 2^least, or k = 1.
func powerBig(n *big.Int, least int) (r *big.Int, k int) {
	for k := 2; k*least <= n.BitLen(); k++ {
		if k > 2 && (k&1 == 0 || !prime.IsPrime64(uint64(k))) || !prime.PowerResidue(n, uint64(k)) {
			continue
		}
		if r := arith.RootBig(n, k); new(big.Int).Exp(r, big.NewInt(int64(k)), nil).Cmp(n) == 0 {
			return r, k
		}
	}
	return n, 1
}
