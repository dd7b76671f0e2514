package siqs

import (
	"math"
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/sieve"
)

// siever sieves the polynomials of one number: the tables of a runner, kept from
// one turn to the next.
type siever struct {
	*Base
	roots   []uint32 // t modulo each prime
	recip   []uint64 // floor((2^64-1)/p)
	halfMod []uint32 // M modulo each prime
	logs    []uint8  // of the primes to base 2, rounded; 0 if p divides k
	mid     int      // base[:mid] are below bucketFrom, base[mid:] go through the buckets

	coefficient  *coefficient
	base1, base2 []uint32             // roots, as positions, with all signs plus
	steps        [maxFactors][]uint32 // 2 B_j / l modulo each prime
	mediumSteps  [maxFactors][]uint16 // the same for the primes below mid
	products     []uint32             // 1/a modulo each prime, while a is set up
	sums         []uint32             // the sum of the B_j / a
	inverses     map[int][]uint16     // modulo primes that were in an a

	at      int // number of the current polynomial, -1: none
	b, m, c arith.Uint192

	medium           []uint16 // the primes below mid
	medium1, medium2 []uint16 // their roots
	pos1, pos2       []uint16 // the roots relative to the block at hand
	limit            []uint32 // floor((2^32-1)/p), odd p
	inverse          []uint32 // p^-1 modulo 2^32
	masks            []uint8  // which of them have a root at a position
	large1, large2   []uint32 // roots of the other primes
	buckets

	block     []byte
	runs      []sieve.Run // of the primes from first to mid-1
	threshold int         // sum of logarithms from which a position is looked at
	mostLeft  int         // bits that large primes come to at most, see setThreshold
	oneLeft   int         // a single one
	twoLeft   int         // two of them, at least
	hits      []int32
	list      []uint32
	relations []Relation
	runner    *Runner
}

// newSiever builds the tables of a runner for the number of base.
func newSiever(base *Base) *siever {
	s := &siever{Base: base, at: -1}
	count := len(base.primes)
	s.roots, s.halfMod, s.base1, s.base2 = make([]uint32, count), make([]uint32, count), make([]uint32, count), make([]uint32, count)
	s.products, s.sums = make([]uint32, count), make([]uint32, count)
	s.recip, s.logs = make([]uint64, count), make([]uint8, count)
	for i, p := range base.primes {
		s.roots[i] = base.rootOfKN(i)
		s.recip[i] = math.MaxUint64 / uint64(p)
		s.halfMod[i] = uint32(base.half() % int64(p))
		s.setLog(i)
		if p < bucketFrom {
			s.mid = i + 1
		}
	}
	s.medium, s.medium1, s.medium2 = make([]uint16, s.mid), make([]uint16, s.mid), make([]uint16, s.mid)
	s.pos1, s.pos2 = make([]uint16, s.mid), make([]uint16, s.mid)
	s.limit, s.inverse = make([]uint32, s.mid), make([]uint32, s.mid)
	for i, p := range base.primes[:s.mid] {
		s.medium[i] = uint16(p)
		s.limit[i] = math.MaxUint32 / p
		s.inverse[i] = uint32(arith.Inverse2(uint64(p)))
	}
	s.masks = make([]uint8, s.mid/8+8)
	s.large1, s.large2 = make([]uint32, count-s.mid), make([]uint32, count-s.mid)
	s.block = make([]byte, sieve.BlockSize)
	s.startRuns()
	s.startBuckets()
	s.setThreshold()
	return s
}

// setLog sets the logarithm that prime number i is sieved with: none if it divides
// k, for then Q has one root only.
func (s *siever) setLog(i int) {
	p := s.primes[i]
	if s.K%uint64(p) != 0 {
		s.logs[i] = uint8(math.Log2(float64(p)) + 0.5)
	}
}

// setThreshold says from which sum of logarithms a position is looked at: the
// size of Q less the large primes and what the small primes that are not sieved
// with bring on average.
//
// Once the small primes are divided out, the sum tells within some two bits what the
// large primes come to. A candidate is given up if that is more than is wanted, or
// between one large prime and the least product of two. With bounds that are two bits
// wider 1.7 times as many candidates are left at 70 digits, and a thirtieth more
// relations.
func (s *siever) setThreshold() {
	kn, _ := new(big.Float).SetInt(s.kn).Float64()
	size := math.Log2(math.Sqrt(kn/2)*float64(s.half())) - float64(s.shift)
	left := math.Log2(float64(s.large))
	if s.double > 0 {
		left = math.Log2(float64(s.double))
	}
	skipped := 2.0
	for _, p := range s.primes[1:s.first] {
		if s.K%uint64(p) != 0 {
			skipped += 2 * math.Log2(float64(p)) / float64(p-1)
		}
	}
	s.mostLeft = int(left + 2)
	s.oneLeft, s.twoLeft = s.mostLeft, s.mostLeft
	if s.double > 0 {
		s.mostLeft = int(left + 1.5)
		s.oneLeft = int(math.Log2(float64(s.large)) + 2)
		s.twoLeft = int(2*math.Log2(float64(s.primes[len(s.primes)-1])) + 1)
	}
	s.threshold = min(max(int(size-left-skipped)-s.parameters.Slack, 10), 127)
}

// sievePolynomial sieves the current polynomial and adds the relations it finds
// to s.found.
func (s *siever) sievePolynomial() {
	copy(s.pos1, s.medium1)
	copy(s.pos2, s.medium2)
	for start := 0; start < s.parameters.Length; start += sieve.BlockSize {
		block := s.block[:min(sieve.BlockSize, s.parameters.Length-start)]
		s.fillBlock(block)
		s.emptyBucket(start / sieve.BlockSize)
		s.scan(block, start)
	}
}

// fillBlock adds the logarithms of the primes below mid at their roots and moves
// the roots on to the next block. The bytes start so that the threshold is 128,
// the sign bit.
//
// A prime p hits a block of length e at least e/p times at each root; that count
// changes slowly from prime to prime, so that its loop is predicted well. Whether
// there is one more hit is not predictable: it is added without a branch, as
// zero if it is outside.
func (s *siever) fillBlock(block []byte) {
	start := byte(128 - s.threshold)
	if cpu.AVX2 {
		fillASM(&block[0], len(block), start)
	} else {
		fill(block, start)
	}
	sieve.AddRuns((*[sieve.BlockSize]byte)(s.block), s.runs, s.medium, s.pos1, s.pos2, s.logs, len(block))
}

// startRuns cuts the primes below mid that are sieved with into runs that hit a block the
// same number of times for certain.
func (s *siever) startRuns() {
	end := min(sieve.BlockSize, s.parameters.Length)
	for k := s.first; k < s.mid; {
		times, next := end/int(s.medium[k]), s.mid
		if times > 0 {
			at, _ := slices.BinarySearch(s.medium[k:], uint16(min(end/times, bucketFrom)+1))
			next = k + at
		}
		s.runs = append(s.runs, sieve.Run{From: k, To: next, Times: times})
		k = next
	}
}

// scan looks for positions of the block above the threshold.
func (s *siever) scan(block []byte, start int) {
	for i := 0; i < len(block); i += 64 {
		if cpu.AVX2 {
			i = nextSignASM(&block[0], i, len(block))
		} else {
			i = nextSign(block, i)
		}
		if i == len(block) {
			return
		}
		for j, v := range block[i : i+64] {
			if v >= 128 {
				s.candidate(start, i+j, int(v)-128+s.threshold)
			}
		}
	}
}
