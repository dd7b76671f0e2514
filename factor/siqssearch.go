package factor

import (
	"encoding/binary"
	"math"
	"math/big"

	"fairfactor/factor/internal/cpu"
)

// Sizes of cofactors that the machine sieves; the quick methods answer nearly
// all below, and above curves are all there is.
const (
	searchMinBits = 100
	searchMaxBits = 332
)

// Bounds of what is tried before curves are the only way left.
const (
	maxTries    = 3 // linear algebra with one multiplier
	maxAttempts = 3 // multipliers
)

// siqsNanos are the times of whole sieves by the bits of the number, in
// nanoseconds; measured with BenchmarkSieve.
var siqsNanos = [...]struct {
	bits  int
	nanos float64
}{{100, 3e6}, {130, 10e6}, {150, 36e6}, {165, 80e6}, {182, 220e6}, {198, 620e6}, {215, 1.9e9}, {232, 6e9}, {265, 50e9}, {298, 430e9}, {332, 3800e9}}

// slowdown is how many times as long the sieve takes without AVX2, measured from 50
// to 70 digits.
const slowdown = 2

// sieveNanos estimates the CPU that the sieve of a number of that many bits
// takes on this processor.
func sieveNanos(bits int) float64 {
	i := 1
	for i < len(siqsNanos)-1 && siqsNanos[i].bits < bits {
		i++
	}
	lo, hi := siqsNanos[i-1], siqsNanos[i]
	share := float64(bits-lo.bits) / float64(hi.bits-lo.bits)
	nanos := lo.nanos * math.Pow(hi.nanos/lo.nanos, max(share, 0))
	if !cpu.AVX2 {
		nanos *= slowdown
	}
	return nanos
}

// share estimates which part of the sieve is done. Relations without large primes
// grow with the time, combined ones with a power of it. While there are few, that
// says little, and the usual time of a number of that size has more weight.
func (h *harvest) share() float64 {
	usual := sieveNanos(h.base.n.BitLen())
	if h.done == 0 {
		return 0
	}
	power := 2.0
	if h.base.double > 0 {
		power = 2.5
	}
	lo, hi := 0.0, 1.0
	for hi-lo > 1e-4 {
		x := (lo + hi) / 2
		if float64(h.fulls)/x+float64(h.cycles)/math.Pow(x, power) > float64(h.enough) {
			lo = x
		} else {
			hi = x
		}
	}
	weight := min(4*hi, 1)
	total := math.Pow(usual, 1-weight) * math.Pow(h.done/hi, weight)
	return min(h.done/total, 1)
}

// left estimates the CPU that is left of the sieve, in nanoseconds.
func (h *harvest) left() float64 {
	x := h.share()
	if x == 0 {
		return sieveNanos(h.base.n.BitLen())
	}
	return h.done * (1 - x) / x
}

// appendState appends the state of the sieve, the parameters and the a's; the
// relations are in the pieces of the checkpoint.
func (h *harvest) appendState(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(h.attempt))
	b = h.base.size.append(b)
	for _, v := range [...]uint64{
		h.draws, uint64(h.from), uint64(h.done + h.owed), uint64(h.tries), uint64(h.enough), uint64(h.count() + h.absent), uint64(len(h.as)),
	} {
		b = binary.AppendUvarint(b, v)
	}
	for _, chosen := range h.as {
		b = appendAscending(b, chosen)
	}
	return b
}

// readHarvest reads what appendState wrote for n, nil if it is not sound.
func readHarvest(r *reader, n *big.Int) *harvest {
	attempt := r.uvarint()
	size := readSize(r)
	var v [7]uint64
	for i := range v {
		v[i] = r.uvarint()
	}
	if r.bad || attempt >= maxAttempts || v[6] > uint64(len(r.b)) || v[5] > 1<<40 || v[3] >= maxTries || v[4] > 4*maxColumns ||
		n.BitLen() < searchMinBits || n.BitLen() > searchMaxBits {
		return nil
	}
	h := newHarvest(n, int(attempt), size)
	if h == nil || h.base.divisor != 0 {
		return nil
	}
	h.draws, h.from, h.owed, h.tries, h.enough, h.absent = v[0], int(v[1]), float64(v[2]), int(v[3]), int(v[4]), int(v[5])
	for range v[6] {
		chosen := r.ascending(maxFactors, len(h.base.primes))
		if len(chosen) != h.factors || !h.base.valid(chosen) {
			return nil
		}
		h.as = append(h.as, chosen)
		h.used[string(appendAscending(nil, chosen))] = true
	}
	if r.bad || h.from > 1<<(h.factors-1) || len(h.as) == 0 && h.from > 0 {
		return nil
	}
	return h
}
