package tune

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/big"

	"fairfactor/factor"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// SieveSize are the parameters of the self-initialising quadratic sieve for numbers
// of one size.
type SieveSize struct {
	Base   int     // primes in the factor base, 64 to 131,072
	Large  int     // bound of a large prime as a multiple of the largest prime, 1 to 1,024
	Length int     // of the sieve interval in bytes: up to 32 KiB a multiple of 64, above of 32 KiB
	Skip   int     // primes below it are not sieved with, 3 to 1,024
	Double float64 // bound of two large primes as a power of the bound of one, below 2; 0: one at most
	Slack  int     // bits that the first look at a position gives away, 0 to 64
}

// SieveSizeFor returns the parameters that the engine uses for numbers of that many
// bits.
func SieveSizeFor(bits int) SieveSize {
	z := siqs.ParametersFor(bits)
	return SieveSize{z.Base, z.Large, z.Length, z.Skip, z.Double, z.Slack}
}

// NewSieve returns a machine that begins with the sieve, and with these parameters.
// n must be composite, in canonical decimal digits, 100 to 332 bits long, not a
// power, and free of the primes of the factor base ([ErrSize]).
func NewSieve(n string, size SieveSize) (*factor.Machine, error) {
	if _, err := factor.New(n); err != nil {
		return nil, fmt.Errorf("new sieve: %w", err)
	}
	v, _ := new(big.Int).SetString(n, 10)
	bits := v.BitLen()
	z := siqs.ParametersFor(bits)
	z.Base, z.Large, z.Length = size.Base, size.Large, size.Length
	z.Skip, z.Double, z.Slack = size.Skip, size.Double, size.Slack
	check := wire.Reader{B: z.Append(nil)}
	if siqs.ReadParameters(&check); check.Bad || bits < siqs.LeastBits || bits > siqs.MostBits || v.ProbablyPrime(0) {
		return nil, fmt.Errorf("new sieve: %w", ErrSize)
	}
	c := siqs.NewCollection(v, 0, z)
	if c.Base.Divisor != 0 {
		return nil, fmt.Errorf("new sieve: %w", ErrSize)
	}
	return factor.Restore(n, checkpoint(v, c))
}

// checkpoint returns the checkpoint of a machine whose first turn found nothing and
// whose sieve has just begun, as [factor.Machine.Checkpoint] lays it out.
func checkpoint(n *big.Int, c *siqs.Collection) []byte {
	b := []byte{wire.Version, 1}
	b = append(b, 1, 0, 0)                                              // the next turn, results, pieces
	b = wire.AppendBlob(b, []byte{wire.Version, wire.FoundParts, 0, 0}) // no primes
	b = append(b, 1)                                                    // one cofactor
	b = wire.AppendBlob(b, n.Bytes())
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0) // once, seen, and no curves
	b = append(b, 1)                      // it is being sieved
	b = c.AppendState(b)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
