package factor

import (
	"math"
	"math/big"
)

// isSquare64 reports whether n is a square.
func isSquare64(n uint64) bool {
	_, ok := root64(n, 2)
	return ok
}

// root64 returns the k-th root of n if it is an integer.
func root64(n uint64, k int) (uint64, bool) {
	var f float64
	switch k {
	case 2:
		if squares64>>(n&63)&1 == 0 {
			return 0, false
		}
		f = math.Sqrt(float64(n))
	case 3:
		f = math.Cbrt(float64(n))
	default:
		f = math.Pow(float64(n), 1/float64(k))
	}
	r := uint64(f + 0.5)
	p, ok := wide{0, 1}, true
	for range k {
		if p, ok = p.mulAdd(r, 0); !ok {
			return 0, false
		}
	}
	return r, p == wide{0, n}
}

// power64 returns r and the smallest prime k with n = r^k, for n without prime
// factors below roughTo (so k is at most 5, and a fifth power above 2^60), or k = 1.
func power64(n uint64) (r uint64, k int) {
	if r, ok := root64(n, 2); ok {
		return r, 2
	}
	if r, ok := root64(n, 3); ok {
		return r, 3
	}
	if n > 1<<60 {
		if r, ok := root64(n, 5); ok {
			return r, 5
		}
	}
	return n, 1
}

// rootWide returns the k-th root of n if it is an integer, n > 2^64. The
// floating-point estimate is right to 50 bits; Newton's iteration does the rest.
func rootWide(n wide, k int) (wide, bool) {
	f := math.Pow(float64(n.hi)*0x1p64+float64(n.lo), 1/float64(k))
	r := ^uint64(0)
	if f < 0x1p64 {
		r = uint64(f)
	}
	for range 3 {
		p, ok := powWide(r, k-1)
		if !ok {
			return wide{}, false
		}
		q, _ := n.div(p)
		sum, _ := wide{0, r}.mulAdd(uint64(k-1), 0)
		sum, _ = sum.add(q)
		sum, _ = sum.divSmall(uint64(k))
		if sum.hi != 0 {
			sum.lo = ^uint64(0)
		}
		r = sum.lo
	}
	for _, c := range [...]uint64{r - 1, r, r + 1} {
		if p, ok := powWide(c, k); ok && p == n {
			return wide{0, c}, true
		}
	}
	return wide{}, false
}

// powWide returns r^k, and false if that does not fit.
func powWide(r uint64, k int) (wide, bool) {
	p, ok := wide{0, 1}, true
	for range k {
		if p, ok = p.mulAdd(r, 0); !ok {
			return p, false
		}
	}
	return p, true
}

// powerWide returns r and the smallest prime k with n = r^k, for n > 2^64
// without prime factors below roughTo (so k is at most 10), or k = 1.
func powerWide(n wide) (r wide, k int) {
	for _, k := range [...]int{2, 3, 5, 7} {
		if k*12 >= n.len() {
			break
		}
		if k == 2 && squares64>>(n.lo&63)&1 == 0 {
			continue
		}
		if r, ok := rootWide(n, k); ok {
			return r, k
		}
	}
	return n, 1
}

// powerBig returns r and the smallest prime k with n = r^k for n without prime
// factors below 2^least, or k = 1.
func powerBig(n *big.Int, least int) (r *big.Int, k int) {
	for k := 2; k*least <= n.BitLen(); k++ {
		if k > 2 && (k&1 == 0 || !isPrime64(uint64(k))) || !powerResidue(n, uint64(k)) {
			continue
		}
		if r := rootBig(n, k); new(big.Int).Exp(r, big.NewInt(int64(k)), nil).Cmp(n) == 0 {
			return r, k
		}
	}
	return n, 1
}

// rootBig returns the k-th root of n, rounded down.
func rootBig(n *big.Int, k int) *big.Int {
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
