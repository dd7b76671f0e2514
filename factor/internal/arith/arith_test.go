package arith

import (
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// seeded returns a source of random numbers and prints its seed.
func seeded(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// edges64 are odd numbers at the edges of words.
var edges64 = []uint64{3, 5, 7, 1<<31 - 1, 1<<32 - 1, 1<<32 + 1, 1<<63 - 25, 1<<63 - 1, 1<<63 + 1, 1<<64 - 59, 1<<64 - 3, 1<<64 - 1}

// anyBits returns a random number of a random size up to 64 bits.
func anyBits(r *rand.Rand) uint64 { return r.Uint64() >> r.IntN(64) }

func TestMont64(t *testing.T) {
	r := seeded(t)
	for i := range 20000 {
		n := anyBits(r) | 3
		if i < len(edges64) {
			n = edges64[i]
		}
		m := NewMont64(n)
		a, b := r.Uint64()%n, r.Uint64()%n
		if i%5 == 0 {
			a, b = n-1, n-1-b%min(n, 3)%n
		}
		if got := m.From(m.To(a)); got != a {
			t.Fatalf("n %d: from(to(%d)) = %d", n, a, got)
		}
		hi, lo := bits.Mul64(a, b)
		if got, want := m.From(m.Mul(m.To(a), m.To(b))), bits.Rem64(hi, lo, n); got != want {
			t.Fatalf("n %d: %d * %d = %d, want %d", n, a, b, got, want)
		}
		sum, carry := bits.Add64(a, b, 0)
		if got, want := m.Add(a, b), bits.Rem64(carry, sum, n); got != want {
			t.Fatalf("n %d: %d + %d = %d, want %d", n, a, b, got, want)
		}
		if got := m.Add(m.Sub(a, b), b); got != a {
			t.Fatalf("n %d: %d - %d + %d = %d", n, a, b, b, got)
		}
		inv, d := Inverse64(a, n)
		if d != GCD64(a, n) {
			t.Fatalf("n %d: gcd with %d = %d", n, a, d)
		}
		if hi, lo := bits.Mul64(inv, a); d == 1 && n > 1 && bits.Rem64(hi, lo, n) != 1 {
			t.Fatalf("n %d: 1/%d = %d", n, a, inv)
		}
	}
}

// anyWide returns a random number above 2^64, often at the edge of a word.
func anyWide(r *rand.Rand) Uint128 {
	w := Uint128{r.Uint64() >> r.IntN(64), r.Uint64()}
	switch r.IntN(6) {
	case 0:
		w = Uint128{1, r.Uint64N(100)}
	case 1:
		w = Uint128{1<<63 - 1, -r.Uint64N(100) - 1}
	case 2:
		w = Uint128{1 << 63, r.Uint64N(100)}
	case 3:
		w = Uint128{^uint64(0), -r.Uint64N(100) - 1}
	}
	w.Hi |= uint64(1) >> min(w.Hi, 1)
	return w
}

func TestMont128(t *testing.T) {
	r := seeded(t)
	R := new(big.Int).Lsh(big.NewInt(1), 128)
	for range 20000 {
		n := anyWide(r)
		n.Lo |= 1
		if r.IntN(8) == 0 {
			n = Uint128{0, anyBits(r) | 3}
		}
		m := NewMont128(n)
		_, a := anyWide(r).Div(n)
		_, b := anyWide(r).Div(n)
		if r.IntN(4) == 0 {
			a, _ = n.Sub(Uint128{0, 1})
			b, _ = n.Sub(Uint128{0, 1 + r.Uint64N(3)})
		}
		N, A, B := n.Big(), a.Big(), b.Big()
		mod := func(x *big.Int) Uint128 { return Uint128Of(x.Mod(x, N).Bytes()) }
		if got, want := m.To(a), mod(new(big.Int).Mul(A, R)); got != want {
			t.Fatalf("n %v: to(%v) = %v, want %v", N, A, got.Big(), want.Big())
		}
		if got, want := m.From(m.Mul(m.To(a), m.To(b))), mod(new(big.Int).Mul(A, B)); got != want {
			t.Fatalf("n %v: %v * %v = %v, want %v", N, A, B, got.Big(), want.Big())
		}
		if got, want := m.Add(a, b), mod(new(big.Int).Add(A, B)); got != want {
			t.Fatalf("n %v: %v + %v = %v, want %v", N, A, B, got.Big(), want.Big())
		}
		if got, want := m.Sub(a, b), mod(new(big.Int).Sub(A, B)); got != want {
			t.Fatalf("n %v: %v - %v = %v, want %v", N, A, B, got.Big(), want.Big())
		}
		inv, d, ok := inverse128(a, n)
		if g := new(big.Int).GCD(nil, nil, A, N); g.Cmp(d.Big()) != 0 || ok != g.IsUint64() && g.Uint64() == 1 {
			t.Fatalf("n %v: gcd with %v = %v, want %v", N, A, d.Big(), g)
		}
		if ok && mod(new(big.Int).Mul(A, inv.Big())) != (Uint128{0, 1}) {
			t.Fatalf("n %v: 1/%v = %v", N, A, inv.Big())
		}
	}
}

func TestUint128(t *testing.T) {
	r := seeded(t)
	for range 20000 {
		a, b := anyWide(r), anyWide(r)
		if r.IntN(2) == 0 {
			b = Uint128{0, anyBits(r) | 1}
		}
		A, B := a.Big(), b.Big()
		q, m := a.Div(b)
		Q, M := new(big.Int).QuoRem(A, B, new(big.Int))
		if q.Big().Cmp(Q) != 0 || m.Big().Cmp(M) != 0 {
			t.Fatalf("%v / %v = %v, %v, want %v, %v", A, B, q.Big(), m.Big(), Q, M)
		}
		if g, G := a.GCD(b), new(big.Int).GCD(nil, nil, A, B); g.Big().Cmp(G) != 0 {
			t.Fatalf("gcd(%v, %v) = %v, want %v", A, B, g.Big(), G)
		}
		p, ok := a.Mul(b)
		P := new(big.Int).Mul(A, B)
		if ok != (P.BitLen() <= 128) || ok && p.Big().Cmp(P) != 0 {
			t.Fatalf("%v * %v = %v, %v", A, B, p.Big(), ok)
		}
		if got := string(AppendUint128(nil, a)); got != A.String() {
			t.Fatalf("digits of %v: %s", A, got)
		}
		if got, ok := ParseUint128(A.String()); !ok || got != a {
			t.Fatalf("parse %v: %v, %v", A, got.Big(), ok)
		}
		if got := Uint128Of(a.AppendBytes(nil)); got != a {
			t.Fatalf("bytes of %v: %v", A, got.Big())
		}
	}
	for _, s := range []string{"340282366920938463463374607431768211456", "999999999999999999999999999999999999999", "", "01", "1x"} {
		if w, ok := ParseUint128(s); ok {
			t.Errorf("parseWide(%q) = %v", s, w.Big())
		}
	}
}

func TestMontN(t *testing.T) {
	r := seeded(t)
	for range 3000 {
		n := randomBig(r, 64+r.IntN(700))
		if r.IntN(4) == 0 {
			n.Sub(new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()+63)/64*64), big.NewInt(1+r.Int64N(50)))
		}
		n.SetBit(n, 0, 1)
		m := NewMontN(n)
		k := len(m.N)
		a, b := new(big.Int).Mod(randomBig(r, n.BitLen()), n), new(big.Int).Mod(randomBig(r, n.BitLen()), n)
		if r.IntN(4) == 0 {
			a.Sub(n, big.NewInt(1))
		}
		x, y, z := make([]uint64, k), make([]uint64, k), make([]uint64, k)
		m.To(x, a)
		m.To(y, b)
		for _, c := range []struct {
			name string
			got  func(z, x, y []uint64)
			want func(z, x, y *big.Int) *big.Int
		}{{"*", m.Mul, (*big.Int).Mul}, {"+", m.Add, (*big.Int).Add}, {"-", m.Sub, (*big.Int).Sub}} {
			c.got(z, x, y)
			want := c.want(new(big.Int), a, b)
			if got := m.From(z); got.Cmp(want.Mod(want, n)) != 0 {
				t.Fatalf("n %v: %v %s %v = %v, want %v", n, a, c.name, b, got, want)
			}
			copy(z, x)
			c.got(z, z, z)
			want = c.want(new(big.Int), a, a)
			if got := m.From(z); got.Cmp(want.Mod(want, n)) != 0 {
				t.Fatalf("n %v: %v %s itself = %v, want %v", n, a, c.name, got, want)
			}
		}
		e := randomBig(r, 1+r.IntN(200))
		if r.IntN(8) == 0 {
			e.SetInt64(r.Int64N(3))
		}
		m.Power(z, x, e)
		if got, want := m.From(z), new(big.Int).Exp(a, e, n); got.Cmp(want) != 0 {
			t.Fatalf("n %v: %v^%v = %v, want %v", n, a, e, got, want)
		}
		m.Square(z, x)
		m.Mul(y, x, x)
		if !slices.Equal(y, z) {
			t.Fatalf("n %v: square of %v", n, a)
		}
	}
}

// randomBig returns a random number of that many bits, the top one set.
func randomBig(r *rand.Rand, size int) *big.Int {
	n := new(big.Int)
	for n.BitLen() < size {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.Uint64()))
	}
	n.Rsh(n, uint(n.BitLen()-size))
	return n.SetBit(n, size-1, 1)
}
