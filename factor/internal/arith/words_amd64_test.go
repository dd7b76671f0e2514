//go:build !purego

package arith

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"fairfactor/factor/internal/cpu"
)

// TestWordsLayout: montgen knows where everything is.
func TestWordsLayout(t *testing.T) {
	var m montWords
	for _, c := range [][2]uintptr{
		{unsafe.Offsetof(m.neg), 0},
		{unsafe.Offsetof(m.n), 8},
		{unsafe.Offsetof(m.twice), 8 + 8*mostWords},
		{unsafe.Offsetof(m.scratch), 8 + 16*mostWords},
		{unsafe.Sizeof(m.scratch[0]), 8 * mostWords},
	} {
		if c[0] != c[1] {
			t.Errorf("a field is at %d, not %d", c[0], c[1])
		}
	}
	if len(kernels) != mostWords-leastWords+1 {
		t.Errorf("%d kernels", len(kernels))
	}
}

// kernelModuli returns odd moduli of k words with spareBits to spare, those at the
// edges of words first.
func kernelModuli(r *rand.Rand, k, count int) (list []*big.Int) {
	top := 64*k - spareBits
	power := func(e int) *big.Int { return new(big.Int).Lsh(One, uint(e)) }
	for _, n := range []*big.Int{
		new(big.Int).Sub(power(top), One),           // all ones
		new(big.Int).Add(power(top-1), One),         // all zeros
		new(big.Int).Add(power(64*k-64), One),       // the last word is 1
		new(big.Int).Sub(power(64*k-64+1), One),     // the same, and all ones
		new(big.Int).Sub(power(top), power(64*k-5)), // made odd below
		new(big.Int).Sub(power(top), new(big.Int).Sub(power(64), One)),
	} {
		list = append(list, n.SetBit(n, 0, 1))
	}
	for len(list) < count {
		n := randomBig(r, top-r.IntN(60))
		list = append(list, n.SetBit(n, 0, 1))
	}
	return list
}

// residuesBelow returns edges and random numbers below limit.
func residuesBelow(r *rand.Rand, n, limit *big.Int) (list []*big.Int) {
	one := big.NewInt(1)
	all := new(big.Int).Sub(new(big.Int).Lsh(one, uint(n.BitLen())), one)
	for _, v := range []*big.Int{
		new(big.Int), one, big.NewInt(2), new(big.Int).Sub(n, one), n, new(big.Int).Add(n, one),
		new(big.Int).Sub(limit, one), all, new(big.Int).Lsh(one, 64), new(big.Int).SetUint64(^uint64(0)),
		randomBig(r, limit.BitLen()), randomBig(r, limit.BitLen()-1), randomBig(r, n.BitLen()/2+1),
	} {
		list = append(list, new(big.Int).Mod(v, limit))
	}
	return list
}

// kernelTest is a modulus with its routines.
type kernelTest struct {
	k        int
	f        *kernel
	m        *montWords
	n, twice *big.Int
	inverse  *big.Int // 1/R
}

func newKernelTest(k int, n *big.Int) *kernelTest {
	m := &montWords{}
	PutWords(m.n[:], n)
	twice := new(big.Int).Lsh(n, 1)
	PutWords(m.twice[:], twice)
	m.neg = -Inverse2(m.n[0])
	R := new(big.Int).Lsh(One, uint(64*k))
	return &kernelTest{k, &kernels[k-leastWords], m, n, twice, R.ModInverse(R, n)}
}

func (c *kernelTest) words(v *big.Int) []uint64 {
	w := make([]uint64, c.k)
	PutWords(w, v)
	return w
}

// product checks mul and square on operands whose product is below n R.
func (c *kernelTest) product(t *testing.T, a, b *big.Int) {
	t.Helper()
	x, y, z := c.words(a), c.words(b), make([]uint64, c.k)
	c.f.mul(&z[0], &x[0], &y[0], c.m)
	c.isProduct(t, "mul", z, a, b)
	c.f.mul(&x[0], &x[0], &y[0], c.m)
	x2 := c.words(a)
	c.f.mul(&y[0], &x2[0], &y[0], c.m)
	if !slices.Equal(x, z) || !slices.Equal(y, z) {
		t.Fatalf("mul onto an operand: n %v, %v, %v", c.n, a, b)
	}
	if c.f.square == nil {
		return
	}
	c.f.square(&z[0], &x2[0], c.m)
	c.isProduct(t, "square", z, a, a)
	c.f.square(&x2[0], &x2[0], c.m)
	if !slices.Equal(x2, z) {
		t.Fatalf("square onto its operand: n %v, %v", c.n, a)
	}
}

func (c *kernelTest) isProduct(t *testing.T, name string, z []uint64, a, b *big.Int) {
	t.Helper()
	got := BigOf(z)
	want := new(big.Int).Mul(a, b)
	want.Mul(want, c.inverse).Mod(want, c.n)
	if got.Cmp(c.twice) >= 0 || new(big.Int).Mod(got, c.n).Cmp(want) != 0 {
		t.Fatalf("%s, %d words: n %v, %v, %v: got %v, want %v", name, c.k, c.n, a, b, got, want)
	}
}

// sums checks add, sub and reduce on operands below 2n.
func (c *kernelTest) sums(t *testing.T, a, b *big.Int) {
	t.Helper()
	x, y, z := c.words(a), c.words(b), make([]uint64, c.k)
	c.f.add(&z[0], &x[0], &y[0])
	if got, want := BigOf(z), new(big.Int).Add(a, b); got.Cmp(want) != 0 {
		t.Fatalf("add, %d words: n %v, %v, %v: got %v, want %v", c.k, c.n, a, b, got, want)
	}
	want := new(big.Int).Sub(a, b)
	want.Add(want, c.twice)
	c.f.sub(&z[0], &x[0], &y[0], c.m)
	if got := BigOf(z); got.Cmp(want) != 0 {
		t.Fatalf("sub, %d words: n %v, %v, %v: got %v, want %v", c.k, c.n, a, b, got, want)
	}
	c.f.sub(&y[0], &x[0], &y[0], c.m)
	if !slices.Equal(y, z) {
		t.Fatalf("sub onto an operand, %d words", c.k)
	}
	c.f.reduce(&x[0], c.m)
	if got := BigOf(x); got.Cmp(new(big.Int).Mod(a, c.n)) != 0 {
		t.Fatalf("reduce, %d words: n %v, %v: got %v", c.k, c.n, a, got)
	}
}

// points checks the operations on points against those without assembly: coordinates
// are below 2n and equal modulo n.
func (c *kernelTest) points(t *testing.T, r *rand.Rand, some []*big.Int) {
	t.Helper()
	slow := NewMontN(c.n)
	slow.fast = nil
	point := func() (p, low []uint64) {
		for range 2 {
			v := some[r.IntN(len(some))]
			p = append(p, c.words(v)...)
			low = append(low, c.words(new(big.Int).Mod(v, c.n))...)
		}
		return p, low
	}
	same := func(name string, got, want []uint64) {
		t.Helper()
		for len(got) > 0 {
			v := BigOf(got[:c.k])
			if v.Cmp(c.twice) >= 0 || v.Mod(v, c.n).Cmp(BigOf(want[:c.k])) != 0 {
				t.Fatalf("%s, %d words, n %v", name, c.k, c.n)
			}
			got, want = got[c.k:], want[c.k:]
		}
	}
	p, pLow := point()
	q, qLow := point()
	d, dLow := point()
	a, aLow := point()
	out, want := make([]uint64, 2*c.k), make([]uint64, 2*c.k)
	c.f.pointDouble(&out[0], &p[0], &a[0], c.m)
	slow.DoublePoint(want, pLow, aLow[:c.k])
	same("pointDouble", out, want)
	c.f.pointAdd(&out[0], &p[0], &q[0], &d[0], c.m)
	slow.AddPoints(want, pLow, qLow, dLow)
	same("pointAdd", out, want)
	for _, onto := range [][]uint64{p, q, d} {
		before := slices.Clone(onto)
		c.f.pointAdd(&onto[0], &p[0], &q[0], &d[0], c.m)
		same("pointAdd onto an operand", onto, want)
		copy(onto, before)
	}
	hits := []uint16{1, 0, 3, 3, 2}
	babies, low := append(p, q...), append(pLow, qLow...)
	acc, accLow := a[:c.k], aLow[:c.k]
	c.f.meet(&acc[0], &d[0], &babies[0], &hits[0], len(hits), c.m)
	slow.Meet(accLow, dLow[:c.k], low, hits)
	same("meet", acc, accLow)
}

func needADX(t testing.TB) {
	if !cpu.ADX {
		t.Skip("no ADX here")
	}
}

// TestKernels holds the assembly of each number of words against math/big, and
// operations on points against those without assembly.
func TestKernels(t *testing.T) {
	needADX(t)
	r := seeded(t)
	for k := leastWords; k <= mostWords; k++ {
		for _, n := range kernelModuli(r, k, 12) {
			c := newKernelTest(k, n)
			four := residuesBelow(r, n, new(big.Int).Lsh(n, 2))
			two := residuesBelow(r, n, c.twice)
			for i := range four {
				for j := range four {
					c.product(t, four[i], four[j])
					c.sums(t, two[i], two[j])
				}
			}
			for range 20 {
				c.points(t, r, two)
			}
		}
	}
}

// FuzzKernels takes a modulus and two operands apart from bytes.
func FuzzKernels(f *testing.F) {
	f.Add([]byte{1}, []byte{0}, []byte{255})
	f.Add(make([]byte, 136), []byte{1}, []byte{2})
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, []byte{255}, []byte{254})
	f.Fuzz(func(t *testing.T, modulus, first, second []byte) {
		needADX(t)
		n := new(big.Int).SetBytes(modulus[:min(len(modulus), 8*mostWords)])
		n.SetBit(n, 0, 1)
		k := (n.BitLen() + spareBits + 63) / 64
		if n.BitLen() <= 128 || k > mostWords {
			return
		}
		c := newKernelTest(k, n)
		four := new(big.Int).Lsh(n, 2)
		a, b := new(big.Int).SetBytes(first), new(big.Int).SetBytes(second)
		c.product(t, a.Mod(a, four), b.Mod(b, four))
		c.sums(t, a.Mod(a, c.twice), b.Mod(b, c.twice))
		c.points(t, rand.New(rand.NewPCG(1, 2)), []*big.Int{a, b, n})
	})
}

// BenchmarkWords compares a product in assembly, its square, a product in Go and one
// of math/big with its division.
func BenchmarkWords(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, k := range []int{3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 17} {
		n := randomBig(r, 64*k-spareBits)
		m := NewMontN(n.SetBit(n, 0, 1))
		x, y := slices.Clone(m.R2), slices.Clone(m.One)
		b.Run(fmt.Sprintf("%dwords/assembly", k), func(b *testing.B) {
			needADX(b)
			for b.Loop() {
				m.fast.mul(&x[0], &x[0], &y[0], m.words)
			}
		})
		b.Run(fmt.Sprintf("%dwords/square", k), func(b *testing.B) {
			needADX(b)
			for b.Loop() {
				m.Square(x, x)
			}
		})
		b.Run(fmt.Sprintf("%dwords/go", k), func(b *testing.B) {
			for b.Loop() {
				m.mulGo(x, x, y)
			}
		})
		b.Run(fmt.Sprintf("%dwords/big", k), func(b *testing.B) {
			v, w, q := BigOf(x), BigOf(m.R2), new(big.Int)
			for b.Loop() {
				v.Mul(v, w)
				q.QuoRem(v, n, v)
			}
		})
	}
}
