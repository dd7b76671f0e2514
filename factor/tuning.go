package factor

import (
	"errors"
	"fmt"
	"math/big"
)

// What is here is for programs that measure which method is the fastest for a size
// of number, and with which parameters: the tables in this package are what such a
// program has printed.

// ErrSize says that a method can't do a number, or not with these parameters.
var ErrSize = errors.New("factor: out of the range of the method")

// hartLimit is the size up to which Hart's method is free of overflow, in bits.
const hartLimit = 42

// Split looks for a proper factor of n with one method alone, as [Runner.Run] uses
// it for a number of that size, and reports whether it has found one: [ByHart] up to
// 42 bits, [ByCurves] up to 100, [ByRho] up to 64, [ByQS] from 62 to 128. n must be
// odd, composite, not a power, and free of prime factors below 300.
func (r *Runner) Split(n string, by Methods) (found bool, err error) {
	w, ok := parseWide(n)
	if !ok || w.lo&1 == 0 {
		return false, fmt.Errorf("factor: split: %w", ErrSize)
	}
	r.stop, r.halted = nil, false
	bits, d := w.len(), wide{0, 1}
	switch {
	case by == ByHart && bits <= hartLimit:
		d.lo = hart64(w.lo)
	case by == ByCurves && useIFMA && bits >= eightFrom && bits <= eightBits:
		d = r.find8(w)
	case by == ByCurves && bits <= 64:
		d.lo = ecm64(w.lo, bits, microTwins)
	case by == ByCurves && bits <= eightBits:
		m := newMont128(w)
		for i := uint64(0); i < 2*microTwins && d == (wide{0, 1}); i++ {
			if d = m.microWide(r, &microLevels[len(microLevels)-1], sigma(quickSeed, i)); d == w {
				d = wide{0, 1}
			}
		}
	case by == ByRho && bits <= 64:
		d.lo = rho64(w.lo)
	case by == ByQS && bits >= sieveBits:
		_, found = r.sieveQuick(w.triple())
		return found, nil
	default:
		return false, fmt.Errorf("factor: split: %w", ErrSize)
	}
	return d != (wide{0, 1}) && d != w, nil
}

// SieveSize are the parameters of the self-initialising quadratic sieve for numbers
// of one size.
type SieveSize struct {
	Base   int     // primes in the factor base, 64 to 131,072
	Large  int     // bound of a large prime as a multiple of the largest prime, 1 to 1,024
	Length int     // of the sieve in bytes: up to 32 KiB a multiple of 64, above of 32 KiB
	Skip   int     // primes below it are not sieved with, 3 to 1,024
	Double float64 // bound of two large primes as a power of the bound of one, below 2; 0: one at most
	Slack  int     // bits that the first look at a position gives away, 0 to 64
}

// SieveSizeFor returns the parameters that the engine uses for numbers of that many
// bits.
func SieveSizeFor(bits int) SieveSize {
	z := siqsSizeFor(bits)
	return SieveSize{z.base, z.large, z.length, z.skip, z.double, z.slack}
}

// NewSieve returns a machine that begins with the sieve, and with these parameters.
// n must be composite, in canonical decimal digits, 100 to 332 bits long, not a
// power, and free of the primes of the factor base ([ErrSize]).
func NewSieve(n string, size SieveSize) (*Machine, error) {
	m, err := New(n)
	if err != nil {
		return nil, err
	}
	v, _ := parseBig(n)
	bits := v.BitLen()
	z := siqsSizeFor(bits)
	z.base, z.large, z.length = size.Base, size.Large, size.Length
	z.skip, z.double, z.slack = size.Skip, size.Double, size.Slack
	check := reader{b: z.append(nil)}
	if readSize(&check); check.bad || bits < searchMinBits || bits > searchMaxBits || v.ProbablyPrime(0) {
		return nil, fmt.Errorf("factor: new sieve: %w", ErrSize)
	}
	c := newCofactor(new(big.Int).Set(v), 1, false)
	if c.harvest = newHarvest(c.n, 0, z); c.harvest.base.divisor != 0 {
		return nil, fmt.Errorf("factor: new sieve: %w", ErrSize)
	}
	m.begun, m.rest = true, []*cofactor{c}
	m.next = 1 // 0 is the first turn's
	return m, nil
}
