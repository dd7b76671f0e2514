package arith

import (
	"math"
	"math/big"
)

// Squares64 has bit i set if i is a square modulo 64.
const Squares64 = 0x0202021202030213

// IsSquare64 reports whether n is a square.
func IsSquare64(n uint64) bool {
	_, ok := Root64(n, 2)
	return ok
}

// Root64 returns the k-th root of n if it is an integer.
func Root64(n uint64, k int) (uint64, bool) {
	var f float64
	switch k {
	case 2:
		if Squares64>>(n&63)&1 == 0 {
			return 0, false
		}
		f = math.Sqrt(float64(n))
	case 3:
		f = math.Cbrt(float64(n))
	default:
		f = math.Pow(float64(n), 1/float64(k))
	}
	r := uint64(f + 0.5)
	p, ok := Uint128{0, 1}, true
	for range k {
		if p, ok = p.MulAdd(r, 0); !ok {
			return 0, false
		}
	}
	return r, p == Uint128{0, n}
}

// Root128 returns the k-th root of n if it is an integer, n > 2^64. The
// floating-point estimate is right to 50 bits; Newton's iteration does the rest.
func Root128(n Uint128, k int) (Uint128, bool) {
	f := math.Pow(float64(n.Hi)*0x1p64+float64(n.Lo), 1/float64(k))
	r := ^uint64(0)
	if f < 0x1p64 {
		r = uint64(f)
	}
	for range 3 {
		p, ok := pow128(r, k-1)
		if !ok {
			return Uint128{}, false
		}
		q, _ := n.Div(p)
		sum, _ := Uint128{0, r}.MulAdd(uint64(k-1), 0)
		sum, _ = sum.Add(q)
		sum, _ = sum.DivSmall(uint64(k))
		if sum.Hi != 0 {
			sum.Lo = ^uint64(0)
		}
		r = sum.Lo
	}
	for _, c := range [...]uint64{r - 1, r, r + 1} {
		if p, ok := pow128(c, k); ok && p == n {
			return Uint128{0, c}, true
		}
	}
	return Uint128{}, false
}

// pow128 returns r^k, and false if that does not fit.
func pow128(r uint64, k int) (Uint128, bool) {
	p, ok := Uint128{0, 1}, true
	for range k {
		if p, ok = p.MulAdd(r, 0); !ok {
			return p, false
		}
	}
	return p, true
}

// RootBig returns the k-th root of n, rounded down.
func RootBig(n *big.Int, k int) *big.Int {
	if k == 2 {
		return new(big.Int).Sqrt(n)
	}
	x := new(big.Int).Lsh(big.NewInt(1), uint((n.BitLen()+k-1)/k))
	K, K1 := big.NewInt(int64(k)), big.NewInt(int64(k-1))
	t, q := new(big.Int), new(big.Int)
	for {
		t.Exp(x, K1, nil)
		q.Quo(n, t)
		q.Add(q, t.Mul(x, K1))
		q.Quo(q, K)
		if q.Cmp(x) >= 0 {
			return x
		}
		x, q = q, x
	}
}

// SquareRootBig returns the square root of n if it is an integer.
func SquareRootBig(n *big.Int) (*big.Int, bool) {
	root := new(big.Int).Sqrt(n)
	return root, new(big.Int).Mul(root, root).Cmp(n) == 0
}
