package qs

import (
	"math"
	"math/bits"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/sieve"
)

// Sieve is a self-initialising quadratic sieve for numbers from 2^61 to
// 2^141 with one large prime (Silverman, Math. Comp. 48 (1987), 329-339; Contini,
// "Factoring integers with the self-initializing quadratic sieve", 1997). All
// of it fits in the first cache. It is scratch of a Runner: start sets it up for
// a number, and its slices are kept from one number to the next.
//
// Notation: k is the multiplier, kn the number that is sieved; the polynomial
// (a x + b)^2 - kn = a Q(x), Q(x) = a x^2 + 2 b x + c, is sieved for -M <= x <
// M; a is a product of primes of the factor base, b^2 = kn modulo a.
type Sieve struct {
	n          arith.Uint192
	k          uint64
	kn         arith.Uint192
	parameters parameters

	base  []basePrime
	roots sieveRoots // of the polynomial at hand
	first int        // index of the first prime that is sieved with
	large uint64     // bound of the large prime

	polynomials
	sieve     []byte // BlockSize of them, for SieveRun
	runs      []sieve.Run
	logs      []uint8  // of the base, to sieve with
	pos1      []uint16 // scratch of fillSieve: positions on the way
	pos2      []uint16
	threshold byte
	room      int // bits that the large prime and rounding may leave
	relations
}

// basePrime is a prime of the factor base.
type basePrime struct {
	p     uint32
	root  uint32 // square root of kn modulo p; 0 if p divides k
	log   uint8  // of p to base 2, rounded
	exact arith.Divisor
}

// parameters are the parameters for numbers up to that many bits.
type parameters struct {
	bits   int
	base   int // primes in the factor base
	length int // of the sieve, 2M bytes
	large  int // bound of the large prime as a multiple of the largest prime
	from   int // primes below it are not sieved with: they cost more than they tell
	slack  int // bits that the first look gives away: those primes often bring more than on average
}

// parameterTable are what BenchmarkSemiprime liked best around the values that are
// known to be good (Zen 4, Go 1.26).
var parameterTable = [...]parameters{
	{64, 40, 1152, 30, 17, 2},
	{72, 56, 2048, 20, 17, 2},
	{80, 77, 3584, 30, 17, 2},
	{88, 108, 5120, 20, 17, 2},
	{96, 140, 7168, 60, 17, 2},
	{104, 225, 9216, 45, 29, 3},
	{112, 280, 12288, 60, 29, 3},
	{120, 420, 16384, 60, 29, 3},
	{128, 560, 21504, 60, 37, 4},
	{134, 740, 28672, 60, 37, 4},
	{141, 940, 32704, 60, 37, 4},
}

// LeastBits is the size from which the sieve works.
const LeastBits = 62

// MostBits is the size up to which the sieve works: |b| must be below 2^63, and
// is below 4a, where a is near sqrt(2 kn) / M.
const MostBits = 141

// parametersFor interpolates parameterTable; below, it takes the first.
func parametersFor(size int) parameters {
	size = max(size, parameterTable[0].bits)
	i := 1
	for i < len(parameterTable)-1 && parameterTable[i].bits < size {
		i++
	}
	lo, hi := parameterTable[i-1], parameterTable[i]
	at := func(a, b int) int { return a + (b-a)*(size-lo.bits)/(hi.bits-lo.bits) }
	s := hi
	s.bits, s.base = size, at(lo.base, hi.base)
	s.length = at(lo.length, hi.length) &^ 63
	s.large, s.from, s.slack = at(lo.large, hi.large), at(lo.from, hi.from), at(lo.slack, hi.slack)
	return s
}

// start sets q up for n, an odd composite above 2^61 without factors below 300
// that is not a power, with the multiplier of that rank.
func (q *Sieve) start(n arith.Uint192, rank int) {
	q.n = n
	q.parameters = parametersFor(n.Len())
	q.k = multiplier(n, rank)
	q.kn, _ = n.Mul(q.k)
	q.fillBase()
	q.startPolynomials()
	q.startRelations()
	q.sieve = arith.Resize(q.sieve, sieve.BlockSize)
	q.startRuns()
	largest := uint64(q.base[len(q.base)-1].p)
	q.large = largest * uint64(q.parameters.large)
	q.setThreshold()
}

// knFloat returns kn rounded.
func (q *Sieve) knFloat() float64 {
	return (float64(q.kn[2])*0x1p64+float64(q.kn[1]))*0x1p64 + float64(q.kn[0])
}

// setThreshold sets the sum of logarithms from which a position is tested: the
// size of Q less the large prime and what the small primes that are not sieved
// with bring on average.
func (q *Sieve) setThreshold() {
	size := math.Log2(math.Sqrt(q.knFloat()/2) * float64(q.parameters.length) / 2)
	skipped := 0.0
	for _, b := range q.base[:q.first] {
		skipped += 2 * math.Log2(float64(b.p)) / float64(b.p-1)
	}
	q.threshold = byte(max(size-math.Log2(float64(q.large))-skipped-float64(q.parameters.slack), 10))
	q.room = bits.Len64(q.large) + 1
}
