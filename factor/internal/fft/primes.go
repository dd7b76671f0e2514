package fft

import (
	"math/big"
	"math/bits"
	"sync"
)

const (
	lanes    = 8  // primes of a group
	limbBits = 52 // of the integers that IFMA multiplies
	mask     = 1<<limbBits - 1
	// rootBits bounds the length of a transform: the primes have a root of unity of order
	// 2^rootBits.
	rootBits = 18
	// primeBits is the size of the primes: 4p^2 < 2^104 lets Montgomery's product take
	// factors below 2p, and primes are at most so little below 2^51 that primeBits of them
	// count.
	primeBits = 51
	// MaxLength is the longest product of two polynomials, in coefficients.
	MaxLength = 1 << rootBits
)

// vec is a residue modulo each prime of a group.
type vec = [lanes]uint64

// group is eight primes. The fields up to high are read by the assembly, by their offsets.
type group struct {
	p, twoP, negP, inverse vec // p, 2p, 2^52 - p, 1/p modulo 2^52
	fold, foldQ            vec // 2^52 mod p
	high, highQ            vec // 2^104 mod p
	reciprocal             [lanes]float64

	root [lanes]uint64 // of order 2^rootBits

	mu              sync.Mutex
	forward, revert []vec // guarded by mu: roots and their quotients, alternating, and the inverse ones
}

// groups are made when they are first used.
var groups struct {
	mu   sync.Mutex
	list []*group // guarded by mu
	next uint64   // guarded by mu: candidates below it have not been looked at
}

// groupsFor returns the first count groups.
func groupsFor(count int) []*group {
	groups.mu.Lock()
	defer groups.mu.Unlock()
	if groups.next == 0 {
		groups.next = 1<<primeBits + 1
	}
	for len(groups.list) < count {
		g := new(group)
		for i := range lanes {
			g.set(i, nextPrime(&groups.next))
		}
		groups.list = append(groups.list, g)
	}
	return groups.list[:count:count]
}

// nextPrime returns the next prime below from, which it moves there.
func nextPrime(from *uint64) uint64 {
	for {
		*from -= 1 << rootBits
		if new(big.Int).SetUint64(*from).ProbablyPrime(0) { // no error below 2^64
			return *from
		}
	}
}

// rootOf returns a root of unity of order 2^rootBits modulo p.
func rootOf(p uint64) uint64 {
	for x := uint64(2); ; x++ { // a power of a number that is no square has the whole order
		if r := powMod(x, (p-1)>>rootBits, p); powMod(r, 1<<(rootBits-1), p) == p-1 {
			return r
		}
	}
}

// set makes p the prime of lane i.
func (g *group) set(i int, p uint64) {
	inv := p // Newton: each step doubles the bits that are right, from 3
	for range 5 {
		inv *= 2 - p*inv
	}
	g.p[i], g.twoP[i], g.negP[i], g.inverse[i] = p, 2*p, 1<<limbBits-p, inv&mask
	g.fold[i] = (1 << limbBits) % p
	g.foldQ[i] = quotient(g.fold[i], p)
	g.high[i] = mulMod(g.fold[i], g.fold[i], p)
	g.highQ[i] = quotient(g.high[i], p)
	g.reciprocal[i] = 1 / float64(p)
	g.root[i] = rootOf(p)
}

// quotient returns floor(w 2^52/p), for w < p.
func quotient(w, p uint64) uint64 {
	q, _ := bits.Div64(w>>(64-limbBits), w<<limbBits, p)
	return q
}

func mulMod(a, b, p uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, r := bits.Div64(hi%p, lo, p)
	return r
}

func powMod(x, e, p uint64) uint64 {
	r := uint64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			r = mulMod(r, x, p)
		}
		x = mulMod(x, x, p)
	}
	return r
}

// tables returns the roots of the first count blocks of a layer and their inverses, each
// with its quotient behind it. roots[b] is the root of order 2^rootBits to the power of b's
// bits in reverse order.
func (g *group) tables(count int) (forward, revert []vec) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if have := len(g.forward) / 2; have < count {
		f, r := make([]vec, 2*count), make([]vec, 2*count)
		for i, p := range g.p {
			w, v := rootsOf(g.root[i], p, count)
			for b := range count {
				f[2*b][i], f[2*b+1][i] = w[b], quotient(w[b], p)
				r[2*b][i], r[2*b+1][i] = v[b], quotient(v[b], p)
			}
		}
		g.forward, g.revert = f, r
	}
	return g.forward, g.revert
}
