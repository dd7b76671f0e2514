package sieve

import "fairfactor/factor/internal/cpu"

// Run is primes From to To-1 of a factor base that all hit the sieve interval
// Times times at each root for certain, and perhaps once more.
type Run struct{ From, To, Times int }

// AddRuns adds logs to the first end bytes of the block at both roots of the primes of
// some runs of one factor base, and moves the roots on by end.
func AddRuns(b *[BlockSize]byte, runs []Run, primes, pos1, pos2 []uint16, logs []uint8, end int) {
	for _, r := range runs {
		k := r.From
		if cpu.AVX2 {
			runASM(&b[0], &primes[k], &pos1[k], &pos2[k], &logs[k], r.To-k, r.Times, end)
		} else {
			run(b, primes[k:r.To], pos1[k:], pos2[k:], logs[k:], r.Times, end)
		}
	}
}

// run adds logs at both roots of primes that hit the first end bytes of the
// block times times at each for certain, and perhaps once more; it moves the
// roots on by end.
//
//go:norace
func run(b *[BlockSize]byte, primes, pos1, pos2 []uint16, logs []uint8, times, end int) {
	pos1, pos2, logs = pos1[:len(primes)], pos2[:len(primes)], logs[:len(primes)]
	for k := range primes {
		p, l := uint(primes[k]), logs[k]
		i, j := uint(pos1[k]), uint(pos2[k])
		for n := times; n > 0; n-- {
			b[i%BlockSize] += l
			b[j%BlockSize] += l
			i += p
			j += p
		}
		more1, more2 := below(i, uint(end)), below(j, uint(end))
		b[i%BlockSize] += l & byte(more1)
		b[j%BlockSize] += l & byte(more2)
		pos1[k], pos2[k] = uint16(i+p&more1-uint(end)), uint16(j+p&more2-uint(end))
	}
}

// below returns all ones if i < end, else 0, for numbers below 2^63.
func below(i, end uint) uint { return uint(int(i-end) >> 63) }

// BlockSize is the part of the sieve that is worked on at a time: what the first
// cache holds.
const BlockSize = 1 << 15
