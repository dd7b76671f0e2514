package siqs

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"fairfactor/factor/internal/sieve"
)

// The loops that the sieve spends its time in, in Go. Where cpu.AVX2 is set,
// there is assembly of each, and these are the plain versions that it is tested
// against.

// scatter enters the hits of primes in the buckets, those that are certain, times
// at each root, and perhaps one more: an entry outside of the sieve is
// overwritten by the next one. tag is that of the first prime.
//
//go:norace
func scatter(primes, r1, r2, entries []uint32, filled *[maxBuckets]uint32, tag uint32, times int, end uint32) {
	r1, r2 = r1[:len(primes)], r2[:len(primes)]
	for i, p := range primes {
		x, y := r1[i], r2[i]
		for n := times; n > 0; n-- {
			a, b := x/sieve.BlockSize%maxBuckets, y/sieve.BlockSize%maxBuckets
			entries[filled[a]] = tag | x%sieve.BlockSize
			filled[a]++
			entries[filled[b]] = tag | y%sieve.BlockSize
			filled[b]++
			x += p
			y += p
		}
		a, b := x/sieve.BlockSize%maxBuckets, y/sieve.BlockSize%maxBuckets
		entries[filled[a]] = tag | x%sieve.BlockSize
		filled[a] += (x - end) >> 31
		entries[filled[b]] = tag | y%sieve.BlockSize
		filled[b] += (y - end) >> 31
		tag += 1 << 16
	}
}

// pick moves the roots as moveRoots does, and lists those below end as hits: the number
// of the prime << 20 | root. It returns how many there are.
//
//go:norace
func pick(primes, r1, r2, step []uint32, minus bool, end uint32, hits []uint32) (found int) {
	moveRoots(primes, r1, r2, step, minus)
	for i := range primes {
		for _, x := range [...]uint32{r1[i], r2[i]} {
			if x < end {
				hits[found] = uint32(i)<<20 | x
				found++
			}
		}
	}
	return found
}

// enterHits enters what pick has found in the buckets.
//
//go:norace
func enterHits(hits, entries []uint32, filled *[maxBuckets]uint32, tag uint32) {
	for _, v := range hits {
		b := v / sieve.BlockSize % maxBlocks
		entries[filled[b]] = (tag + v>>20<<16) | v%sieve.BlockSize
		filled[b]++
	}
}

// fill sets all bytes of a block.
func fill(block []byte, value byte) {
	block[0] = value
	for n := 1; n < len(block); n *= 2 {
		copy(block[n:], block[:n])
	}
}

// addEntries adds a logarithm to a block at the offsets of entries.
//
//go:norace
func addEntries(b *[sieve.BlockSize]byte, entries []uint32, log uint8) {
	for len(entries) >= 4 {
		b[entries[0]%sieve.BlockSize] += log
		b[entries[1]%sieve.BlockSize] += log
		b[entries[2]%sieve.BlockSize] += log
		b[entries[3]%sieve.BlockSize] += log
		entries = entries[4:]
	}
	for _, v := range entries {
		b[v%sieve.BlockSize] += log
	}
}

// packs says for each set of 8 lanes, a bit each, which lanes are in it, the first
// ones first, a byte each.
var packs = sync.OnceValue(func() *[256]uint64 {
	t := new([256]uint64)
	for mask := range t {
		for at, m := 0, mask; m != 0; m &= m - 1 {
			t[mask] |= uint64(bits.TrailingZeros(uint(m))) << at
			at += 8
		}
	}
	return t
})

// nextMatch returns the index of an entry in a bucket, from from on and below to,
// before which no entry has that offset, and to if no entry has it.
//
//go:norace
func nextMatch(entries []uint32, from, to int, offset uint32) int {
	for i, v := range entries[from:to] {
		if v%sieve.BlockSize == offset {
			return from + i
		}
	}
	return to
}

// moveRoots adds step to the roots modulo the primes or, if not minus, subtracts
// it.
//
//go:norace
func moveRoots(primes, r1, r2, step []uint32, minus bool) {
	r1, r2, step = r1[:len(primes)], r2[:len(primes)], step[:len(primes)]
	if minus {
		for i, p := range primes {
			d := step[i]
			r1[i], r2[i] = less(r1[i]+d, p), less(r2[i]+d, p)
		}
		return
	}
	for i, p := range primes {
		d := p - step[i]
		r1[i], r2[i] = less(r1[i]+d, p), less(r2[i]+d, p)
	}
}

// moveRoots16 is moveRoots for primes below 2^15.
//
//go:norace
func moveRoots16(primes, r1, r2, step []uint16, minus bool) {
	r1, r2, step = r1[:len(primes)], r2[:len(primes)], step[:len(primes)]
	for i, p := range primes {
		d := step[i]
		if !minus {
			d = p - d
		}
		r1[i], r2[i] = less16(r1[i]+d, p), less16(r2[i]+d, p)
	}
}

// less16 returns x mod p for x < 2p.
func less16(x, p uint16) uint16 {
	y := x - p
	if x < p {
		y = x
	}
	return y
}

// rootMasks sets bit k%8 of masks[k/8] if x is r1[k] or r2[k] modulo primes[k],
// where x+p-r is below 2^32; limit and inverse are floor((2^32-1)/p) and 1/p
// modulo 2^32. There is a multiple of 8 of primes.
//
//go:norace
func rootMasks(x uint32, primes, r1, r2 []uint16, limit, inverse []uint32, masks []uint8) {
	r1, r2, limit, inverse = r1[:len(primes)], r2[:len(primes)], limit[:len(primes)], inverse[:len(primes)]
	clear(masks[:len(primes)/8])
	for k := range primes {
		y, inv := x+uint32(primes[k]), inverse[k]
		if min((y-uint32(r1[k]))*inv, (y-uint32(r2[k]))*inv) <= limit[k] {
			masks[k/8] |= 1 << (k % 8)
		}
	}
}

// nextSign returns the first multiple of 64 from from on where one of 64 bytes of
// the block is 128 or more, or len(block); both are multiples of 64.
//
//go:norace
func nextSign(block []byte, from int) int {
	const top = 0x8080808080808080
	for i := from; i+64 <= len(block); i += 64 {
		b := block[i : i+64 : i+64]
		w := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:]) |
			binary.LittleEndian.Uint64(b[32:]) | binary.LittleEndian.Uint64(b[40:]) |
			binary.LittleEndian.Uint64(b[48:]) | binary.LittleEndian.Uint64(b[56:])
		if w&top != 0 {
			return i
		}
	}
	return len(block)
}
