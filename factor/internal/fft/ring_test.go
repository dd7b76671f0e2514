package fft

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// random returns a number of at most that many bits, zero and all ones included.
func random(rng *rand.Rand, size int) *big.Int {
	v := new(big.Int)
	if rng.IntN(8) == 0 {
		v.Lsh(big.NewInt(1), uint(size))
		return v.Sub(v, big.NewInt(rng.Int64N(2)+1))
	}
	for v.BitLen() < size {
		v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(rng.Uint64()))
	}
	return v.Rsh(v, uint(v.BitLen()-rng.IntN(size+1)))
}

// modulus returns an odd number of exactly that many bits, the largest now and then.
func modulus(rng *rand.Rand, size int) *big.Int {
	n := random(rng, size)
	return n.SetBit(n.SetBit(n, size-1, 1), 0, 1)
}

func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// polynomial returns count random residues and their values.
func polynomial(rng *rand.Rand, m *arith.MontN, count int) (words []uint64, values []*big.Int) {
	k := len(m.N)
	words = make([]uint64, count*k)
	for i := range count {
		v := random(rng, m.Mod.BitLen())
		v.Mod(v, m.Mod)
		if rng.IntN(10) == 0 {
			v.Sub(m.Mod, big.NewInt(1))
		}
		arith.PutWords(words[i*k:][:k], v)
		values = append(values, m.From(words[i*k:][:k]))
	}
	return words, values
}

// TestTransforms: a transform is undone, and its products are those of polynomials modulo
// x^n - 1, at all lengths.
func TestTransforms(t *testing.T) {
	rng := seeded(t)
	g := groupsFor(1)[0]
	for size := range 13 {
		n := 1 << size
		forward, revert := g.tables(max(1, n/2))
		a, b := make([]vec, n), make([]vec, n)
		for j := range n {
			for i := range lanes {
				a[j][i] = rng.Uint64N(g.twoP[i])
			}
		}
		b[n-1] = [lanes]uint64{1, 1, 1, 1, 1, 1, 1, 1} // x^(n-1), which turns a by one place
		was := append([]vec(nil), a...)
		g.transform(a, forward)
		g.transform(b, forward)
		c := append([]vec(nil), a...)
		g.invert(a, revert)
		g.multiply(c, c, b)
		g.invert(c, revert)
		for j := range n {
			for i, p := range g.p {
				if a[j][i] >= 2*p || mulMod(was[j][i]%p, uint64(n), p) != a[j][i]%p {
					t.Fatalf("length %d: place %d is %d after it was undone", n, j, a[j][i])
				}
				want := mulMod(was[(j+1)%n][i]%p, uint64(n), p)
				if c[j][i] >= 2*p || mulMod(c[j][i]%p, g.fold[i], p) != want {
					t.Fatalf("length %d: place %d is not turned", n, j)
				}
			}
		}
	}
}

// transformers makes each kind of transforms that there is for a modulus.
func transformers(m *arith.MontN, length int) map[string]transformer {
	all := map[string]transformer{"eights": newEights(m, length)}
	if m.Mod.BitLen() <= mostQuadBits {
		all["quads"] = newQuads(m, length)
	}
	return all
}

// TestProduct holds products of polynomials against math/big.
func TestProduct(t *testing.T) {
	rng := seeded(t)
	for _, size := range []int{3, 51, 52, 53, 60, 64, 65, 104, 128, 156, 192, 312, 399, 400, 416, 448, 665, 997, 1084, 1085, 2000, 2048} {
		n := modulus(rng, size)
		if size%64 == 0 {
			n = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(size)), big.NewInt(1)) // R is 1, and sums fill the words
		}
		m := arith.NewMontN(n)
		for name, tr := range transformers(m, 64) {
			r := newRing(m, tr, new(stop.Poller))
			for range 4 {
				na, nb := 1+rng.IntN(32), 1+rng.IntN(32)
				if rng.IntN(4) == 0 {
					na, nb = 32, 32
				}
				checkProduct(t, rng, r, name, na, nb)
			}
		}
	}
}

// checkProduct multiplies random polynomials of na and nb coefficients.
func checkProduct(t *testing.T, rng *rand.Rand, r *Ring, name string, na, nb int) {
	m, k := r.m, r.k
	a, av := polynomial(rng, m, na)
	b, bv := polynomial(rng, m, nb)
	if rng.IntN(4) == 0 { // the largest coefficients
		for i := range a {
			a[i] = new(big.Int).Rsh(new(big.Int).Sub(m.Mod, big.NewInt(1)), uint(i%k*64)).Uint64()
		}
		for i := range b {
			b[i] = a[i%k]
		}
		for i := range av {
			av[i] = m.From(a[:k])
		}
		for i := range bv {
			bv[i] = av[0]
		}
	}
	got := make([]uint64, (na+nb-1)*k)
	r.Product(got, a, b)
	for i := range na + nb - 1 {
		want := new(big.Int)
		for j := range av {
			if l := i - j; l >= 0 && l < nb {
				want.Add(want, new(big.Int).Mul(av[j], bv[l]))
			}
		}
		want.Mod(want, m.Mod)
		c := got[i*k:][:k]
		if m.From(c).Cmp(want) != 0 || arith.BigOf(c).Cmp(m.Mod) >= 0 {
			t.Fatalf("%s, %d bits, %d by %d: coefficient %d is %v, want %v modulo %v", name, m.Mod.BitLen(), na, nb, i, m.From(c), want, m.Mod)
		}
	}
}
