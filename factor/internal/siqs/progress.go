package siqs

import (
	"encoding/binary"
	"math"
	"math/big"

	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/wire"
)

// Sizes of cofactors that the machine sieves; the quick methods answer nearly
// all below, and above curves are all there is.
const (
	LeastBits = 100
	MostBits  = 332
)

// Bounds of what is tried before curves are the only way left.
const (
	MaxTries    = 3 // linear algebra with one multiplier
	MaxAttempts = 3 // multipliers
)

// sieveTimes are the times of whole sieves by the bits of the number, in nanoseconds, with
// AVX-512 and with AVX2 alone; measured with BenchmarkSieve, and from 215 bits on with
// single numbers. The second column is the first one times what the same numbers took with
// FAIRFACTOR_CPU=noavx512 (Xeon with AMX, Go 1.26); above 265 bits that share goes on. The
// parameters of large sieves differ, see row.
var sieveTimes = [...]struct {
	bits         int
	avx512, avx2 float64
}{
	{100, 3e6, 3e6},
	{130, 10e6, 10.2e6},
	{150, 36e6, 37e6},
	{165, 80e6, 84e6},
	{182, 220e6, 228e6},
	{198, 620e6, 635e6},
	{215, 1.9e9, 2.05e9},
	{232, 6e9, 6.45e9},
	{265, 50e9, 45e9},
	{298, 430e9, 390e9},
	{332, 3800e9, 3450e9},
}

// slowdown is how many times as long as with AVX-512 the sieve takes without AVX2, measured
// from 50 to 70 digits.
const slowdown = 2

// SieveNanos estimates the CPU that the sieve of a number of that many bits
// takes on this processor.
func SieveNanos(bits int) float64 {
	i := 1
	for i < len(sieveTimes)-1 && sieveTimes[i].bits < bits {
		i++
	}
	lo, hi := sieveTimes[i-1], sieveTimes[i]
	share := float64(bits-lo.bits) / float64(hi.bits-lo.bits)
	from, to := lo.avx512, hi.avx512
	if cpu.AVX2 && !cpu.AVX512 {
		from, to = lo.avx2, hi.avx2
	}
	nanos := from * math.Pow(to/from, max(share, 0))
	if !cpu.AVX2 {
		nanos *= slowdown
	}
	return nanos
}

// share estimates which part of the sieve is done. Relations without large primes
// grow with the time, combined ones with a power of it. While there are few, that
// says little, and the usual time of a number of that size has more weight.
func (h *Collection) share() float64 {
	usual := SieveNanos(h.Base.N.BitLen())
	if h.done == 0 {
		return 0
	}
	power := 2.0
	if h.Base.double > 0 {
		power = 2.5
	}
	lo, hi := 0.0, 1.0
	for hi-lo > 1e-4 {
		x := (lo + hi) / 2
		if float64(h.fulls)/x+float64(h.cycles)/math.Pow(x, power) > float64(h.Enough) {
			lo = x
		} else {
			hi = x
		}
	}
	weight := min(4*hi, 1)
	total := math.Pow(usual, 1-weight) * math.Pow(h.done/hi, weight)
	return min(h.done/total, 1)
}

// Left estimates the CPU that is left of the sieve, in nanoseconds.
func (h *Collection) Left() float64 {
	x := h.share()
	if x == 0 {
		return SieveNanos(h.Base.N.BitLen())
	}
	return h.done * (1 - x) / x
}

// AppendState appends the state of the sieve, the parameters and the a's; the
// relations are in the pieces of the checkpoint.
func (h *Collection) AppendState(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(h.attempt))
	b = h.Base.parameters.Append(b)
	for _, v := range [...]uint64{
		h.draws, uint64(h.from), uint64(h.done + h.owed), uint64(h.Tries), uint64(h.Enough), uint64(h.count() + h.absent), uint64(len(h.coefficients)),
	} {
		b = binary.AppendUvarint(b, v)
	}
	for _, chosen := range h.coefficients {
		b = wire.AppendAscending(b, chosen)
	}
	return b
}

// ReadCollection reads what appendState wrote for n, nil if it is not sound.
func ReadCollection(r *wire.Reader, n *big.Int) *Collection {
	attempt := r.Uvarint()
	size := ReadParameters(r)
	var v [7]uint64
	for i := range v {
		v[i] = r.Uvarint()
	}
	if r.Bad || attempt >= MaxAttempts || v[6] > uint64(len(r.B)) || v[5] > 1<<40 || v[3] >= MaxTries || v[4] > 4*gf2.MaxColumns ||
		n.BitLen() < LeastBits || n.BitLen() > MostBits {
		return nil
	}
	h := NewCollection(n, int(attempt), size)
	if h == nil || h.Base.Divisor != 0 {
		return nil
	}
	h.draws, h.from, h.owed, h.Tries, h.Enough, h.absent = v[0], int(v[1]), float64(v[2]), int(v[3]), int(v[4]), int(v[5])
	for range v[6] {
		chosen := r.Ascending(maxFactors, len(h.Base.primes))
		if len(chosen) != h.factors || !h.Base.valid(chosen) {
			return nil
		}
		h.coefficients = append(h.coefficients, chosen)
		h.used[string(wire.AppendAscending(nil, chosen))] = true
	}
	if r.Bad || h.from > 1<<(h.factors-1) || len(h.coefficients) == 0 && h.from > 0 {
		return nil
	}
	return h
}
