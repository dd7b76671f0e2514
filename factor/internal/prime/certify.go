package prime

import (
	"math/big"

	"fairfactor/factor/internal/certificate"
)

// Certify returns a certificate of the prime n > 2^64 by factors of n - 1, nil if not enough of
// it is easily factored, or if the turn is to stop. Unlike a proof for the engine's own use
// it proves all primes above 2^64 that it uses, and F exceeds the cube root of n.
func (r *Prover) Certify(n *big.Int) *certificate.Certificate {
	r.whole = true
	defer func() { r.whole = false }()
	c := r.certify(n, 0)
	if c == nil || certificate.Check(c, r.Poll) != nil {
		return nil
	}
	return c
}

// certify is Certify inside of depth others, without the check.
func (r *Prover) certify(n *big.Int, depth int) *certificate.Certificate {
	proof, v := r.proveMinus(n, depth)
	if v != IsPrime {
		return nil
	}
	return r.certificateOf(proof, depth)
}

// certificateOf returns what a proof says as a certificate, nil if a prime in it needs a proof and
// has none.
func (r *Prover) certificateOf(proof *MinusOne, depth int) *certificate.Certificate {
	c := &certificate.Certificate{N: proof.n}
	for i := range proof.Factors {
		f := &proof.Factors[i]
		if f.p.BitLen() <= 64 {
			c.Factors = append(c.Factors, certificate.Factor{P: f.p})
			continue
		}
		var inner *certificate.Certificate
		switch {
		case depth == maxMinusDepth:
		case f.proof != nil:
			inner = r.certificateOf(f.proof, depth+1)
		default:
			inner = r.certify(f.p, depth+1)
		}
		if inner == nil {
			return nil
		}
		c.Factors = append(c.Factors, certificate.Factor{P: f.p, Base: new(big.Int).SetUint64(f.Base), Proof: inner})
	}
	return c
}
