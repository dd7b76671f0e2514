package factor

import (
	"math"
)

// multiplierPrimes are the odd primes whose behaviour decides among the
// multipliers.
var multiplierPrimes = [...]uint64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61}

// multiplierWorth is a multiplier, with what it is worth.
type multiplierWorth struct {
	k    uint64
	at8  [8]float32                     // by n modulo 8: the prime 2, and the growth of kn
	sign [len(multiplierPrimes)]float32 // (k/p), times what a root modulo p is worth
	mean float32                        // what all these primes are worth on average
}

// multipliers are the small numbers without odd squares.
var multipliers = func() (t []multiplierWorth) {
	for k := uint64(1); k < 74; k++ {
		if k%4 == 0 || k%9 == 0 || k%25 == 0 || k%49 == 0 {
			continue
		}
		w := multiplierWorth{k: k}
		for n := range uint64(8) {
			score := -0.5 * math.Log(float64(k))
			switch k * n & 7 {
			case 1:
				score += 2 * math.Ln2
			case 5:
				score += math.Ln2
			case 3, 7:
				score += 0.5 * math.Ln2
			}
			w.at8[n] = float32(score)
		}
		for i, p := range multiplierPrimes {
			gain := math.Log(float64(p)) / float64(p-1)
			w.sign[i] = float32(gain) * float32(jacobi(k%p, p))
			w.mean += float32(gain)
		}
		t = append(t, w)
	}
	return t
}()

// multiplier returns the small k for which kn has the most small primes to
// offer (Knuth and Schroeppel; Silverman, section 5); rank 1 is the second best,
// and so on. A prime that has two roots of kn is worth 2 log p/(p-1), one that
// divides k half of that.
func multiplier(n triple, rank int) uint64 {
	var sign [len(multiplierPrimes)]float32
	for i, p := range multiplierPrimes {
		sign[i] = float32(jacobi(n.mod(p), p))
	}
	var scores [64]float32
	for j := range multipliers {
		w := &multipliers[j]
		score := w.at8[n[0]&7] + w.mean
		for i, s := range sign {
			score += s * w.sign[i]
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
			return multipliers[best].k
		}
		scores[best] = -1e9
	}
}

// qsPrimes are the odd primes that factor bases are taken from, all below 2^14.
var qsPrimes = func() (t []basePrime) {
	for _, p := range smallPrimes(1 << 14) {
		t = append(t, basePrime{p: uint32(p), log: uint8(math.Log2(float64(p)) + 0.5), exact: divisor{inverse2(p), ^uint64(0) / p, p}})
	}
	return t
}()

// rootTable holds the square roots modulo the primes below rootTableTo, which
// are most of the base of the common sizes: noRoot for non-residues. The table of
// qsPrimes[i] starts at rootStart[i].
var rootTable, rootStart = func() (t []uint16, start []int) {
	for _, b := range qsPrimes {
		if b.p > rootTableTo {
			break
		}
		from := len(t)
		start = append(start, from)
		for range b.p {
			t = append(t, noRoot)
		}
		for x := range b.p/2 + 1 {
			t[from+int(x*x%b.p)] = uint16(x)
		}
	}
	return t, start
}()

const (
	rootTableTo = 1000
	noRoot      = 1<<16 - 1
)

// fillBase sets the factor base: 2 and the odd primes modulo which kn is a
// square, its divisors included.
func (q *quadratic) fillBase() {
	q.base = append(q.base[:0], basePrime{p: 2, root: 1})
	q.first = 1
	for i := range qsPrimes {
		if len(q.base) == q.sp.base {
			break
		}
		b := qsPrimes[i]
		p := uint64(b.p)
		v := uint32(q.n.mod(p) * q.k % p)
		if i < len(rootStart) {
			root := rootTable[rootStart[i]+int(v)]
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
		if p < uint64(q.sp.from) {
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
	if jacobi(uint64(v), uint64(p)) != 1 {
		return 0, false
	}
	return rootMod(v, p), true
}

// inverseMod returns 1/x mod p for 0 < x < p, p prime.
func inverseMod(x, p uint32) uint32 {
	u, v := int32(p), int32(x)
	a, b := int32(0), int32(1)
	for v != 0 {
		t := u / v
		u, v = v, u-t*v
		a, b = b, a-t*b
	}
	if a < 0 {
		a += int32(p)
	}
	return uint32(a)
}
