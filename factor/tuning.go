package factor

import (
	"errors"
	"fmt"
	"math/big"

	"fairfactor/factor/internal/cpu"
)

// What is here is for programs that measure which method is the fastest for a size
// of number, and with which parameters: the tables in this package are what such a
// program has printed.

// ErrSize says that a method can't do a number, or not with these parameters.
var ErrSize = errors.New("factor: out of the range of the method")

// hartLimit is the size up to which Hart's method is free of overflow, in bits.
const hartLimit = 42

// Split looks for a proper factor of n with one method alone and reports whether it
// has found one: [ByHart] up to 42 bits, which misses a share of them above 36,
// [ByCurves] up to 100, [ByRho] up to 64, [ByQS] from 62 to 128. n must be odd,
// composite, not a power, and free of prime factors below 300. The curves are those
// that [Runner.Run] takes for a number of that size, and after them more until one
// finds a factor, since alone no other method comes after them.
func (r *Runner) Split(n string, by Methods) (found bool, err error) {
	w, ok := parseWide(n)
	if !ok || w.lo&1 == 0 {
		return false, fmt.Errorf("factor: split: %w", ErrSize)
	}
	r.poller.start(nil)
	bits, d := w.len(), wide{0, 1}
	switch {
	case by == ByHart && bits <= hartLimit:
		d.lo = hart64(w.lo)
	case by == ByCurves && bits <= eightBits:
		d = r.curvesAlone(w)
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

// aloneCurves bounds the curves that curvesAlone tries. One in ten to thirty of them
// finds a factor of half the size of n, so fewer than one number in a million is
// missed.
const aloneCurves = 600

// curvesAlone returns a proper factor of n, an odd composite of up to eightBits bits
// that is not a power, or 1 if aloneCurves curves do not find one. It takes the same
// paths through the processor as the ladder of methods does.
func (r *Runner) curvesAlone(n wide) wide {
	size := n.len()
	if cpu.IFMA && size >= eightFrom {
		if d := r.ecm.find8(n); d != (wide{0, 1}) {
			return d
		}
	}
	if size <= 64 {
		return wide{0, ecm64(n.lo, size, aloneCurves/2)}
	}
	b1 := uint64(300)
	switch {
	case size > 90:
		b1 = 2000
	case size > 76:
		b1 = 800
	}
	c := curves{seed: quickSeed, first: 1, count: aloneCurves, b1: b1, hi: b1 + 1, from: b1 + 1, to: 40 * b1, step: 210}
	var d *big.Int
	if cpu.IFMA && c.fitsEight(size) {
		d = r.ecm.curves8(n.big(), &c)
	} else {
		d = r.ecm.curvesWide(n, &c)
	}
	if d == nil {
		return wide{0, 1}
	}
	return wideOf(d.Bytes())
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
