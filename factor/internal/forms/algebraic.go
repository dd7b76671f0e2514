package forms

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
)

// Algebraic returns factors of n > 2^64 that multiply to it, if it is a power less or
// plus one, or a row of equal digits 1 in base 10: the values of cyclotomic polynomials,
// and the two of 4 x^4 + 1 (Aurifeuille). It returns nil if n is not of these forms, or has
// only one such factor.
func Algebraic(n *big.Int, stop func() bool) []*big.Int {
	for _, form := range [...]struct {
		times, plus int64 // n times plus plus is the power
		sign        int64 // n is base^e + sign, or that over times
	}{{1, 1, -1}, {1, -1, 1}, {9, 1, -1}} {
		v := new(big.Int).Mul(n, big.NewInt(form.times))
		base, e := rootOf(v.Add(v, big.NewInt(form.plus)), stop)
		if e == 1 || form.times > 1 && base.Cmp(big.NewInt(form.times+1)) != 0 {
			continue
		}
		parts := cyclotomic(base, e, form.sign, stop)
		if form.times > 1 && len(parts) > 0 {
			parts = parts[1:] // 10 - 1
		}
		if form.sign > 0 && base.Cmp(arith.Two) == 0 && e%4 == 2 {
			parts = aurifeuille(parts, e)
		}
		if len(parts) > 1 {
			return parts
		}
	}
	return nil
}

// rootOf returns the base and the exponent of v > 1 as the highest power that it is, v
// and 1 if it is no power. The exponent divides that of each prime in v, so the least prime
// that is found nearly always says that v is no power. Bases whose least prime is between
// 47 and 2^24 are missed.
func rootOf(v *big.Int, stop func() bool) (base *big.Int, e int) {
	most := exponentOf(v)
	divides := most > 0
	if !divides {
		most = v.BitLen() / 24
	}
	e = 1
	for k := 2; k <= most && !stop(); k++ {
		if most%k != 0 && divides || k > 2 && (k&1 == 0 || !prime.IsPrime64(uint64(k))) {
			continue
		}
		for prime.PowerResidue(v, uint64(k)) {
			r := arith.RootBig(v, k)
			if new(big.Int).Exp(r, big.NewInt(int64(k)), nil).Cmp(v) != 0 {
				break
			}
			v, e = r, e*k
		}
	}
	return v, e
}

// exponentOf returns how often the least prime that divides v does so, 0 if that is above
// 47.
func exponentOf(v *big.Int) int {
	if e := int(v.TrailingZeroBits()); e > 0 {
		return e
	}
	var q, rem, p big.Int
	m := rem.Rem(v, p.SetUint64(squareModulus)).Uint64()
	for _, small := range squarePrimes[:14] {
		if m%small != 0 {
			continue
		}
		e := 0
		w := new(big.Int).Set(v)
		for p.SetUint64(small); ; e++ {
			if q.QuoRem(w, &p, &rem); rem.Sign() != 0 {
				return e
			}
			w.Set(&q)
		}
	}
	return 0
}

// cyclotomic returns the values at base of the cyclotomic polynomials whose product is
// base^e + sign, sign 1 or -1, by ascending order; nil if it was stopped.
func cyclotomic(base *big.Int, e int, sign int64, stop func() bool) (parts []*big.Int) {
	whole := e
	if sign > 0 {
		whole = 2 * e
	}
	values := make(map[int]*big.Int)
	for d := 1; d <= whole; d++ {
		if whole%d != 0 {
			continue
		}
		if stop() {
			return nil
		}
		v := new(big.Int).Exp(base, big.NewInt(int64(d)), nil)
		v.Sub(v, arith.One)
		for c, w := range values {
			if d%c == 0 {
				v.Quo(v, w)
			}
		}
		values[d] = v
		if (sign < 0 || e%d != 0) && v.Cmp(arith.One) > 0 {
			parts = append(parts, v)
		}
	}
	return parts
}

// aurifeuille splits the parts of 2^e + 1, e = 4k + 2, by the two factors that it has as
// 4 x^4 + 1: 2^(2k+1) - 2^(k+1) + 1 and the same with +.
func aurifeuille(parts []*big.Int, e int) (split []*big.Int) {
	k := uint(e-2) / 4
	low := new(big.Int).Lsh(arith.One, 2*k+1)
	low.Sub(low, new(big.Int).Lsh(arith.One, k+1)).Add(low, arith.One)
	for _, v := range parts {
		d := prime.Proper(low, v)
		if d == nil {
			split = append(split, v)
			continue
		}
		split = append(split, d, new(big.Int).Quo(v, d))
	}
	return split
}
