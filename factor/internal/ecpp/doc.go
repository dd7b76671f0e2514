// Package ecpp makes certificates of primality by elliptic curves with complex
// multiplication: Atkin and Morain, "Elliptic curves and primality proving", Math. Comp.
// 61 (1993), 29-68, in the order of work of Morain, "Implementing the asymptotically fast
// version of the elliptic curve primality proving algorithm", Math. Comp. 76 (2007),
// 493-505; Cohen, "A Course in Computational Algebraic Number Theory", section 9.2.
// Package certificate says what a certificate is, and checks it.
//
// # Notation
//
// n is a probable prime, D < 0 a fundamental discriminant and h its class number. If
// 4n = U^2 + |D| V^2, some curve modulo n has m = n + 1 - U points. D is a product of
// prime discriminants q*: -4, 8, -8, and p or -p for odd primes p, whichever is 1 modulo
// 4. Each has to be a square modulo n; then the chance that n is of that form is
// 2^(t-1)/h with t of them (genus theory). If m = s q with s smooth and q probably prime, q takes
// the place of n. n has a few bits less at each step, until 64 are left.
//
// The way down comes first (search.go); where it ends before 64 bits, the next order
// of the step before is tried. Then each step gets its curve: a root modulo n of the
// class polynomial of D is the invariant j of one (classpoly.go, roots.go, curve.go).
//
// Start reading at [Prover.Prove].
package ecpp
