package qs

import (
	"math"
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/sieve"
)

// multiplier returns the small k for which kn has the most small primes to
// offer (Knuth and Schroeppel; Silverman, section 5); rank 1 is the second best,
// and so on. A prime that has two roots of kn is worth 2 log p/(p-1), one that
// divides k half of that.
func multiplier(n arith.Uint192, rank int) uint64 {
	var sign [len(sieve.MultiplierPrimes)]float32
	for i, p := range sieve.MultiplierPrimes {
		sign[i] = float32(arith.Jacobi(n.Mod(p), p))
	}
	var scores [64]float32
	multipliers := sieve.Multipliers()
	for j := range multipliers {
		w := &multipliers[j]
		score := w.At8[n[0]&7] + w.Mean
		for i, s := range sign {
			score += s * w.Sign[i]
		}
		scores[j] = score
	}
	for ; ; rank-- {
		best := 0
		for j := range multipliers {
			if scores[j] > scores[best] {
				best = j
			}
		}
		if rank == 0 {
			return multipliers[best].K
		}
		scores[best] = -1e9
	}
}

// baseTables are what factor bases are taken from.
type baseTables struct {
	primes []basePrime // odd, all below 2^14
	// roots holds the square roots modulo the primes below rootTableTo, which are
	// most of the base of the common sizes: noRoot for non-residues. The table of
	// primes[i] starts at start[i].
	roots []uint16
	start []int
}

var newBaseTables = sync.OnceValue(func() *baseTables {
	t := new(baseTables)
	for _, p := range arith.SmallPrimes(1 << 14) {
		t.primes = append(t.primes, basePrime{p: uint32(p), log: uint8(math.Log2(float64(p)) + 0.5), exact: arith.NewDivisor(p)})
	}
	for _, b := range t.primes {
		if b.p > rootTableTo {
			break
		}
		from := len(t.roots)
		t.start = append(t.start, from)
		for range b.p {
			t.roots = append(t.roots, noRoot)
		}
		for x := range b.p/2 + 1 {
			t.roots[from+int(x*x%b.p)] = uint16(x)
		}
	}
	return t
})

const (
	rootTableTo = 1000
	noRoot      = 1<<16 - 1
)

// fillBase sets the factor base: 2 and the odd primes modulo which kn is a
// square, its divisors included.
func (q *Sieve) fillBase() {
	q.base = append(q.base[:0], basePrime{p: 2, root: 1})
	q.first = 1
	t := newBaseTables()
	for i := range t.primes {
		if len(q.base) == q.parameters.base {
			break
		}
		b := t.primes[i]
		p := uint64(b.p)
		v := uint32(q.n.Mod(p) * q.k % p)
		if i < len(t.start) {
			root := t.roots[t.start[i]+int(v)]
			if root == noRoot {
				continue
			}
			b.root = uint32(root)
		} else {
			root, ok := sqrtMod(v, b.p)
			if !ok {
				continue
			}
			b.root = root
		}
		q.base = append(q.base, b)
		if p < uint64(q.parameters.from) {
			q.first = len(q.base)
		}
	}
	q.roots.set(q.base)
}

// sqrtMod returns a square root of v modulo the odd prime p < 2^16 (Tonelli and
// Shanks; Cohen, "A Course in Computational Algebraic Number Theory", 1.5.1).
func sqrtMod(v, p uint32) (uint32, bool) {
	if v == 0 {
		return 0, true
	}
	if arith.Jacobi(uint64(v), uint64(p)) != 1 {
		return 0, false
	}
	return arith.RootMod(v, p), true
}
