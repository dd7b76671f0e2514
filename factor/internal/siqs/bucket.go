package siqs

import (
	"slices"

	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/sieve"
)

// buckets sort the hits of primes from bucketFrom on by block, so that a block is
// in the cache while they are added to it.
type buckets struct {
	entries   []uint32 // block after block, stride each: number of the prime in its slice << 16 | offset in the block
	stride    uint32
	filled    [maxBuckets]uint32 // index in entries where the next one of a block goes
	few       []uint32           // room for the lists of scatterFewASM, or of pickASM
	still     []uint32           // steps of zero
	slices    []slice
	stretches []stretch
	bounds    [][maxBuckets]uint32 // by slice, then block: filled after it
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
	s.few, s.still = make([]uint32, 2*pickRoom), make([]uint32, maxPick)
	for i := 0; i < count; {
		j := i + 1
		for j < count && s.logs[s.mid+j] == s.logs[s.mid+i] && j-i < 1<<16 {
			j++
		}
		s.slices = append(s.slices, slice{i, j, s.logs[s.mid+i]})
		s.stretches = append(s.stretches, s.cut(&s.slices[len(s.slices)-1])...)
		i = j
	}
	s.bounds = make([][maxBuckets]uint32, len(s.slices))
}

// maxStretch is how many primes are moved and entered at a time, so that their roots
// are still in the first cache. Of their hits scatterFewASM keeps two lists of fewRoom.
// pickASM does both at once, so its stretches may be longer: the loops over its lists, of
// pickRoom, end once a block, and when is hard to predict.
const (
	maxStretch = 512
	fewRoom    = 2*maxStretch + 32
	maxPick    = 1024
	pickRoom   = 2*maxPick + 32
)

// stretch is primes of a slice that are moved and then entered together.
type stretch struct {
	from, to int         // indices from mid on
	tag      uint32      // of the first, as an entry has it
	times    int         // hits of each root that are certain
	few      bool        // whether their hits are picked out first
	last     bool        // of its slice
	spans    [][2]uint32 // see hitSpans
}

// cut cuts a slice into stretches.
func (s *siever) cut(sl *slice) (all []stretch) {
	primes, end := s.primes[s.mid:], uint32(s.parameters.Length)
	for from := sl.from; from < sl.to; {
		times := end / primes[from]
		few := times == 0 && isFew(primes[from], end)
		to := min(from+maxStretch, sl.to)
		switch {
		case few && cpu.AVX2 && !cpu.AVX512:
			to = min(from+maxPick, sl.to)
		case times > 0:
			k, _ := slices.BinarySearch(primes[from:to], end/times+1)
			to = from + k
		}
		all = append(all, stretch{
			from: from, to: to, tag: uint32(from-sl.from) << 16, times: int(times),
			few:   few,
			spans: hitSpans(primes[from], primes[to-1], times, end),
		})
		from = to
	}
	all[len(all)-1].last = true
	return all
}

// stepLarge moves the large roots by step, or back, and fills the buckets; nil
// does not move them.
func (s *siever) stepLarge(step []uint32, minus bool) {
	blocks := (s.parameters.Length + sieve.BlockSize - 1) / sieve.BlockSize
	for b := range s.filled {
		s.filled[b] = uint32(min(b, blocks)) * s.stride
	}
	done := 0
	for i := range s.stretches {
		st := &s.stretches[i]
		switch {
		case st.few && cpu.AVX2 && !cpu.AVX512:
			s.moveFew(st, step, minus)
		case step != nil:
			s.moveLarge(step, st.from, st.to, minus)
			fallthrough
		default:
			s.enter(st)
		}
		if st.last {
			s.bounds[done] = s.filled
			done++
		}
	}
}

// moveFew moves the roots of a stretch, where most are beyond the sieve, and enters
// the hits.
func (s *siever) moveFew(st *stretch, step []uint32, minus bool) {
	if step == nil {
		step, minus = s.still, true
	} else {
		step = step[st.from:st.to]
	}
	end := uint32(s.parameters.Length)
	primes, r1, r2 := s.primes[s.mid:][st.from:st.to], s.large1[st.from:st.to], s.large2[st.from:st.to]
	n := len(primes) &^ 7
	if n > 0 {
		found := pickASM(&primes[0], &r1[0], &r2[0], &step[0], n, minus, end, &s.few[0], packs())
		if blocks := s.parameters.Length / sieve.BlockSize; blocks <= mostByBlock {
			enterByBlockASM(&s.few[0], found, &s.entries[0], &s.filled[0], st.tag, blocks, packs())
		} else {
			enterASM(&s.few[0], found, &s.entries[0], &s.filled[0], st.tag)
		}
	}
	if primes, r1, r2, step = primes[n:], r1[n:], r2[n:], step[n:]; len(primes) > 0 {
		found := pick(primes, r1, r2, step, minus, end, s.few)
		enterHits(s.few[:found], s.entries, &s.filled, st.tag+uint32(n)<<16)
	}
}

// mostByBlock is up to how many blocks hits are entered block by block, eight at once:
// that takes 0.16 ns a hit and block on a Zen 3, and entering them one by one 1.3 to 2.5
// ns, the less the more blocks there are.
const mostByBlock = 8

// moveLarge moves the large roots from from to to-1.
func (s *siever) moveLarge(step []uint32, from, to int, minus bool) {
	primes := s.primes[s.mid:]
	if n := (to - from) &^ 7; cpu.AVX2 && n > 0 {
		moveRootsASM(&primes[from], &s.large1[from], &s.large2[from], &step[from], n, minus)
		from += n
	}
	moveRoots(primes[from:to], s.large1[from:to], s.large2[from:to], step[from:to], minus)
}

// enter enters the hits of a stretch in the buckets.
func (s *siever) enter(st *stretch) {
	primes, end := s.primes[s.mid:], uint32(s.parameters.Length)
	from, tag := st.from, st.tag
	if n := (st.to - from) &^ 15; cpu.AVX512 && n > 0 {
		r1, r2, entries, filled := &s.large1[from], &s.large2[from], &s.entries[0], &s.filled[0]
		if st.few {
			scatterFewASM(r1, r2, n, entries, filled, tag, end, &s.few[0])
		} else {
			scatter16ASM(&primes[from], r1, r2, n, entries, filled, tag, &st.spans[0][0], st.times+1)
		}
		tag += uint32(n) << 16
		from += n
	}
	if n := (st.to - from) &^ 7; cpu.AVX2 && n > 0 {
		scatterASM(&primes[from], &s.large1[from], &s.large2[from], n, &s.entries[0], &s.filled[0], tag, &st.spans[0][0], st.times+1, packs())
		tag += uint32(n) << 16
		from += n
	}
	scatter(primes[from:st.to], s.large1[from:], s.large2[from:], s.entries, &s.filled, tag, st.times, end)
}

// isFew reports whether it is cheaper to pick the hits of primes from p on than to look
// at each block for eight of them, or sixteen with AVX-512: in cycles, on a Xeon 10 and 2
// a hit against 6 a block, and on a Zen 3 8 and 1, or 4 one by one, as whole
// polynomials tell at 80 and 95 digits.
func isFew(p, end uint32) bool {
	blocks, lanes, base, hit := uint64(end/sieve.BlockSize), uint64(8), uint64(8), uint64(4)
	switch {
	case cpu.AVX512:
		lanes, base, hit = 16, 10, 2
	case blocks <= mostByBlock:
		hit = 1
	}
	return base+hit*2*lanes*uint64(end)/uint64(p) < 6*blocks
}

// hitSpans returns for each hit of a root, times and one, the first block that it
// may be in, and the one after the last, for primes from low to high.
func hitSpans(low, high, times, end uint32) [][2]uint32 {
	blocks := (end + sieve.BlockSize - 1) / sieve.BlockSize
	spans := make([][2]uint32, times+1)
	for i := range times + 1 {
		first := i * low / sieve.BlockSize
		spans[i] = [2]uint32{min(first, blocks-1), min(((i+1)*high-1)/sieve.BlockSize+1, blocks)}
	}
	return spans
}

// emptyBucket adds the hits of a block to s.block.
func (s *siever) emptyBucket(number int) {
	from := uint32(number) * s.stride
	for i := range s.slices {
		to := s.bounds[i][number]
		switch entries := s.entries[from:to]; {
		case len(entries) == 0:
		case cpu.AVX2:
			addEntriesASM(&s.block[0], &entries[0], len(entries), s.slices[i].log)
		default:
			addEntries((*[sieve.BlockSize]byte)(s.block), entries, s.slices[i].log)
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
