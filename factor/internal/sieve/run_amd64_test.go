//go:build !purego

package sieve

import (
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/factortest"
)

// TestRun holds the assembly against the Go.
func TestRun(t *testing.T) {
	if !cpu.AVX2 {
		t.Log("this CPU has no AVX2")
		return
	}
	r := factortest.Seeded(t)
	var primes []uint16
	for _, p := range arith.SmallPrimes(1 << 14) {
		primes = append(primes, uint16(p))
	}
	for range 40 {
		from := r.IntN(len(primes) - 20)
		testRun(t, r, primes[from:from+16+r.IntN(len(primes)-from-16)])
	}
}

func testRun(t *testing.T, r *rand.Rand, primes []uint16) {
	t.Helper()
	end := BlockSize
	if r.IntN(2) == 0 {
		end = 64 * (1 + r.IntN(BlockSize/64))
	}
	times := end / int(primes[0])
	last := slices.IndexFunc(primes, func(p uint16) bool { return end/int(p) != times })
	if last >= 0 {
		primes = primes[:last]
	}
	var a, b [BlockSize]byte
	var a1, a2 []uint16
	logs := make([]uint8, len(primes))
	for i, p := range primes {
		a1, a2 = append(a1, uint16(r.Uint32N(uint32(p)))), append(a2, uint16(r.Uint32N(uint32(p))))
		logs[i] = uint8(r.IntN(16))
	}
	b1, b2 := slices.Clone(a1), slices.Clone(a2)
	run(&a, primes, a1, a2, logs, times, end)
	runASM(&b[0], &primes[0], &b1[0], &b2[0], &logs[0], len(primes), times, end)
	if a != b || !slices.Equal(a1, b1) || !slices.Equal(a2, b2) {
		t.Fatalf("run of %d primes from %d to %d", len(primes), primes[0], end)
	}
}
