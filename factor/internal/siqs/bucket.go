package siqs

import (
	"slices"

	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/sieve"
)

// buckets sort the hits of primes from bucketFrom on by block, so that a block is
// in the cache while they are added to it.
type buckets struct {
	entries []uint32 // block after block, stride each: number of the prime in its slice << 16 | offset in the block
	stride  uint32
	filled  [maxBuckets]uint32 // index in entries where the next one of a block goes
	few     []uint32           // room for scatterFewASM
	slices  []slice
	bounds  [][maxBuckets]uint32 // by slice, then block: filled after it
}

// bucketFrom is the size of primes from which their hits are entered in buckets,
// eight at a time, instead of added to the block one by one. Measured at 60 to 80
// digits it hardly matters between a quarter of a block and a block.
const bucketFrom = 1 << 14

// maxBlocks bounds the blocks of a sieve. Roots beyond the sieve belong to buckets
// of no block, whose entries are not kept.
const (
	maxBlocks  = 32
	maxBuckets = maxBasePrime / sieve.BlockSize
)

// slice is a run of primes of the factor base with the same logarithm, at most
// 2^16 of them.
type slice struct {
	from, to int // indices from mid on
	log      uint8
}

// startBuckets cuts the large primes into slices.
func (s *siever) startBuckets() {
	blocks := (s.parameters.Length + sieve.BlockSize - 1) / sieve.BlockSize
	count := len(s.primes) - s.mid
	s.stride = 16 // so many are written at a time
	for _, p := range s.primes[s.mid:] {
		s.stride += 2 * (sieve.BlockSize/p + 1)
	}
	s.entries = make([]uint32, blocks*int(s.stride)+16)
	s.few = make([]uint32, 2*fewRoom)
	for i := 0; i < count; {
		j := i + 1
		for j < count && s.logs[s.mid+j] == s.logs[s.mid+i] && j-i < 1<<16 {
			j++
		}
		s.slices = append(s.slices, slice{i, j, s.logs[s.mid+i]})
		i = j
	}
	s.bounds = make([][maxBuckets]uint32, len(s.slices))
}

// stretch is how many primes are moved and then entered at a time. Of their hits
// scatterFewASM keeps two lists of fewRoom.
const (
	stretch = 512
	fewRoom = 2*stretch + 32
)

// stepLarge moves the large roots by step, or back, and fills the buckets; nil
// does not move them. It goes in pieces, so that the roots are still in the first
// cache when their hits are entered.
func (s *siever) stepLarge(step []uint32, minus bool) {
	blocks := (s.parameters.Length + sieve.BlockSize - 1) / sieve.BlockSize
	for b := range s.filled {
		s.filled[b] = uint32(min(b, blocks)) * s.stride
	}
	for i := range s.slices {
		sl := &s.slices[i]
		for from := sl.from; from < sl.to; from += stretch {
			to := min(from+stretch, sl.to)
			if step != nil {
				s.moveLarge(step, from, to, minus)
			}
			s.enter(from, to, uint32(from-sl.from)<<16)
		}
		s.bounds[i] = s.filled
	}
}

// moveLarge moves the large roots from from to to-1.
func (s *siever) moveLarge(step []uint32, from, to int, minus bool) {
	primes := s.primes[s.mid:]
	if n := (to - from) &^ 7; cpu.AVX2 && n > 0 {
		moveRootsASM(&primes[from], &s.large1[from], &s.large2[from], &step[from], n, minus)
		from += n
	}
	moveRoots(primes[from:to], s.large1[from:to], s.large2[from:to], step[from:to], minus)
}

// enter enters the hits of the large primes from from to to-1 in the buckets; tag
// is that of the first.
func (s *siever) enter(from, to int, tag uint32) {
	primes := s.primes[s.mid:]
	end := uint32(s.parameters.Length)
	for from < to {
		times := end / primes[from]
		next := to
		if times > 0 {
			k, _ := slices.BinarySearch(primes[from:to], end/times+1)
			next = from + k
		}
		if n := (next - from) &^ 15; cpu.AVX512 && n > 0 {
			r1, r2, entries, filled := &s.large1[from], &s.large2[from], &s.entries[0], &s.filled[0]
			if times == 0 && isFew(primes[from], end) {
				scatterFewASM(r1, r2, n, entries, filled, tag, end, &s.few[0])
			} else {
				spans := hitSpans(primes[from], primes[from+n-1], times, end)
				scatter16ASM(&primes[from], r1, r2, n, entries, filled, tag, &spans[0][0], int(times)+1)
			}
			tag += uint32(n) << 16
			from += n
		}
		if n := (next - from) &^ 7; cpu.AVX2 && n > 0 {
			spans := hitSpans(primes[from], primes[from+n-1], times, end)
			scatterASM(&primes[from], &s.large1[from], &s.large2[from], n, &s.entries[0], &s.filled[0], tag, &spans[0][0], int(times)+1, packs())
			tag += uint32(n) << 16
			from += n
		}
		scatter(primes[from:next], s.large1[from:], s.large2[from:], s.entries, &s.filled, tag, int(times), end)
		tag += uint32(next-from) << 16
		from = next
	}
}

// isFew reports whether it is cheaper to enter the hits of primes from p on one by
// one than to look at each block for sixteen of them: in cycles, as measured on a
// Xeon, 10 and 2 a hit against 6 a block.
func isFew(p, end uint32) bool {
	blocks := uint64(end / sieve.BlockSize)
	return 10+2*32*uint64(end)/uint64(p) < 6*blocks
}

// hitSpans returns for each hit of a root, times and one, the first block that it
// may be in, and the one after the last, for primes from low to high.
func hitSpans(low, high, times, end uint32) (spans [maxBlocks*sieve.BlockSize/bucketFrom + 1][2]uint32) {
	blocks := (end + sieve.BlockSize - 1) / sieve.BlockSize
	for i := range times + 1 {
		first := i * low / sieve.BlockSize
		spans[i] = [2]uint32{min(first, blocks-1), min(((i+1)*high-1)/sieve.BlockSize+1, blocks)}
	}
	return spans
}

// emptyBucket adds the hits of a block to s.block.
//
//go:norace
func (s *siever) emptyBucket(number int) {
	if len(s.slices) == 0 {
		return
	}
	b := (*[sieve.BlockSize]byte)(s.block)
	from := uint32(number) * s.stride
	for i := range s.slices {
		l := s.slices[i].log
		to := s.bounds[i][number]
		e := s.entries[from:to]
		for len(e) >= 4 {
			b[e[0]%sieve.BlockSize] += l
			b[e[1]%sieve.BlockSize] += l
			b[e[2]%sieve.BlockSize] += l
			b[e[3]%sieve.BlockSize] += l
			e = e[4:]
		}
		for _, v := range e {
			b[v%sieve.BlockSize] += l
		}
		from = to
	}
}

// bucketHits appends to hits the indices in the factor base of the large primes
// that divide Q at offset of the block.
func (s *siever) bucketHits(hits []int32, number, offset int) []int32 {
	from := number * int(s.stride)
	for i := range s.slices {
		to := int(s.bounds[i][number])
		base := int32(s.mid + s.slices[i].from)
		for from < to {
			lanes := 8
			switch {
			case cpu.AVX512:
				from, lanes = nextMatch16ASM(&s.entries[0], from, to, uint32(offset)), 16
			case cpu.AVX2:
				from = nextMatchASM(&s.entries[0], from, to, uint32(offset))
			default:
				from = nextMatch(s.entries, from, to, uint32(offset))
			}
			for end := min(from+lanes, to); from < end; from++ {
				if v := s.entries[from]; v%sieve.BlockSize == uint32(offset) {
					hits = append(hits, base+int32(v>>16))
				}
			}
		}
		from = to
	}
	return hits
}
