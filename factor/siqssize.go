package factor

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"sync"
)

// siqsSize are the parameters of the sieve for numbers up to that many bits.
type siqsSize struct {
	bits   int
	base   int     // primes in the factor base
	large  int     // bound of a large prime as a multiple of the largest prime
	length int     // of the sieve, 2M bytes; one block or less, or whole blocks
	skip   int     // primes below it are not sieved with
	double float64 // bound of two large primes as a power of the bound of one; 0: none
	slack  int     // bits that the first look at a position gives away
}

// blockSize is the part of the sieve that is worked on at a time: what the first
// cache holds.
const blockSize = 1 << 15

// siqsSizes are what BenchmarkSieve liked best on an AMD EPYC (Zen 4), Go 1.26,
// November 2026. `go run ./bench tune` measures them anew, and prints this table.
var siqsSizes = [...]siqsSize{
	{110, 240, 30, 1 << 15, 60, 0, 8},
	{130, 420, 40, 1 << 15, 90, 0, 8},
	{140, 550, 40, 1 << 15, 100, 0, 9},
	{150, 730, 50, 1 << 15, 110, 0, 12},
	{165, 1400, 60, 1 << 15, 150, 0, 12},
	{181, 2700, 100, 1 << 15, 256, 0, 13},
	{198, 5000, 100, 1 << 15, 256, 0, 13},
	{215, 8500, 110, 1 << 16, 256, 0, 14},
	{232, 13000, 100, 1 << 16, 256, 1.75, 8},
	{248, 22000, 100, 1 << 17, 256, 1.8, 8},
	{265, 40000, 100, 1 << 18, 256, 1.83, 8},
	{281, 56000, 110, 1 << 18, 256, 1.83, 8},
	{298, 72000, 120, 3 << 17, 256, 1.83, 8},
	{310, 86000, 120, 1 << 19, 256, 1.83, 8},
	{320, 100000, 120, 1 << 19, 256, 1.83, 8},
	{335, 116000, 120, 5 << 17, 256, 1.83, 8},
}

// siqsSizeFor interpolates siqsSizes.
func siqsSizeFor(bits int) siqsSize {
	i := 1
	for i < len(siqsSizes)-1 && siqsSizes[i].bits < bits {
		i++
	}
	lo, hi := siqsSizes[i-1], siqsSizes[i]
	share := min(max(float64(bits-lo.bits)/float64(hi.bits-lo.bits), 0), 1)
	s := hi
	s.bits = bits
	s.base = int(float64(lo.base)*math.Pow(float64(hi.base)/float64(lo.base), share) + 0.5)
	s.large = lo.large + int(float64(hi.large-lo.large)*share)
	s.skip = lo.skip + int(float64(hi.skip-lo.skip)*share)
	s.slack = lo.slack + int(float64(hi.slack-lo.slack)*share)
	if share < 0.5 {
		s.length, s.double = lo.length, lo.double
	}
	return s
}

// legendre holds, for each of multipliers, whether it is a square modulo the odd
// primes below 600: 1, -1, or 0 if the prime divides it.
var legendre = sync.OnceValue(func() (t struct {
	primes []uint64
	of     [][]int8
},
) {
	t.primes = smallPrimes(600)
	t.of = make([][]int8, len(multipliers))
	for i := range multipliers {
		k := multipliers[i].k
		t.of[i] = make([]int8, len(t.primes))
		for j, p := range t.primes {
			t.of[i][j] = int8(jacobi(k%p, p))
		}
	}
	return t
})

// siqsMultiplier returns the number attempt, from 0, of the multipliers of n in
// the order of how many small primes they have to offer (Knuth and Schroeppel;
// Silverman, section 5), or 0 if there are no more.
func siqsMultiplier(n *big.Int, attempt int) uint64 {
	t := legendre()
	if attempt >= len(multipliers) {
		return 0
	}
	mod := newReducer(n)
	of := make([]int8, len(t.primes))
	for j, p := range t.primes {
		of[j] = int8(jacobi(uint64(mod.rem(uint32(p))), p))
	}
	low := mod.words[0]
	scores := make([]float64, len(multipliers))
	for i := range multipliers {
		k := multipliers[i].k
		score := -0.5 * math.Log(float64(k))
		switch k * low & 7 {
		case 1: // Q is half as large, see siqsBase
			score += 3 * math.Ln2
		case 5:
			score += math.Ln2
		case 3, 7:
			score += 0.5 * math.Ln2
		}
		for j, p := range t.primes {
			gain := math.Log(float64(p)) / float64(p-1)
			switch of[j] * t.of[i][j] {
			case 0:
				score += gain
			case 1:
				score += 2 * gain
			}
		}
		scores[i] = score
	}
	order := make([]int, len(multipliers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	return multipliers[order[attempt]].k
}
