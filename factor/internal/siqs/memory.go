package siqs

import (
	"math/big"
	"slices"

	"fairfactor/factor/internal/sieve"
	"fairfactor/factor/internal/wire"
)

// What the owner of a number holds at most, in live bytes for each prime of the factor base:
// the relations, what knows duplicates and cycles, and what follows the sieve, with one
// payload that is on its way. Measured on products of two like primes: 0.83 MB at 50 digits,
// 2.3 at 60 and 5.0 at 66, without two large primes; with them 12 at 70, 23 at 75 and 39 at
// 80. TestMemory of package factor compares.
const (
	heldBytes       = 800
	heldBytesDouble = 1200
	heldLeast       = 128 << 10
)

// HeldBytes estimates what the owner of a number of that many bits holds at most while it
// is sieved, and until it is split.
func HeldBytes(bits int) int64 {
	z := ParametersFor(bits)
	if z.Double > 0 {
		return heldLeast + heldBytesDouble*int64(z.Base)
	}
	return heldLeast + heldBytes*int64(z.Base)
}

// SieveBytes estimates the tables of a runner for a number of that many bits, see
// [siever.bytes].
func SieveBytes(bits int) int64 { return ParametersFor(bits).tables() }

// tables estimates the tables of a runner for these parameters.
func (z Parameters) tables() int64 {
	const (
		each  = 50 + 4*14 // bytes a prime, as in siever.bytes
		extra = 24        // the base itself, and the room of slices that have grown
	)
	blocks := (z.Length + sieve.BlockSize - 1) / sieve.BlockSize
	return int64(sieve.BlockSize + (each+extra)*z.Base + 4*blocks*3*z.Base)
}

// TurnBytes estimates what a runner needs for a turn, with its tables, in bytes.
func TurnBytes(payload []byte) int64 {
	size := int64(len(payload))
	switch payload[1] {
	case wire.KindSieve:
		w, err := DecodeWork(payload)
		if err != nil {
			return 0 // it is refused before anything is made
		}
		return w.size.tables()
	}
	// What follows the sieve takes the payload apart: measured are 3 times its size.
	return 5 * size
}

// Tables is what the runner keeps for turns to come, in bytes.
func (r *Runner) Tables() (bytes int64) {
	for _, s := range r.sieves {
		bytes += int64(s.bytes())
	}
	if k := r.kept; k != nil {
		bytes += 4 * int64(len(k.payload))
	}
	return bytes
}

// Knows reports whether a turn of the sieve finds the tables of its number here.
func (r *Runner) Knows(payload []byte) bool {
	if len(r.sieves) == 0 || len(payload) < 2 || payload[1] != wire.KindSieve {
		return false
	}
	w, err := DecodeWork(payload)
	if err != nil {
		return false
	}
	n := new(big.Int).SetBytes(w.n)
	return slices.ContainsFunc(r.sieves, func(s *siever) bool { return s.sieves(w, n) })
}

// sieves reports whether these are the tables for some work on n.
func (s *siever) sieves(w *Work, n *big.Int) bool {
	return s.K == w.k && s.parameters == w.size && s.N.Cmp(n) == 0
}
