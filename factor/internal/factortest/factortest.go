// Package factortest makes the numbers that the tests of all rooms are run with.
package factortest

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor/factor/internal/arith"
)

// Seeded returns a source of random numbers and prints its seed.
func Seeded(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// RandomBig returns a random number of that many bits, the top one set.
func RandomBig(r *rand.Rand, size int) *big.Int {
	n := new(big.Int)
	for n.BitLen() < size {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.Uint64()))
	}
	n.Rsh(n, uint(n.BitLen()-size))
	return n.SetBit(n, size-1, 1)
}

// AnyBits returns a random number of a random size up to 64 bits.
func AnyBits(r *rand.Rand) uint64 { return r.Uint64() >> r.IntN(64) }

// AnyUint128 returns a random number above 2^64, often at the edge of a word.
func AnyUint128(r *rand.Rand) arith.Uint128 {
	w := arith.Uint128{Hi: r.Uint64() >> r.IntN(64), Lo: r.Uint64()}
	switch r.IntN(6) {
	case 0:
		w = arith.Uint128{Hi: 1, Lo: r.Uint64N(100)}
	case 1:
		w = arith.Uint128{Hi: 1<<63 - 1, Lo: -r.Uint64N(100) - 1}
	case 2:
		w = arith.Uint128{Hi: 1 << 63, Lo: r.Uint64N(100)}
	case 3:
		w = arith.Uint128{Hi: ^uint64(0), Lo: -r.Uint64N(100) - 1}
	}
	w.Hi |= uint64(1) >> min(w.Hi, 1)
	return w
}

// RandomPrime returns a random prime of that many bits.
func RandomPrime(r *rand.Rand, size int) *big.Int {
	for {
		p := RandomBig(r, size)
		p.SetBit(p, 0, 1)
		if p.BitLen() == size && p.ProbablyPrime(0) {
			return p
		}
	}
}

// Prime64 returns a random prime of that many bits, 2 to 64.
func Prime64(r *rand.Rand, size int) uint64 {
	for {
		p := r.Uint64()>>(64-size) | 1<<(size-1) | 1
		if p == 3 || p > 3 && new(big.Int).SetUint64(p).ProbablyPrime(0) {
			return p
		}
	}
}

// Semiprime128 returns two random primes and their product, which has that many
// bits, 60 to 128.
func Semiprime128(r *rand.Rand, size int) (n arith.Uint128, p, q uint64) {
	for {
		p, q = Prime64(r, size/2), Prime64(r, size-size/2)
		n, _ = arith.Uint128{Lo: p}.Mul(arith.Uint128{Lo: q})
		if n.Len() == size && p != q {
			return n, p, q
		}
	}
}

// Semiprime returns a product of two random primes of like size with that many
// bits.
func Semiprime(r *rand.Rand, bits int) *big.Int {
	for {
		n := new(big.Int).Mul(RandomPrime(r, bits/2), RandomPrime(r, bits-bits/2))
		if n.BitLen() == bits {
			return n
		}
	}
}

// Slowly returns the primes of n, ascending with repetition, by dividing by all
// odd numbers: it shares no code with what it checks.
func Slowly(n uint64) (primes []uint64) {
	for ; n%2 == 0; n /= 2 {
		primes = append(primes, 2)
	}
	for p := uint64(3); p*p <= n; p += 2 {
		for ; n%p == 0; n /= p {
			primes = append(primes, p)
		}
	}
	if n > 1 {
		primes = append(primes, n)
	}
	return primes
}

// Rank returns the rank of rows of bits by plain elimination.
func Rank(rows [][]uint64) int {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i] = slices.Clone(rows[i])
	}
	rank := 0
	for col := 0; len(rows) > 0 && col < 64*len(rows[0]); col++ {
		at := slices.IndexFunc(rows[rank:], func(row []uint64) bool { return row[col/64]>>(col%64)&1 == 1 })
		if at < 0 {
			continue
		}
		rows[rank], rows[rank+at] = rows[rank+at], rows[rank]
		for i := range rows[rank+1:] {
			if row := rows[rank+1+i]; row[col/64]>>(col%64)&1 == 1 {
				for j, w := range rows[rank] {
					row[j] ^= w
				}
			}
		}
		rank++
		if rank == len(rows) {
			break
		}
	}
	return rank
}
