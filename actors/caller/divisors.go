package caller

import (
	"math/big"
	"slices"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// Numbers of one caller may have a prime in common, as keys do that were made with bad
// random numbers. So before a job of at least [ShareDigits] digits begins, the large
// primes that the caller's earlier jobs found are tried on its number. It begins with
// those that divide it, and its turns work on what is left.

const (
	// DivisorDigits is the least length of a prime that is tried on later numbers:
	// smaller ones are mostly found by the first turn.
	DivisorDigits = 20
	// MaxDivisors is how many primes are tried, the newest ones: one greatest common
	// divisor with their product, a hundredth of what the first turn takes or less.
	MaxDivisors = 1024
	// DivisorJobs is how many of the caller's newest jobs in the store an activation
	// takes primes from, once it has a number to try them on.
	DivisorJobs = 1000
)

// divisors are large primes of a caller's jobs. They are a copy of what is in the store,
// and go with the activation: the next one takes them from there.
type divisors struct {
	wanted  bool // the primes of jobs that end from now on are kept
	read    bool // those of earlier ones are there
	primes  []*big.Int
	product *big.Int // of primes, nil if there are none
	next    int      // of primes, to be replaced when there are [MaxDivisors]
}

// learn keeps the large primes of a job that has ended.
func (d *divisors) learn(job *fairfactor.Job) {
	if d.wanted && len(job.Number) >= KnownDigits {
		for _, f := range job.Factors {
			d.add(f)
		}
	}
}

// add keeps a prime if it is large and proven.
func (d *divisors) add(f fairfactor.Factor) {
	if f.Probable || len(f.Prime) < DivisorDigits {
		return
	}
	p, ok := new(big.Int).SetString(f.Prime, 10)
	if !ok || slices.ContainsFunc(d.primes, func(q *big.Int) bool { return q.Cmp(p) == 0 }) {
		return
	}
	if d.product == nil {
		d.product = big.NewInt(1)
	}
	if len(d.primes) < MaxDivisors {
		d.primes = append(d.primes, p)
	} else {
		d.product.Quo(d.product, d.primes[d.next])
		d.primes[d.next] = p
		d.next = (d.next + 1) % MaxDivisors
	}
	d.product.Mul(d.product, p)
}

// fill adds the primes of earlier jobs, newest first, as far as there is room.
func (d *divisors) fill(earlier []fairfactor.Factor) {
	d.read = true
	for _, f := range earlier {
		if len(d.primes) == MaxDivisors {
			return
		}
		d.add(f)
	}
}

// of returns the primes that divide a number, in no order.
func (d *divisors) of(number string) (found []fairfactor.Factor) {
	n, ok := new(big.Int).SetString(number, 10)
	if !ok || d.product == nil {
		return nil
	}
	quotient, remainder := new(big.Int), new(big.Int)
	remainder.Rem(d.product, n)
	if quotient.GCD(nil, nil, n, remainder).BitLen() == 1 {
		return nil
	}
	for _, p := range d.primes {
		exponent := 0
		for p.BitLen() <= n.BitLen() {
			if quotient.QuoRem(n, p, remainder); remainder.Sign() != 0 {
				break
			}
			n, quotient = quotient, n
			exponent++
		}
		if exponent > 0 {
			found = append(found, fairfactor.Factor{Prime: p.String(), Exponent: exponent})
		}
	}
	return found
}

// withDivisors adds primes of the caller's earlier jobs to what is known of a number,
// which may be nil.
func (c *Caller) withDivisors(number string, known *fairfactor.Known) *fairfactor.Known {
	found := c.divisors.of(number)
	if len(found) == 0 {
		return known
	}
	c.cfg.Counters.Divided.Add(1)
	more := fairfactor.Known{Number: number}
	if known != nil {
		more = *known
	}
	more.Factors = backlog.Union(more.Factors, found)
	return &more
}
