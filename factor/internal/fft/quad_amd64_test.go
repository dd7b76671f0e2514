//go:build !purego

package fft

import (
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// TestQuadAssembly holds the assembly against the Go, word by word.
func TestQuadAssembly(t *testing.T) {
	if !cpu.AVX2 {
		t.Log("this CPU has no AVX2")
		return
	}
	rng := seeded(t)
	groups, _ := quadGroupsFor(new(big.Int).Lsh(big.NewInt(1), 800))
	for _, g := range groups {
		forward, revert := g.tables(1 << 10)
		for _, l := range []int{1, 2, 3, 7, 64} {
			for k, radix := range []int{fwd2: 2, fwd4: 4, inv2: 2, inv4: 4} {
				roots, bound := forward, most
				if kernel(k) == inv2 || kernel(k) == inv4 {
					roots, bound = revert, 1.01
				}
				blocks, b := 1+rng.IntN(4), rng.IntN(100)
				a := quadsUpTo(rng, g, blocks*radix*l, bound)
				want := slices.Clone(a)
				g.layers(a, roots, blocks, l, b, kernel(k))
				g.layersGo(want, roots, blocks, l, b, kernel(k))
				if !slices.Equal(a, want) {
					t.Errorf("kernel %d, %d blocks of %d: not as in Go", k, blocks, l)
				}
			}
			a := quadsUpTo(rng, g, 4*l, 1.01)
			b := slices.Clone(a)
			quadGrow(&a[0], l, &forward[2], g)
			if g.growGo(b, forward[2:][:2]); !slices.Equal(a, b) {
				t.Errorf("%d quads grown: not as in Go", l)
			}
			x, y := quadsUpTo(rng, g, l, most), quadsUpTo(rng, g, l, most)
			z, want := make([]quad, l), make([]quad, l)
			g.multiply(z, x, y)
			g.multiplyGo(want, x, y)
			if !slices.Equal(z, want) {
				t.Errorf("%d products: not as in Go", l)
			}
		}
	}
}

// TestQuadConversions holds the way to residues and back against the Go, word by word.
func TestQuadConversions(t *testing.T) {
	if !cpu.AVX2 {
		t.Log("this CPU has no AVX2")
		return
	}
	rng := seeded(t)
	for _, size := range []int{65, 129, 399, 444, 445, 665, 997, 1084, 1900, 2048} {
		m := arith.NewMontN(modulus(rng, size))
		q := newQuads(m, 64)
		rows := quadLanes*len(q.groups) + 1
		y, other := make([]uint64, rows*digitsAtOnce), make([]uint64, rows*digitsAtOnce)
		for _, count := range []int{1, 2, 3, 8, digitsAtOnce} {
			coefs := make([]uint64, count*q.k)
			for i := range count {
				v := random(rng, size)
				arith.PutWords(coefs[i*q.k:][:q.k], v.Mod(v, m.Mod))
			}
			scale := q.scale(5)
			for g, gr := range q.groups {
				a, want := make([]quad, count), make([]quad, count)
				gr.spread(a, coefs, q.k, q.powers[g])
				gr.spreadGo(want, coefs, q.k, q.powers[g])
				if !slices.Equal(a, want) {
					t.Fatalf("%d bits: spread of %d is not as in Go", size, count)
				}
				a = quadsUpTo(rng, gr, count, 1.01)
				s := quadsUpTo(rng, gr, count, 1)
				share := slices.Clone(s)
				gr.digits(y[g*quadLanes:], a, rows, scale[2*g:][:2], s)
				gr.digitsGo(other[g*quadLanes:], a, rows, scale[2*g:][:2], share)
				if !slices.Equal(y, other) || !slices.Equal(s, share) {
					t.Fatalf("%d bits: digits of %d are not as in Go", size, count)
				}
			}
		}
		q.gather(y[:rows])
		lo, hi := slices.Clone(q.lo), slices.Clone(q.hi)
		q.gatherGo(y[:rows])
		if !slices.Equal(lo, q.lo) || !slices.Equal(hi, q.hi) {
			t.Errorf("%d bits: sums are not as in Go", size)
		}
		for range 200 {
			for i := range y[:rows-1] {
				y[i] = rng.Uint64N(1<<splitBits) | rng.Uint64N(1<<22)<<32
				if rng.IntN(4) == 0 {
					y[i] = splitMask | (1<<22-1)<<32
				}
			}
			y[rows-1] = rng.Uint64N(uint64(rows))
			if rng.IntN(8) == 0 { // n and a little, before it is reduced
				clear(y[:rows])
				clear(q.lo)
				clear(q.hi)
				v := new(big.Int).Lsh(m.Mod, 64)
				v.Add(v, new(big.Int).SetUint64(rng.Uint64()))
				for i := range (size+64)/splitBits + 1 {
					if limb := new(big.Int).Rsh(v, uint(i*splitBits)).Uint64() & splitMask; i < q.width {
						q.lo[i] = limb
					} else {
						q.lo[q.width-1] += limb << ((i - q.width + 1) * splitBits)
					}
				}
			} else {
				q.gather(y[:rows])
			}
			z, want := make([]uint64, q.k), make([]uint64, q.k)
			q.reduce(z)
			q.reduceGo(want)
			if !slices.Equal(z, want) || arith.BigOf(z).Cmp(m.Mod) >= 0 {
				t.Fatalf("%d bits: reduced to %v, in Go to %v", size, arith.BigOf(z), arith.BigOf(want))
			}
		}
	}
}
