package fft

import (
	"math"
	"math/big"
	"math/bits"
	"sync"
)

// Without IFMA, four primes are a quad: four residues are one vector of float64, since
// AVX2 has no products of words, and the fused products of FMA give both halves of a product of
// 53 bits. Residues are integers of either sign, below some multiple of p in absolute
// value; those of roots and other constants w are at most p/2, and have w/p, rounded, next to
// them. With x of up to A p, x w - round(x (w/p)) p is at most (1/2 + A p/2^53) p, and
// everything is exact below 2^53 (van der Hoeven, Lecerf, Quintin, "Modular SIMD arithmetic in
// Mathemagix", ACM TOMS 43 (2016)).
const (
	quadLanes = 4 // primes of a quad
	// quadBound bounds the primes: 2^53 is 4.57 p. Each layer of a transform takes values
	// of up to 3.13 p to such of up to 3.13 p again, with one of four reduced before, and up to 4.32 p in between.
	quadBound = 7 << 48
	// quadPrimeBits is the size of the primes, which are at most so little below quadBound.
	quadPrimeBits = 50.80
	// splitBits is how many bits the low part of a digit has, which is multiplied by 32 bits
	// at a time.
	splitBits = 28
	splitMask = 1<<splitBits - 1
	// powerBits is how many bits the low part of a power of 2^32 has.
	powerBits = 26
	powerMask = 1<<powerBits - 1
	// mostQuadBits bounds the numbers that quads are for: sums of products of 32 and 26 bits
	// over all words, and of 28 and 28 over all primes, are below 2^64.
	mostQuadBits = 2048
)

// quad is a residue modulo each prime of a quad.
type quad = [quadLanes]float64

// quadGroup is four primes. The fields up to highOver are read by the assembly, by their
// offsets.
type quadGroup struct {
	p, over        quad // p, 1/p
	high, highOver quad // 2^58 modulo p, and over p

	primes, root [quadLanes]uint64 // root: of order 2^rootBits

	mu              sync.Mutex
	forward, revert []quad // guarded by mu: roots, each with its quotient by p behind it, and the inverse ones
}

// quadGroups are made when they are first used.
var quadGroups struct {
	mu   sync.Mutex
	list []*quadGroup // guarded by mu
	next uint64       // guarded by mu: candidates below it have not been looked at
}

// quadGroupsFor returns as many quads as the least whose product is at least need.
func quadGroupsFor(need *big.Int) (list []*quadGroup, product *big.Int) {
	quadGroups.mu.Lock()
	defer quadGroups.mu.Unlock()
	if quadGroups.next == 0 {
		quadGroups.next = quadBound + 1
	}
	product = big.NewInt(1)
	for count := 0; product.Cmp(need) < 0; count++ {
		if count == len(quadGroups.list) {
			g := new(quadGroup)
			for i := range quadLanes {
				g.set(i, nextPrime(&quadGroups.next))
			}
			quadGroups.list = append(quadGroups.list, g)
		}
		for _, p := range quadGroups.list[count].primes {
			product.Mul(product, new(big.Int).SetUint64(p))
		}
		list = quadGroups.list[: count+1 : count+1]
	}
	return list, product
}

// quadsOf returns how many quads products of two polynomials of count coefficients modulo a
// number of that many bits take, at most.
func quadsOf(size, count int) int {
	return int(math.Ceil((2*float64(size) + math.Log2(float64(count)) + 1) / (quadLanes * quadPrimeBits)))
}

// set makes p the prime of lane i.
func (g *quadGroup) set(i int, p uint64) {
	g.primes[i], g.p[i], g.over[i] = p, float64(p), 1/float64(p)
	g.high[i], g.highOver[i] = balanced((1<<58)%p, p)
	g.root[i] = rootOf(p)
}

// balanced returns w modulo p, at most p/2 in absolute value, and that over p.
func balanced(w, p uint64) (v, over float64) {
	if v = float64(w); w > p/2 {
		v = -float64(p - w)
	}
	return v, v / float64(p)
}

// tables is [group.tables].
func (g *quadGroup) tables(count int) (forward, revert []quad) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if have := len(g.forward) / 2; have < count {
		f, r := make([]quad, 2*count), make([]quad, 2*count)
		for i, p := range g.primes {
			w, v := rootsOf(g.root[i], p, count)
			for b := range count {
				f[2*b][i], f[2*b+1][i] = balanced(w[b], p)
				r[2*b][i], r[2*b+1][i] = balanced(v[b], p)
			}
		}
		g.forward, g.revert = f, r
	}
	return g.forward, g.revert
}

// rootsOf returns the roots of the first count blocks of a layer modulo p, in the order of
// [group.tables], and their inverses.
func rootsOf(root, p uint64, count int) (w, v []uint64) {
	w, v = make([]uint64, count), make([]uint64, count)
	w[0], v[0] = 1, 1
	for b := 1; b < count; b++ { // roots[b] without its highest bit, times the root of that bit
		top := bits.Len(uint(b)) - 1
		rest := b - 1<<top
		if rest == 0 {
			e := uint64(1) << (rootBits - 2 - top)
			w[b], v[b] = powMod(root, e, p), powMod(root, 1<<rootBits-e, p)
			continue
		}
		w[b], v[b] = mulMod(w[rest], w[1<<top], p), mulMod(v[rest], v[1<<top], p)
	}
	return w, v
}

// times returns x w modulo p; over is w/p.
func times(x, w, over, p float64) float64 {
	h := float64(x * w)
	t := math.RoundToEven(float64(x * over))
	low := math.FMA(x, w, -h)
	return math.FMA(-t, p, h) + low
}

// lessen returns x modulo p, at most p/2 in absolute value but for rounding.
func lessen(x, p, over float64) float64 {
	return math.FMA(-math.RoundToEven(float64(x*over)), p, x)
}
