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
// Trial division, perfect powers and a test for primality come first. What splits the
// composite that is left depends on its size: Hart's one-line method, elliptic curves,
// a small quadratic sieve in one turn, a large one in many, and above 100 digits
// curves without end. The table is in methods.go; docs/factoring.md has it with times
// and sources.
//
// # Rooms
//
// The methods live in rooms under internal, and each only refers to those above it
// in this list:
//
//	cpu, wire, stop    instructions to use; the bytes of turns; when to give up
//	arith              integers of some words, Montgomery arithmetic, primes in order
//	gf2, sieve         linear algebra modulo 2; what both sieves share
//	fft                products of large integers, and polynomials modulo n
//	primorial          small primes of long numbers, all at once
//	hart, rho, ecm, pm1  the methods without a sieve
//	qs, siqs           the small quadratic sieve, and the large one in turns
//	certificate        certificates of primality, and the check of them
//	prime              tests for primality, and proofs
//	ecpp               certificates by elliptic curves
//	forms              numbers of special forms
//
// Assembly has a version in Go that computes the same. Where the eight curves at once
// would run in Go, other curves take their place, so the method that a result names may
// differ. The environment variable FAIRFACTOR_CPU (noadx, noavx2, noavx512, noifma) and the build
// tag purego choose the Go. Package tune has the methods one by one, for programs that
// measure.
//
// # Proofs
//
// Every prime up to 664 bits, 200 digits, is proven: below 3.3e24 by tests that are
// known to make no error there, above by N-1 if n - 1 is easily factored and by
// APR-CL otherwise, which takes several turns above 332 bits. Above 664 bits a prime stays
// probable.
// Primes above 128 bits get a turn of their own, and a number is not done before it.
//
// [Runner.Certify] makes a certificate of a prime, which strangers can check, and
// [CheckCertificate] is such a check.
//
// # The quadratic sieve in turns
//
// A turn of the sieve names polynomials: the primes of some A coefficients, and for each
// a range of B values. Its result lists relations: which polynomial, which position, the
// factors of the value there. The machine computes that value itself and multiplies the
// factors out, so a false relation is an error, wherever it comes from. Lost relations
// are replaced by others, and those that come twice are known by their y.
//
// Large primes are the vertices of a graph, and relations its edges: its cycles are
// combinations that are free of large primes. When there are more of these than primes
// in the factor base, the machine builds the matrix of odd exponents, and turns look for
// dependencies in it: one turn up to 60 digits, stages of several above. Each dependency
// gives x^2 = y^2 modulo n; the machine refines n by the greatest common divisors until
// all parts are prime. If no dependency helps, it collects more relations, then changes
// the multiplier, and in the end goes back to curves.
//
// Start reading at [Machine.Next] and [Machine.Apply], and for the first turn at
// Runner.split128; for the sieve itself at the package comment of siqs.
package factor
