package ecpp

import (
	"math/big"

	"fairfactor/factor/internal/certificate"
	"fairfactor/factor/internal/stop"
)

// Prover makes certificates on one thread. It keeps class polynomials, at most some
// megabytes.
type Prover struct {
	*stop.Poller
	classes map[int][]*big.Int // by discriminant
}

// mostSteps bounds the numbers that are searched for orders: those of a certificate, and those
// from which there was no way down.
const mostSteps = 1000

// Prove returns a certificate that n > 2^64, which passed the tests for primality, is prime. It
// returns nil if it finds none: n is composite, or the work is to stop.
func (p *Prover) Prove(n *big.Int) *certificate.Certificate {
	if n.BitLen() <= 64 || n.Bit(0) == 0 || !probablyPrime(n) {
		return nil
	}
	left := mostSteps
	orders, ok := p.down(n, &left)
	if !ok {
		return nil
	}
	c := &certificate.Certificate{N: n}
	for i := len(orders) - 1; i >= 0; i-- {
		s := p.step(&orders[i])
		if s == nil {
			return nil
		}
		c.Steps = append(c.Steps, *s)
	}
	return c
}

// down returns orders from n to a prime below 2^64, the last one first. left is how many
// numbers may still be searched.
func (p *Prover) down(n *big.Int, left *int) (orders []order, ok bool) {
	if n.BitLen() <= 64 {
		return nil, true
	}
	if *left--; *left < 0 {
		return nil, false
	}
	for s := newSearch(p, n); !p.Poll(); {
		found := s.more()
		if len(found) == 0 {
			return nil, false
		}
		for _, o := range found {
			if orders, ok := p.down(o.q, left); ok {
				return append(orders, o), true
			}
			if *left <= 0 {
				return nil, false
			}
		}
	}
	return nil, false
}

// class returns the class polynomial of d, nil if it could not be computed.
func (p *Prover) class(d int) []*big.Int {
	c, known := p.classes[d]
	if !known {
		if p.classes == nil {
			p.classes = make(map[int][]*big.Int)
		}
		if c = classPolynomial(d, p.Poll); c != nil {
			p.classes[d] = c
		}
	}
	return c
}
