package siqs

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/sieve"
)

// Parameters are the parameters of the sieve for numbers up to that many bits.
type Parameters struct {
	bits   int
	Base   int     // primes in the factor base
	Large  int     // bound of a large prime as a multiple of the largest prime
	Length int     // of the sieve, 2M bytes; one block or less, or whole blocks
	Skip   int     // primes below it are not sieved with
	Double float64 // bound of two large primes as a power of the bound of one; 0: none
	Slack  int     // bits that the first look at a position gives away
}

// parameterTable are what BenchmarkSieve liked best on an AMD EPYC (Zen 4), Go 1.26,
// November 2026. `go run ./bench tune` measures them again, and prints this table.
var parameterTable = [...]Parameters{
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

// parametersAVX2 take the place of the last rows of parameterTable where there is AVX2
// and no AVX-512: there a root beyond the sieve costs little more than to move it, so that
// shorter sieves with more primes win. Measured on a Zen 3.
var parametersAVX2 = [...]Parameters{
	{198, 5100, 110, 1 << 15, 330, 0, 13},
	{215, 9500, 120, 1 << 15, 350, 0, 14},
	{232, 13000, 80, 1 << 15, 300, 1.77, 8},
	{248, 22000, 80, 1 << 16, 300, 1.8, 8},
	{265, 37000, 80, 1 << 17, 300, 1.83, 8},
	{281, 56000, 100, 1 << 17, 300, 1.83, 8},
	{298, 80000, 120, 3 << 16, 300, 1.83, 8},
	{310, 98000, 120, 3 << 16, 300, 1.83, 8},
	{320, 114000, 120, 3 << 16, 300, 1.83, 8},
	{335, 130000, 120, 1 << 18, 300, 1.83, 8},
}

// row returns row i of the table for this processor.
func row(i int) Parameters {
	if j := i - (len(parameterTable) - len(parametersAVX2)); j >= 0 && cpu.AVX2 && !cpu.AVX512 {
		return parametersAVX2[j]
	}
	return parameterTable[i]
}

// ParametersFor interpolates between the rows.
func ParametersFor(bits int) Parameters {
	i := 1
	for i < len(parameterTable)-1 && parameterTable[i].bits < bits {
		i++
	}
	lo, hi := row(i-1), row(i)
	share := min(max(float64(bits-lo.bits)/float64(hi.bits-lo.bits), 0), 1)
	s := hi
	s.bits = bits
	s.Base = int(float64(lo.Base)*math.Pow(float64(hi.Base)/float64(lo.Base), share) + 0.5)
	s.Large = lo.Large + int(float64(hi.Large-lo.Large)*share)
	s.Skip = lo.Skip + int(float64(hi.Skip-lo.Skip)*share)
	s.Slack = lo.Slack + int(float64(hi.Slack-lo.Slack)*share)
	if share < 0.5 {
		s.Length, s.Double = lo.Length, lo.Double
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
	t.primes = arith.SmallPrimes(600)
	t.of = make([][]int8, len(sieve.Multipliers()))
	for i := range sieve.Multipliers() {
		k := sieve.Multipliers()[i].K
		t.of[i] = make([]int8, len(t.primes))
		for j, p := range t.primes {
			t.of[i][j] = int8(arith.Jacobi(k%p, p))
		}
	}
	return t
})

// Multiplier returns the number attempt, from 0, of the multipliers of n in
// the order of how many small primes they have to offer (Knuth and Schroeppel;
// Silverman, section 5), or 0 if there are no more.
func Multiplier(n *big.Int, attempt int) uint64 {
	t := legendre()
	if attempt >= len(sieve.Multipliers()) {
		return 0
	}
	mod := arith.NewReducer(n)
	of := make([]int8, len(t.primes))
	for j, p := range t.primes {
		of[j] = int8(arith.Jacobi(uint64(mod.Rem(uint32(p))), p))
	}
	low := mod.Words[0]
	scores := make([]float64, len(sieve.Multipliers()))
	for i := range sieve.Multipliers() {
		k := sieve.Multipliers()[i].K
		score := -0.5 * math.Log(float64(k))
		switch k * low & 7 {
		case 1: // Q is half as large, see Base
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
	order := make([]int, len(sieve.Multipliers()))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	return sieve.Multipliers()[order[attempt]].K
}
