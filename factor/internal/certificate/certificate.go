// Package certificate holds certificates of primality: what they say, how they are
// written, and the check that believes nothing else. It shares no code with the engine
// that makes them and imports the standard library only, so that a stranger can read it
// from end to end.
//
// A certificate has one of three forms, those of primecert of PARI/GP, whose
// primecertisvalid accepts them:
//
//	p                                       p < 2^64, tested by the check itself
//	[[N, t, s, a, [x, y]], [N', ...], ...]  elliptic curves (Atkin and Morain)
//	[N, [p, ..., [P, b, [P, ...]], ...]]    factors of N - 1 (Pocklington)
//
// # Elliptic curves
//
// A step says that the curve y^2 = x^3 + a x + b modulo N, with the b for which (x, y) is
// on it, has a point of order q = (N + 1 - t)/s there. If q is prime and exceeds
// (N^(1/4) + 1)^2, so does the order of the curve modulo every prime divisor of N that
// is at most the root of N, which Hasse's bound forbids: N is prime (Goldwasser and
// Kilian, J. ACM 46 (1999), theorem 2; Atkin and Morain, "Elliptic curves and primality
// proving", Math. Comp. 61 (1993), theorem 5.2). The next step proves q; the last q is
// below 2^64.
//
// # Factors of N - 1
//
// The primes that divide N - 1, with all their powers in it, multiply to F. If each has
// a base b with b^(N-1) = 1 and gcd(b^((N-1)/p) - 1, N) = 1, all divisors of N are 1
// modulo F. That makes N prime if F^2 > N, or if F^3 > N and c^2 - 4d is no square in
// N = 1 + cF + dF^2 (Brillhart, Lehmer and Selfridge, Math. Comp. 29 (1975), theorem 7 and
// its corollary). A prime of 64 bits and more comes with its base and its own certificate; the check
// looks for the bases of smaller ones.
//
// Start reading at [Check].
package certificate

import (
	"errors"
	"math/big"
)

var (
	// ErrText says that a text is not a certificate.
	ErrText = errors.New("factor: not a certificate of primality")
	// ErrInvalid says that a certificate does not prove what it says.
	ErrInvalid = errors.New("factor: a certificate does not hold")
)

// Bounds of what is read and checked. Certificates that are made here are of up to 664
// bits, and of less than 30,000 bytes.
const (
	MaxBits  = 3322 // 1,000 digits
	MaxBytes = 1 << 20
	maxDepth = 64      // of brackets
	maxBase  = 1 << 12 // of the bases that the check looks for
)

// smallBits is the size below which a prime is its own certificate.
const smallBits = 64

// Certificate says that N is prime. Of Steps and Factors at most one is there; neither if
// N is below 2^64.
type Certificate struct {
	N       *big.Int
	Steps   []Step   // by elliptic curves, N of the first one first
	Factors []Factor // of N - 1
}

// Step is an elliptic curve modulo N and a point (X, Y) on it; 0 <= A, X, Y < N. T is N + 1
// less its order m, and m divided by S is the prime of the next step.
type Step struct{ N, T, S, A, X, Y *big.Int }

// Factor is a prime factor P of N - 1; Base and Proof are those of one of 64 bits and more.
type Factor struct {
	P     *big.Int
	Base  *big.Int
	Proof *Certificate // by its own factors of P - 1, or nil
}
