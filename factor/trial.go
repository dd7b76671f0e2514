package factor

import (
	"math/big"
	"math/bits"
)

// Trial division goes to the first limit at once, and to the second for what is
// not prime then. A cofactor below the square of the first prime left out is
// prime.
const (
	trialTo    = 300
	trialLimit = 307 * 307
	roughTo    = 4096
	roughLimit = 4099 * 4099
)

// divisor is an odd prime prepared for exact division: p divides m if and only
// if m*inv <= max (Granlund and Montgomery, PLDI 1994, section 9).
type divisor struct {
	inv, max uint64
	p        uint64
}

// mod returns x modulo the prime: the estimate of the quotient is at most 2 too
// small.
func (d *divisor) mod(x uint64) uint32 {
	q, _ := bits.Mul64(x, d.max)
	r := x - q*d.p
	for r >= d.p {
		r -= d.p
	}
	return uint32(r)
}

// divisors are the odd primes below trialTo, roughDivisors those from there to
// roughTo.
var divisors, roughDivisors = func() (t, u []divisor) {
	for _, p := range smallPrimes(roughTo) {
		d := divisor{inverse2(p), ^uint64(0) / p, p}
		if p < trialTo {
			t = append(t, d)
		} else {
			u = append(u, d)
		}
	}
	return t, u
}()

// chunk is a run of divisors whose product fits in 64 bits.
type chunk struct {
	product uint64
	of      []divisor
	from    int // index of the first one
}

// chunks and roughChunks cover divisors and roughDivisors, so that a wide number
// is reduced a few times instead of once for every prime.
var chunks, roughChunks = chunksOf(divisors), chunksOf(roughDivisors)

func chunksOf(divisors []divisor) (t []chunk) {
	c := chunk{product: 1}
	for i, d := range divisors {
		if hi, _ := bits.Mul64(c.product, d.p); hi != 0 {
			t = append(t, c)
			c = chunk{product: 1, from: i}
		}
		c.product *= d.p
		c.of = divisors[c.from : i+1]
	}
	return append(t, c)
}

// trial64 takes the primes of divisors[from:] out of odd n and returns what is
// left: 1, a prime below trialLimit that is in the parts already, or a cofactor
// without small primes.
func (r *Runner) trial64(n uint64, from int) uint64 {
	for i := from; i < len(divisors); i++ {
		d := &divisors[i]
		q := n * d.inv
		if q > d.max {
			continue
		}
		e := 0
		for q <= d.max {
			n = q
			e++
			q = n * d.inv
		}
		r.parts = append(r.parts, part{w: wide{0, d.p}, exp: e, grade: proven})
		if n < d.p*d.p {
			break
		}
	}
	return n
}

// rough64 takes the primes of roughDivisors out of n^exp and returns what is left
// of n.
func (r *Runner) rough64(n uint64, exp int) uint64 {
	for i := range roughDivisors {
		d := &roughDivisors[i]
		q := n * d.inv
		if q > d.max {
			continue
		}
		for ; q <= d.max; q = n * d.inv {
			n = q
			r.found(wide{0, d.p}, exp, proven)
		}
		if n < d.p*d.p {
			break
		}
	}
	return n
}

// trialWide is trial64 for odd n of 128 bits.
func (r *Runner) trialWide(n wide) wide {
	for i := range chunks {
		c := &chunks[i]
		if n.hi == 0 {
			return wide{0, r.trial64(n.lo, c.from)}
		}
		rem := bits.Rem64(n.hi, n.lo, c.product)
		for j := range c.of {
			d := &c.of[j]
			if rem*d.inv > d.max {
				continue
			}
			e := 0
			for q, ok := n.divExact(d); ok; q, ok = n.divExact(d) {
				n = q
				e++
			}
			r.parts = append(r.parts, part{w: wide{0, d.p}, exp: e, grade: proven})
		}
	}
	return n
}

// roughWide is rough64 for n of 128 bits.
func (r *Runner) roughWide(n wide, exp int) wide {
	for i := range roughChunks {
		c := &roughChunks[i]
		rem := bits.Rem64(n.hi, n.lo, c.product)
		for j := range c.of {
			d := &c.of[j]
			if rem*d.inv > d.max {
				continue
			}
			for q, ok := n.divExact(d); ok; q, ok = n.divExact(d) {
				n = q
				r.found(wide{0, d.p}, exp, proven)
			}
		}
	}
	return n
}

// trialBig takes the primes of divisors out of n > 2^128 and returns what is
// left, which may be smaller.
func (r *Runner) trialBig(n *big.Int) *big.Int {
	var q, rem, product big.Int
	for i := range chunks {
		c := &chunks[i]
		product.SetUint64(c.product)
		left := rem.Rem(n, &product).Uint64()
		for j := range c.of {
			d := &c.of[j]
			if left*d.inv > d.max {
				continue
			}
			e := 0
			product.SetUint64(d.p)
			for {
				var next big.Int
				next.QuoRem(n, &product, &q)
				if q.Sign() != 0 {
					break
				}
				n = &next
				e++
			}
			r.parts = append(r.parts, part{w: wide{0, d.p}, exp: e, grade: proven})
		}
	}
	return n
}

// roughBig takes the primes of roughDivisors out of n > 2^128 and returns what is
// left, which may be smaller.
func (r *Runner) roughBig(n *big.Int) *big.Int {
	var q, rem, p big.Int
	n = new(big.Int).Set(n)
	for i := range roughChunks {
		c := &roughChunks[i]
		left := rem.Rem(n, p.SetUint64(c.product)).Uint64()
		for j := range c.of {
			d := &c.of[j]
			if left*d.inv > d.max {
				continue
			}
			p.SetUint64(d.p)
			for q.QuoRem(n, &p, &rem); rem.Sign() == 0; q.QuoRem(n, &p, &rem) {
				n.Set(&q)
				r.found(wide{0, d.p}, 1, proven)
			}
		}
	}
	return n
}
