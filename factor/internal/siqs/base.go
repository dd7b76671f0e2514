package siqs

import (
	"math"
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
)

// Base is what the sieve of one number depends on: machines and runners
// build the same one from what a payload says.
//
// Notation, here and in the whole package: k is the multiplier, kn the number
// that is sieved, t its square root modulo a prime of the factor base. A
// polynomial is y = l x + b with y^2 - kn = l' Q(x), where l = a and l' = a, or,
// if kn = 1 modulo 8, b is odd, l = 2a and l' = 4a; a is a product of primes of
// the factor base. Q is sieved for -M <= x < M; x + M is a position. A relation
// is a Q(x) that splits over the factor base but for up to two large primes.
//
// The loops over the sieve and the factor base are marked go:norace: their slices
// belong to one runner, and the race detector makes them 40 times slower.
type Base struct {
	N, kn      *big.Int
	mod        *arith.Reducer // of kn
	K          uint64
	parameters Parameters
	shift      uint     // 1 if l = 2a, else 0
	primes     []uint32 // the factor base, ascending: 2, and odd primes modulo which kn is a square
	first      int      // index of the first prime that is sieved with
	large      uint64   // bound of large primes, exclusive
	double     uint64   // bound of the product of two large primes, exclusive; 0: at most one
	// Divisor is a prime up to the largest of the factor base that divides n; 0:
	// none. Then there is no more to say about n, and the rest is not filled in.
	Divisor uint32
}

// Bounds of what can be sieved: Q must fit in 191 bits.
const (
	minBits      = 90
	maxBits      = 335
	maxBasePrime = 1 << 22
	maxBaseSize  = 1 << 17
)

// newBase builds the tables for n odd, minBits to maxBits long, with
// multiplier k.
func newBase(n *big.Int, k uint64, size Parameters) *Base {
	b := BeginBase(n, k, size)
	for !b.Extend() {
	}
	return b.Base
}

// BaseBuilder builds a Base piece by piece.
type BaseBuilder struct {
	Base *Base
	mod  *arith.Reducer // of n
	at   uint64         // the primes below it are in
	done bool
}

// BeginBase returns a builder of the tables for n odd, minBits to maxBits long, with
// multiplier k. They are complete once [BaseBuilder.Extend] is true.
func BeginBase(n *big.Int, k uint64, size Parameters) *BaseBuilder {
	s := &Base{N: n, K: k, parameters: size}
	s.kn = new(big.Int).Mul(n, new(big.Int).SetUint64(k))
	s.mod = arith.NewReducer(s.kn)
	if s.mod.Words[0]&7 == 1 {
		s.shift = 1
	}
	s.primes = append(make([]uint32, 0, size.Base), 2)
	return &BaseBuilder{Base: s, mod: arith.NewReducer(n), at: 3}
}

// Extend looks at the next primes for at most a millisecond, and reports whether the
// base is complete.
func (b *BaseBuilder) Extend() (done bool) {
	const span = 1 << 15
	s := b.Base
	if b.done {
		return true
	}
	for _, p := range arith.PrimesBetween(nil, b.at, b.at+span) {
		p := uint32(p)
		if len(s.primes) == s.parameters.Base || p > maxBasePrime {
			break
		}
		r := b.mod.Rem(p)
		if r == 0 {
			s.Divisor, b.done = p, true
			return true
		}
		v := uint64(r) * (s.K % uint64(p)) % uint64(p)
		if v != 0 && !arith.IsSquareMod(v, uint64(p)) {
			continue
		}
		s.primes = append(s.primes, p)
	}
	b.at += span
	if len(s.primes) < s.parameters.Base && b.at <= maxBasePrime {
		return false
	}
	s.first, _ = slices.BinarySearch(s.primes, uint32(s.parameters.Skip))
	largest := uint64(s.primes[len(s.primes)-1])
	s.large = largest * uint64(s.parameters.Large)
	if s.parameters.Double > 0 {
		s.double = uint64(math.Pow(float64(s.large), s.parameters.Double))
	}
	b.done = true
	return true
}

// half returns M.
func (s *Base) half() int64 { return int64(s.parameters.Length / 2) }

// wantA returns the a for which |Q| stays smallest over the sieve.
func (s *Base) wantA() float64 {
	kn, _ := new(big.Float).SetInt(s.kn).Float64()
	return math.Sqrt(2*kn) / float64(s.half()) / float64(int(1)<<s.shift)
}

// rootOfKN returns t modulo the prime number i of the factor base.
func (s *Base) rootOfKN(i int) uint32 {
	p := s.primes[i]
	return uint32(arith.RootMod(uint64(s.mod.Rem(p)), uint64(p)))
}
