// Package factor splits positive integers into primes, in turns: bounded pieces
// of CPU work that any worker can run.
//
// A [Machine] is one factorization. It hands out turns, takes their results in any
// order, checks them, and can be written to a checkpoint. A [Runner] runs turns on
// one thread. [Factorize] does both in this process. The package does no I/O, has
// no clock and knows nothing of who asked; it imports the standard library only.
//
// # Methods
//
// By the size of what is left after trial division, perfect powers and a test for
// primality:
//
//	up to 42 bits    Hart's one-line method                    hart.go
//	up to 64 bits    elliptic curves, then rho                 ecm64.go, eight.go,
//	                                                           rho.go
//	up to 141 bits   curves, to 84 bits until they find all    ecm128.go, eight.go,
//	                 where eight run at once, then a small     qs*.go
//	                 quadratic sieve that stays in the first
//	                 cache
//	up to 332 bits   curves for a sixteenth of the time of     curves.go, ecmn.go,
//	                 the sieve, then the sieve in turns        siqs*.go
//	above            curves of growing bounds, without end     plan.go
//
// All but the last two take one turn. Sizes, times and sources are in
// docs/factoring.md.
//
// # Proofs
//
// Every prime up to 332 bits, 100 digits, is proven: below 3.3e24 by tests that are
// known to make no error there, above by N-1 if n - 1 comes apart easily and by
// APR-CL otherwise (prove.go, minusone.go, aprcl.go). Above 332 bits only N-1 is
// tried, and the rest stays probable. Primes above 128 bits get a turn of their
// own, and a number is not done before it.
//
// # The quadratic sieve in turns
//
// Notation: n is the number, k the multiplier, kn what is sieved. A polynomial is
// y = l x + b, y^2 - kn = l' Q(x), where l and l' are a or small multiples of it
// and a is a product of s primes of the factor base (see siqsBase). Every a has
// 2^(s-1) values of b, which follow each other in the order of a Gray code. A
// relation is an x for which Q(x) splits over the factor base, but for up to two
// large primes.
//
// A turn of the sieve names polynomials: some primes for a, and a range of the
// b's. Its result lists relations: which polynomial, which x, the factors of Q(x).
// The machine computes y^2 - kn itself and multiplies the factors out, so a false
// relation is an error, wherever it comes from. Relations that are lost are not
// missed, and those that come twice are known by their y.
//
// Large primes are the edges of a graph; its cycles are combinations that are free
// of them. When there are more of these than primes in the factor base, the
// machine builds the matrix of odd exponents, and one turn looks for dependencies
// in it. Each gives x^2 = y^2 modulo n; the machine refines n by the greatest
// common divisors until all parts are prime. If no dependency helps, it gathers
// more, then changes the multiplier, and in the end goes back to curves.
//
// Start reading at [Machine.Next] and [Machine.Apply]; for the sieve itself at
// siqsBase, then siqs.sievePolynomial.
package factor
