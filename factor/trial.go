package factor

import (
	"math/big"
	"math/bits"
	"sync"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/primorial"
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

// chunk is a run of divisors whose product fits in 64 bits.
type chunk struct {
	product uint64
	of      []arith.Divisor
	from    int // index of the first one
}

// trialTables are the primes of trial division. The divisors go to trialTo, the
// rough ones from there to roughTo. The chunks cover them, so that a long number is
// reduced a few times instead of once for every prime.
type trialTables struct {
	divisors, rough     []arith.Divisor
	chunks, roughChunks []chunk
}

var newTrialTables = sync.OnceValue(func() *trialTables {
	t := new(trialTables)
	for _, p := range arith.SmallPrimes(roughTo) {
		if d := arith.NewDivisor(p); p < trialTo {
			t.divisors = append(t.divisors, d)
		} else {
			t.rough = append(t.rough, d)
		}
	}
	t.chunks, t.roughChunks = chunksOf(t.divisors), chunksOf(t.rough)
	return t
})

// chunksOf returns the chunks that cover divisors.
func chunksOf(divisors []arith.Divisor) (t []chunk) {
	c := chunk{product: 1}
	for i, d := range divisors {
		if hi, _ := bits.Mul64(c.product, d.P); hi != 0 {
			t = append(t, c)
			c = chunk{product: 1, from: i}
		}
		c.product *= d.P
		c.of = divisors[c.from : i+1]
	}
	return append(t, c)
}

// trial64 takes the primes of divisors[from:] out of odd n and returns what is
// left: 1, a prime below trialLimit that is in the parts already, or a cofactor
// without small primes.
func (r *Runner) trial64(n uint64, from int) uint64 {
	divisors := r.trial.divisors
	for i := from; i < len(divisors); i++ {
		d := &divisors[i]
		q := n * d.Inv
		if q > d.Max {
			continue
		}
		e := 0
		for q <= d.Max {
			n = q
			e++
			q = n * d.Inv
		}
		r.parts = append(r.parts, part{w: arith.Uint128{Lo: d.P}, exp: e, grade: prime.Proven})
		if n < d.P*d.P {
			break
		}
	}
	return n
}

// rough64 takes the rough primes out of n^exp and returns what is left
// of n.
func (r *Runner) rough64(n uint64, exp int) uint64 {
	rough := r.trial.rough
	for i := range rough {
		d := &rough[i]
		q := n * d.Inv
		if q > d.Max {
			continue
		}
		for ; q <= d.Max; q = n * d.Inv {
			n = q
			r.found(arith.Uint128{Lo: d.P}, exp, prime.Proven)
		}
		if n < d.P*d.P {
			break
		}
	}
	return n
}

// trial128 is trial64 for odd n of 128 bits.
func (r *Runner) trial128(n arith.Uint128) arith.Uint128 {
	for i := range r.trial.chunks {
		c := &r.trial.chunks[i]
		if n.Hi == 0 {
			return arith.Uint128{Lo: r.trial64(n.Lo, c.from)}
		}
		rem := bits.Rem64(n.Hi, n.Lo, c.product)
		for j := range c.of {
			d := &c.of[j]
			if rem*d.Inv > d.Max {
				continue
			}
			e := 0
			for q, ok := n.DivExact(d); ok; q, ok = n.DivExact(d) {
				n = q
				e++
			}
			r.parts = append(r.parts, part{w: arith.Uint128{Lo: d.P}, exp: e, grade: prime.Proven})
		}
	}
	return n
}

// rough128 is rough64 for n of 128 bits.
func (r *Runner) rough128(n arith.Uint128, exp int) arith.Uint128 {
	for i := range r.trial.roughChunks {
		c := &r.trial.roughChunks[i]
		rem := bits.Rem64(n.Hi, n.Lo, c.product)
		for j := range c.of {
			d := &c.of[j]
			if rem*d.Inv > d.Max {
				continue
			}
			for q, ok := n.DivExact(d); ok; q, ok = n.DivExact(d) {
				n = q
				r.found(arith.Uint128{Lo: d.P}, exp, prime.Proven)
			}
		}
	}
	return n
}

// trialBig takes the primes of divisors out of n > 2^128 and returns what is
// left, which may be smaller.
func (r *Runner) trialBig(n *big.Int) *big.Int {
	var q, rem, product big.Int
	for i := range r.trial.chunks {
		c := &r.trial.chunks[i]
		product.SetUint64(c.product)
		left := rem.Rem(n, &product).Uint64()
		for j := range c.of {
			d := &c.of[j]
			if left*d.Inv > d.Max {
				continue
			}
			e := 0
			product.SetUint64(d.P)
			for {
				var next big.Int
				next.QuoRem(n, &product, &q)
				if q.Sign() != 0 {
					break
				}
				n = &next
				e++
			}
			r.parts = append(r.parts, part{w: arith.Uint128{Lo: d.P}, exp: e, grade: prime.Proven})
		}
	}
	return n
}

// productsOut takes the primes of a tree out of n^exp, n > 2^128, and returns what is
// left of n, which may be smaller, or anything if the turn is to stop.
func (r *Runner) productsOut(t *primorial.Tree, n *big.Int, exp int) *big.Int {
	var primes []uint64
	g := t.Common(n, r.poller.Poll)
	for g.Cmp(arith.One) != 0 && !r.poller.Poll() {
		r.by |= ByTrial
		n = new(big.Int).Quo(n, g)
		primes = t.AppendPrimes(primes[:0], g)
		for _, p := range primes {
			r.found(arith.Uint128{Lo: p}, exp, prime.Proven)
		}
		g.GCD(nil, nil, n, g) // those that divide it once more
	}
	return n
}
