package factor

import (
	"math"
	"math/big"
	"testing"
)

func TestTriple(t *testing.T) {
	r := seeded(t)
	all := new(big.Int).Lsh(big.NewInt(1), 192)
	same := func(name string, got triple, want *big.Int) {
		t.Helper()
		if w := new(big.Int).Mod(want, all); bigOf(got[:]).Cmp(w) != 0 {
			t.Fatalf("%s = %x, want %x", name, bigOf(got[:]), w)
		}
	}
	for range 10000 {
		a, b := randomBig(r, 1+r.IntN(190)), randomBig(r, 1+r.IntN(191))
		if r.IntN(2) == 0 {
			a.Neg(a)
		}
		m := anyBits(r)
		x := int64(m) >> 20
		u, v := tripleOf(a), tripleOf(b)
		same("tripleOf", u, a)
		same("add", u.add(v), new(big.Int).Add(a, b))
		same("sub", u.sub(v), new(big.Int).Sub(a, b))
		same("times", u.times(x), new(big.Int).Mul(a, big.NewInt(x)))
		low, top := v.mul(m)
		want := new(big.Int).Mul(b, new(big.Int).SetUint64(m))
		same("mul", low, want)
		if new(big.Int).Rsh(want, 192).Uint64() != top {
			t.Fatalf("mul carries %x", top)
		}
		size, neg := u.abs()
		same("abs", size, new(big.Int).Abs(a))
		if neg != (a.Sign() < 0) || u.big().Cmp(a) != 0 || v.len() != b.BitLen() || v.isZero() != (b.Sign() == 0) {
			t.Fatalf("%v: negative %v, big %v, len %d", a, neg, u.big(), v.len())
		}
		d := m>>32 | 1
		q, rem := v.divSmall(d)
		wantQ, wantR := new(big.Int).QuoRem(b, new(big.Int).SetUint64(d), new(big.Int))
		same("divSmall", q, wantQ)
		if rem != wantR.Uint64() {
			t.Fatalf("remainder %d of %v / %d", rem, b, d)
		}
		if v.isZero() {
			continue
		}
		same("shr", v.shr(v.trailingZeros()), new(big.Int).Rsh(b, b.TrailingZeroBits()))
		p := product(size, v)
		want.Mul(new(big.Int).Abs(a), b)
		if bigOf(p[:]).Cmp(want) != 0 {
			t.Fatalf("product of %v and %v", size.big(), b)
		}
		if want.Sign() > 0 {
			z, e := odd(p)
			if e != int(want.TrailingZeroBits()) || bigOf(z[:]).Cmp(new(big.Int).Rsh(want, uint(e))) != 0 {
				t.Fatalf("odd part of %v", want)
			}
		}
		p2 := product(v, v)
		dist, less := distance(p, p2)
		diff := new(big.Int).Sub(want, new(big.Int).Mul(b, b))
		if less != (diff.Sign() < 0) || bigOf(dist[:]).Cmp(diff.Abs(diff)) != 0 {
			t.Fatalf("distance of %v and %v", want, b)
		}
		if math.Abs(v.log2()-float64(b.BitLen())) > 1 {
			t.Fatalf("log2 of %v is %v", b, v.log2())
		}
	}
}
