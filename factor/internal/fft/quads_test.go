package fft

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"fairfactor/factor/internal/arith"
)

// most is what residues may be before a transform, as a multiple of p.
const most = 3.13

// quadsUpTo returns random residues of up to that multiple of p, which is itself often.
func quadsUpTo(rng *rand.Rand, g *quadGroup, count int, most float64) []quad {
	a := make([]quad, count)
	for j := range a {
		for i, p := range g.p {
			v := rng.Float64()
			if rng.IntN(4) == 0 {
				v = 1
			}
			if a[j][i] = math.Floor(v * most * p); rng.IntN(2) == 0 {
				a[j][i] = -a[j][i]
			}
		}
	}
	return a
}

// residue returns v modulo p.
func residue(v float64, p uint64) uint64 {
	r := int64(v) % int64(p)
	if r < 0 {
		r += int64(p)
	}
	return uint64(r)
}

// TestQuadTransforms: the product of a transform and that of x^(n-1) is that of a polynomial
// turned by one place, at all lengths, and values are as small as they say.
func TestQuadTransforms(t *testing.T) {
	rng := seeded(t)
	groups, _ := quadGroupsFor(new(big.Int).Lsh(big.NewInt(1), 400))
	for _, g := range groups {
		for size := range 13 {
			n := 1 << size
			forward, revert := g.tables(max(1, n/2))
			a, b := quadsUpTo(rng, g, n, most), make([]quad, n)
			b[n-1] = quad{1, 1, 1, 1}
			was := append([]quad(nil), a...)
			g.transform(a, forward)
			g.transform(b, forward)
			for j := range a {
				for i, p := range g.p {
					if math.Abs(a[j][i]) > most*p {
						t.Fatalf("length %d: value %d is %f p", n, j, a[j][i]/p)
					}
				}
			}
			if n >= leastGrown {
				c, d := quadsUpTo(rng, g, n, 1.01), make([]quad, n)
				copy(d, c[:n/2])
				g.grow(c, forward)
				g.transform(d, forward)
				for j := range c {
					for i, p := range g.primes {
						if math.Abs(c[j][i]) > most*g.p[i] || residue(c[j][i], p) != residue(d[j][i], p) {
							t.Fatalf("length %d: value %d is %f p, grown from a half", n, j, c[j][i]/g.p[i])
						}
					}
				}
			}
			g.multiply(a, a, b)
			g.invert(a, revert)
			for j := range n {
				for i, p := range g.primes {
					want := mulMod(residue(was[(j+1)%n][i], p), uint64(n), p)
					if math.Abs(a[j][i]) > 1.01*g.p[i] || residue(a[j][i], p) != want {
						t.Fatalf("length %d: place %d is %f p, %d, not %d", n, j, a[j][i]/g.p[i], residue(a[j][i], p), want)
					}
				}
			}
		}
	}
}

// TestQuadPrimes: the primes have the roots that they need, and are in bounds that the
// transforms count on.
func TestQuadPrimes(t *testing.T) {
	groups, product := quadGroupsFor(new(big.Int).Lsh(big.NewInt(1), 2*mostQuadBits+rootBits))
	seen := make(map[uint64]bool)
	size, count := 0.0, 0
	for _, g := range groups {
		for i, p := range g.primes {
			if p >= quadBound || (p-1)%(1<<rootBits) != 0 || seen[p] || powMod(g.root[i], 1<<(rootBits-1), p) != p-1 {
				t.Errorf("prime %d, root %d", p, g.root[i])
			}
			seen[p] = true
			size += math.Log2(g.p[i])
			count++
		}
	}
	if size < quadPrimeBits*float64(count) || float64(product.BitLen()) < size {
		t.Errorf("%d primes have %f bits, not %f each, and their product %d", count, size, quadPrimeBits, product.BitLen())
	}
	if high := float64(count) * (1 << splitBits) * (1 << splitBits); high > 1<<63 {
		t.Errorf("%d digits overflow", count)
	}
}

// TestQuadRoom: MeetBytes counts the primes that a ring has.
func TestQuadRoom(t *testing.T) {
	rng := seeded(t)
	for _, size := range []int{399, 665, 997, 1200, 2048} {
		for _, points := range []int{1024, 8192} {
			q := newQuads(arith.NewMontN(modulus(rng, size)), 2*points)
			if have, said := len(q.groups), quadsOf(size, points); have > said || said > have+1 {
				t.Errorf("%d bits, %d points: %d quads, not %d", size, points, have, said)
			}
		}
	}
}
