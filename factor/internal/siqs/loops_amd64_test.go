//go:build !purego

package siqs

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/sieve"
)

// rootsOfPrimes returns two random residues modulo each prime, and a third.
func rootsOfPrimes(r *rand.Rand, primes []uint32) (r1, r2, step []uint32) {
	for _, p := range primes {
		r1 = append(r1, r.Uint32N(p))
		r2 = append(r2, r.Uint32N(p))
		step = append(step, r.Uint32N(p))
	}
	return r1, r2, step
}

// narrow returns the values as 16 bits.
func narrow(v []uint32) []uint16 {
	w := make([]uint16, len(v))
	for i := range v {
		w[i] = uint16(v[i])
	}
	return w
}

// TestLoops holds the assembly of each loop against the Go.
func TestLoops(t *testing.T) {
	if !cpu.AVX2 {
		t.Log("this CPU has no AVX2")
		return
	}
	r := factortest.Seeded(t)
	var odd []uint32
	for _, p := range arith.SmallPrimes(1 << 20) {
		odd = append(odd, uint32(p))
	}
	mid, _ := slices.BinarySearch(odd, bucketFrom)
	for round := range 40 {
		from := r.IntN(mid - 20)
		medium := odd[from : from+16+r.IntN(mid-from-16)]
		at := mid + r.IntN(5000)
		if round%2 == 0 { // beyond most sieves
			at = r.IntN(len(odd)-mid-1600) + mid
		}
		large := odd[at:][:8*(1+r.IntN(200))]
		testMoves(t, r, medium, large)
		testScatter(t, r, large)
		testMasks(t, r, medium, round)
		testSearches(t, r)
	}
}

func testMoves(t *testing.T, r *rand.Rand, medium, large []uint32) {
	t.Helper()
	minus := r.IntN(2) == 0
	a1, a2, step := rootsOfPrimes(r, large)
	b1, b2 := slices.Clone(a1), slices.Clone(a2)
	moveRoots(large, a1, a2, step, minus)
	moveRootsASM(&large[0], &b1[0], &b2[0], &step[0], len(large), minus)
	if !slices.Equal(a1, b1) || !slices.Equal(a2, b2) {
		t.Fatal("moveRoots")
	}
	medium = medium[:len(medium)&^15]
	a1, a2, step = rootsOfPrimes(r, medium)
	p, s, c1, c2, d1, d2 := narrow(medium), narrow(step), narrow(a1), narrow(a2), narrow(a1), narrow(a2)
	moveRoots16(p, c1, c2, s, minus)
	moveRoots16ASM(&p[0], &d1[0], &d2[0], &s[0], len(p), minus)
	if !slices.Equal(c1, d1) || !slices.Equal(c2, d2) {
		t.Fatal("moveRoots16")
	}
}

func testScatter(t *testing.T, r *rand.Rand, primes []uint32) {
	t.Helper()
	blocks := 1 + r.IntN(20)
	end := uint32(blocks * sieve.BlockSize)
	times := end / primes[0]
	last := slices.IndexFunc(primes, func(p uint32) bool { return end/p != times })
	if last >= 0 {
		primes = primes[:last&^7]
	}
	if len(primes) == 0 {
		return
	}
	r1, r2, _ := rootsOfPrimes(r, primes)
	stride := 16*len(primes) + 16
	fill := func(scatter func(entries []uint32, filled *[maxBuckets]uint32)) (buckets [][]uint32) {
		entries := make([]uint32, stride*(blocks+1)+16)
		var filled [maxBuckets]uint32
		for b := range filled {
			filled[b] = uint32(min(b, blocks) * stride)
		}
		scatter(entries, &filled)
		for b := range blocks {
			bucket := entries[b*stride : filled[b]]
			slices.Sort(bucket)
			buckets = append(buckets, bucket)
		}
		return buckets
	}
	want := fill(func(entries []uint32, filled *[maxBuckets]uint32) {
		scatter(primes, r1, r2, entries, filled, 5<<16, int(times), end)
	})
	compare := func(name string, scatter func(entries []uint32, filled *[maxBuckets]uint32)) {
		t.Helper()
		got := fill(scatter)
		for b := range want {
			if !slices.Equal(got[b], want[b]) {
				t.Fatalf("%s of %d primes from %d into %d blocks: bucket %d", name, len(primes), primes[0], blocks, b)
			}
		}
	}
	spans := hitSpans(primes[0], primes[len(primes)-1], times, end)
	compare("scatterASM", func(entries []uint32, filled *[maxBuckets]uint32) {
		scatterASM(&primes[0], &r1[0], &r2[0], len(primes), &entries[0], &filled[0], 5<<16, &spans[0][0], int(times)+1, packs())
	})
	if times == 0 {
		testPick(t, r, primes, r1, r2, end, compare)
	}
	if !cpu.AVX512 || len(primes)%16 != 0 {
		return
	}
	compare("scatter16ASM", func(entries []uint32, filled *[maxBuckets]uint32) {
		scatter16ASM(&primes[0], &r1[0], &r2[0], len(primes), &entries[0], &filled[0], 5<<16, &spans[0][0], int(times)+1)
	})
	if times > 0 {
		return
	}
	few := make([]uint32, 2*fewRoom)
	compare("scatterFewASM", func(entries []uint32, filled *[maxBuckets]uint32) {
		for from := 0; from < len(primes); from += maxStretch {
			n := min(maxStretch, len(primes)-from)
			scatterFewASM(&r1[from], &r2[from], n, &entries[0], &filled[0], uint32(5+from)<<16, end, &few[0])
		}
	})
}

// testPick moves roots to r1 and r2 and enters them, in Go and in assembly, and mixed.
func testPick(t *testing.T, r *rand.Rand, primes, r1, r2 []uint32, end uint32, compare func(string, func([]uint32, *[maxBuckets]uint32))) {
	t.Helper()
	for _, minus := range []bool{false, true} {
		_, _, step := rootsOfPrimes(r, primes)
		a1, a2 := slices.Clone(r1), slices.Clone(r2)
		moveRoots(primes, a1, a2, step, !minus)
		for asm := range 6 {
			compare("pick", func(entries []uint32, filled *[maxBuckets]uint32) {
				b1, b2 := slices.Clone(a1), slices.Clone(a2)
				hits := make([]uint32, 2*pickRoom)
				for from := 0; from < len(primes); from += maxPick {
					n := min(maxPick, len(primes)-from)
					found, tag := 0, uint32(5+from)<<16
					if asm&1 == 0 {
						found = pick(primes[from:from+n], b1[from:], b2[from:], step[from:], minus, end, hits)
					} else {
						found = pickASM(&primes[from], &b1[from], &b2[from], &step[from], n, minus, end, &hits[0], packs())
					}
					switch asm / 2 {
					case 0:
						enterHits(hits[:found], entries, filled, tag)
					case 1:
						enterASM(&hits[0], found, &entries[0], &filled[0], tag)
					case 2:
						enterByBlockASM(&hits[0], found, &entries[0], &filled[0], tag, int(end/sieve.BlockSize), packs())
					}
				}
				if !slices.Equal(b1, r1) || !slices.Equal(b2, r2) {
					t.Fatal("pick: roots")
				}
			})
		}
	}
}

func testMasks(t *testing.T, r *rand.Rand, primes []uint32, round int) {
	t.Helper()
	primes = primes[:len(primes)&^7]
	r1, r2, _ := rootsOfPrimes(r, primes)
	x := r.Uint32N(1 << 21)
	limit, inverse := make([]uint32, len(primes)), make([]uint32, len(primes))
	for i, p := range primes {
		limit[i], inverse[i] = math.MaxUint32/p, uint32(arith.Inverse2(uint64(p)))
		if i%5 == round%5 {
			r1[i] = x % p
		}
		if i%7 == round%7 {
			r2[i] = x % p
		}
	}
	p, a, b := narrow(primes), narrow(r1), narrow(r2)
	got, want := make([]uint8, len(p)/8), make([]uint8, len(p)/8)
	rootMasks(x, p, a, b, limit, inverse, want)
	rootMasksASM(x, &p[0], &a[0], &b[0], &limit[0], &inverse[0], len(p), &got[0])
	if !slices.Equal(got, want) {
		t.Fatal("rootMasks")
	}
	for i := range p {
		if (want[i/8]>>(i%8)&1 == 1) != (x%primes[i] == r1[i] || x%primes[i] == r2[i]) {
			t.Fatalf("rootMasks: %d modulo %d, roots %d and %d", x, primes[i], r1[i], r2[i])
		}
	}
}

func testAdd(t *testing.T, r *rand.Rand, entries []uint32) {
	t.Helper()
	var got, want [sieve.BlockSize]byte
	log := uint8(r.IntN(256))
	addEntries(&want, entries, log)
	addEntriesASM(&got[0], &entries[0], len(entries), log)
	if got != want {
		t.Fatal("addEntries")
	}
}

func testSearches(t *testing.T, r *rand.Rand) {
	t.Helper()
	block := make([]byte, 64*(1+r.IntN(20)))
	filled, start := slices.Clone(block), byte(r.IntN(128))
	fill(block, start)
	if fillASM(&filled[0], len(filled), start); !slices.Equal(filled, block) {
		t.Fatal("fill")
	}
	for range r.IntN(3) {
		block[r.IntN(len(block))] = byte(128 + r.IntN(128))
	}
	for from := 0; from < len(block); from += 64 {
		if got, want := nextSignASM(&block[0], from, len(block)), nextSign(block, from); got != want {
			t.Fatalf("nextSign from %d: %d, want %d", from, got, want)
		}
	}
	entries := make([]uint32, 110)
	for i := range entries {
		entries[i] = r.Uint32N(1<<16)<<16 | r.Uint32N(200)
	}
	from, to := r.IntN(40), 40+r.IntN(50)
	if r.IntN(4) > 0 { // else there are some matches
		for i := range entries {
			entries[i] |= 1 << 10
		}
		entries[r.IntN(len(entries))] = 5<<16 | 7
	}
	testAdd(t, r, entries[from:to])
	want := nextMatch(entries, from, to, 7)
	check := func(got, lanes int) {
		t.Helper()
		beyond := want == to && got < to && slices.ContainsFunc(entries[got:got+lanes], func(v uint32) bool { return v%sieve.BlockSize == 7 })
		if want < to && (got > want || want >= got+lanes) || want == to && got < to && !beyond {
			t.Fatalf("nextMatch from %d to %d: %d, want %d", from, to, got, want)
		}
	}
	check(nextMatchASM(&entries[0], from, to, 7), 8)
	if cpu.AVX512 {
		check(nextMatch16ASM(&entries[0], from, to, 7), 16)
	}
}
