package factor

import (
	"errors"
	"fmt"
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/prime"
)

var (
	// ErrProduct says that factors do not multiply to the number.
	ErrProduct = errors.New("factor: the factors do not multiply to the number")
	// ErrComposite says that a factor given as prime is not prime.
	ErrComposite = errors.New("factor: a factor is not prime")
	// ErrProof says that a proof of primality does not hold.
	ErrProof = errors.New("factor: a proof of primality does not hold")
)

// Product checks that primes are canonical digits, strictly ascending, with
// exponents of at least 1, and multiply to n: [ErrNotNumber] or [ErrProduct] if
// not. It does not test primality; [Verify] does. Up to 128 bits it takes about
// a hundred nanoseconds and allocates nothing.
func Product(n string, primes []Prime) error {
	if w, ok := arith.ParseUint128(n); ok {
		return product128(w, primes)
	}
	v, ok := parseBig(n)
	if !ok {
		return ErrNotNumber
	}
	parts := make([]part, 0, len(primes))
	for i, p := range primes {
		b, ok := parseBig(p.P)
		if !ok {
			return ErrNotNumber
		}
		if p.Exponent < 1 || b.BitLen() < 2 || i > 0 && !ascends(primes[i-1].P, p.P) {
			return ErrProduct
		}
		parts = append(parts, partOf(b, p.Exponent, prime.Probable))
	}
	if !multipliesTo(parts, v) {
		return ErrProduct
	}
	return nil
}

// product128 is Product up to 128 bits.
func product128(n arith.Uint128, primes []Prime) error {
	prod := arith.Uint128{Lo: 1}
	for i := range primes {
		p := &primes[i]
		v, ok := arith.ParseUint128(p.P)
		if !ok {
			if !canonical(p.P) {
				return ErrNotNumber
			}
			return ErrProduct
		}
		if p.Exponent < 1 || p.Exponent > 128 || v == (arith.Uint128{Lo: 1}) || i > 0 && !ascends(primes[i-1].P, p.P) {
			return ErrProduct
		}
		for range p.Exponent {
			if prod, ok = prod.Mul(v); !ok {
				return ErrProduct
			}
		}
	}
	if prod != n {
		return ErrProduct
	}
	return nil
}

// Verify checks all that [Product] checks and that every factor passes
// math/big's Baillie-PSW test and 20 random bases, which shares no code with
// the engine: [ErrComposite] if one does not. It is slow.
func Verify(n string, primes []Prime) error {
	if err := Product(n, primes); err != nil {
		return err
	}
	for _, p := range primes {
		v, _ := new(big.Int).SetString(p.P, 10)
		if !v.ProbablyPrime(20) {
			return fmt.Errorf("%w: %s", ErrComposite, p.P)
		}
	}
	return nil
}
