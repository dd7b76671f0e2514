package arith

import (
	"math"
	"math/big"
	"testing"
)

func TestUint192(t *testing.T) {
	r := seeded(t)
	all := new(big.Int).Lsh(big.NewInt(1), 192)
	same := func(name string, got Uint192, want *big.Int) {
		t.Helper()
		if w := new(big.Int).Mod(want, all); BigOf(got[:]).Cmp(w) != 0 {
			t.Fatalf("%s = %x, want %x", name, BigOf(got[:]), w)
		}
	}
	for range 10000 {
		a, b := randomBig(r, 1+r.IntN(190)), randomBig(r, 1+r.IntN(191))
		if r.IntN(2) == 0 {
			a.Neg(a)
		}
		m := anyBits(r)
		x := int64(m) >> 20
		u, v := Uint192Of(a), Uint192Of(b)
		same("tripleOf", u, a)
		same("add", u.Add(v), new(big.Int).Add(a, b))
		same("sub", u.Sub(v), new(big.Int).Sub(a, b))
		same("times", u.Times(x), new(big.Int).Mul(a, big.NewInt(x)))
		low, top := v.Mul(m)
		want := new(big.Int).Mul(b, new(big.Int).SetUint64(m))
		same("mul", low, want)
		if new(big.Int).Rsh(want, 192).Uint64() != top {
			t.Fatalf("mul carries %x", top)
		}
		size, neg := u.Abs()
		same("abs", size, new(big.Int).Abs(a))
		if neg != (a.Sign() < 0) || u.Big().Cmp(a) != 0 || v.Len() != b.BitLen() || v.IsZero() != (b.Sign() == 0) {
			t.Fatalf("%v: negative %v, big %v, len %d", a, neg, u.Big(), v.Len())
		}
		d := m>>32 | 1
		q, rem := v.DivSmall(d)
		wantQ, wantR := new(big.Int).QuoRem(b, new(big.Int).SetUint64(d), new(big.Int))
		same("divSmall", q, wantQ)
		if rem != wantR.Uint64() {
			t.Fatalf("remainder %d of %v / %d", rem, b, d)
		}
		if v.IsZero() {
			continue
		}
		same("shr", v.Shr(v.TrailingZeros()), new(big.Int).Rsh(b, b.TrailingZeroBits()))
		p := Product384(size, v)
		want.Mul(new(big.Int).Abs(a), b)
		if BigOf(p[:]).Cmp(want) != 0 {
			t.Fatalf("product of %v and %v", size.Big(), b)
		}
		if want.Sign() > 0 {
			z, e := OddPart384(p)
			if e != int(want.TrailingZeroBits()) || BigOf(z[:]).Cmp(new(big.Int).Rsh(want, uint(e))) != 0 {
				t.Fatalf("odd part of %v", want)
			}
		}
		p2 := Product384(v, v)
		dist, less := Distance384(p, p2)
		diff := new(big.Int).Sub(want, new(big.Int).Mul(b, b))
		if less != (diff.Sign() < 0) || BigOf(dist[:]).Cmp(diff.Abs(diff)) != 0 {
			t.Fatalf("distance of %v and %v", want, b)
		}
		if math.Abs(v.Log2()-float64(b.BitLen())) > 1 {
			t.Fatalf("log2 of %v is %v", b, v.Log2())
		}
	}
}
