package factor

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
)

// siqsBase is what the sieve of one number depends on: machines and runners
// build the same one from what a payload says.
//
// Notation, here and in the files siqs*.go: k is the multiplier, kn the number
// that is sieved, t its square root modulo a prime of the factor base. A
// polynomial is y = l x + b with y^2 - kn = l' Q(x), where l = a and l' = a, or,
// if kn = 1 modulo 8, b is odd, l = 2a and l' = 4a; a is a product of primes of
// the factor base. Q is sieved for -M <= x < M; x + M is a position. A relation
// is a Q(x) that splits over the factor base but for up to two large primes.
//
// The loops over the sieve and the factor base are marked go:norace: their slices
// belong to one runner, and the race detector makes them 40 times slower.
type siqsBase struct {
	n, kn  *big.Int
	mod    *reducer // of kn
	k      uint64
	size   siqsSize
	shift  uint     // 1 if l = 2a, else 0
	primes []uint32 // the factor base, ascending: 2, and odd primes modulo which kn is a square
	first  int      // index of the first prime that is sieved with
	large  uint64   // bound of large primes, exclusive
	double uint64   // bound of the product of two large primes, exclusive; 0: at most one
	// divisor is a prime up to the largest of the factor base that divides n; 0:
	// none. Then there is no more to say about n, and the rest is not filled in.
	divisor uint32
}

// Bounds of what can be sieved: Q must fit in 191 bits.
const (
	siqsMinBits  = 90
	siqsMaxBits  = 335
	maxBasePrime = 1 << 22
	maxBaseSize  = 1 << 17
)

// newSiqsBase builds the tables for n odd, siqsMinBits to siqsMaxBits long, with
// multiplier k.
func newSiqsBase(n *big.Int, k uint64, size siqsSize) *siqsBase {
	b := beginBase(n, k, size)
	for !b.extend() {
	}
	return b.base
}

// baseBuilder builds a siqsBase piece by piece.
type baseBuilder struct {
	base *siqsBase
	mod  *reducer // of n
	at   uint64   // the primes below it are in
	done bool
}

func beginBase(n *big.Int, k uint64, size siqsSize) *baseBuilder {
	s := &siqsBase{n: n, k: k, size: size}
	s.kn = new(big.Int).Mul(n, new(big.Int).SetUint64(k))
	s.mod = newReducer(s.kn)
	if s.mod.words[0]&7 == 1 {
		s.shift = 1
	}
	s.primes = append(make([]uint32, 0, size.base), 2)
	return &baseBuilder{base: s, mod: newReducer(n), at: 3}
}

// extend looks at the next primes for at most a millisecond, and reports whether the
// base is complete.
func (b *baseBuilder) extend() (done bool) {
	const span = 1 << 15
	s := b.base
	if b.done {
		return true
	}
	for _, p := range primesBetween(nil, b.at, b.at+span) {
		p := uint32(p)
		if len(s.primes) == s.size.base || p > maxBasePrime {
			break
		}
		r := b.mod.rem(p)
		if r == 0 {
			s.divisor, b.done = p, true
			return true
		}
		v := uint64(r) * (s.k % uint64(p)) % uint64(p)
		if v != 0 && !isSquareMod(v, uint64(p)) {
			continue
		}
		s.primes = append(s.primes, p)
	}
	b.at += span
	if len(s.primes) < s.size.base && b.at <= maxBasePrime {
		return false
	}
	s.first, _ = slices.BinarySearch(s.primes, uint32(s.size.skip))
	largest := uint64(s.primes[len(s.primes)-1])
	s.large = largest * uint64(s.size.large)
	if s.size.double > 0 {
		s.double = uint64(math.Pow(float64(s.large), s.size.double))
	}
	b.done = true
	return true
}

// half returns M.
func (s *siqsBase) half() int64 { return int64(s.size.length / 2) }

// wantA returns the a for which |Q| stays smallest over the sieve.
func (s *siqsBase) wantA() float64 {
	kn, _ := new(big.Float).SetInt(s.kn).Float64()
	return math.Sqrt(2*kn) / float64(s.half()) / float64(int(1)<<s.shift)
}

// siqsRoot returns t modulo the prime number i of the factor base.
func (s *siqsBase) siqsRoot(i int) uint32 {
	p := s.primes[i]
	return uint32(rootMod(uint64(s.mod.rem(p)), uint64(p)))
}

// reducer takes remainders of one number by many small primes.
type reducer struct{ words []uint64 }

func newReducer(n *big.Int) *reducer {
	w := make([]uint64, (n.BitLen()+63)/64)
	words(w, n)
	return &reducer{w}
}

// rem returns the number modulo p.
func (r *reducer) rem(p uint32) uint32 {
	var rem uint64
	for i := len(r.words) - 1; i >= 0; i-- {
		w := r.words[i]
		rem = (rem<<32 | w>>32) % uint64(p)
		rem = (rem<<32 | w&0xffffffff) % uint64(p)
	}
	return uint32(rem)
}

// isSquareMod reports whether v, not 0 modulo the odd prime p, is a square.
func isSquareMod(v, p uint64) bool { return jacobi(v, p) == 1 }

// rootMod returns a square root of v modulo the prime p, v a square or zero; p^2
// must be in the range of the type (Tonelli and Shanks; Cohen, "A Course in Computational Algebraic Number
// Theory", 1.5.1).
func rootMod[T uint32 | uint64](v, p T) T {
	if v == 0 || p == 2 {
		return v
	}
	if p&3 == 3 {
		return expMod(v, (p+1)/4, p)
	}
	s := bits.TrailingZeros64(uint64(p - 1))
	d := (p - 1) >> s
	z := T(2)
	for jacobi(uint64(z), uint64(p)) != -1 {
		z++
	}
	y := expMod(z, d, p)
	x := expMod(v, (d-1)/2, p)
	b := x * x % p * v % p
	x = x * v % p
	for b != 1 {
		m, t := 0, b
		for t != 1 {
			t = t * t % p
			m++
		}
		for range s - m - 1 {
			y = y * y % p
		}
		x = x * y % p
		y = y * y % p
		b = b * y % p
		s = m
	}
	return x
}

// expMod returns x^e mod p; p^2 must be in the range of the type.
func expMod[T uint32 | uint64](x, e, p T) T {
	y := T(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			y = y * x % p
		}
		x = x * x % p
	}
	return y
}
