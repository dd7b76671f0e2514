// Package fft multiplies large integers and polynomials modulo n with number-theoretic
// transforms, and has what polynomials are good for: products of many linear factors, and
// values at many points.
//
// # Notation
//
// Coefficients are taken modulo primes p below 2^51 with 2^18 dividing p - 1, as many as
// a product of polynomials needs, and a product comes together by the Chinese remainder
// theorem. Eight primes are a group: eight residues are one vector, so that all steps of
// eight transforms run in the lanes of AVX-512 IFMA, whatever their stride. With AVX2 and FMA four primes
// below 1.75 2^50 are a quad, and residues are float64. Without them the same loops are in Go
// and compute the same words.
//
// A transform evaluates a polynomial modulo x^m - 1 by factoring it: x^2l - c^2 is
// (x^l - c)(x^l + c). Block b of a layer has the root c = roots[b], in an order that does
// not depend on m (bit-reversed exponents), and nothing is put in order in between
// (Bernstein, "Multidigit multiplication for mathematicians", 2001). Residues between layers are
// below 2p; a product with a root w is one of Shoup's, with the quotient floor(w 2^52/p)
// computed before (Harvey, J. Symb. Comp. 60 (2014)).
//
// Start reading at [Ring] for polynomials, which are transformed by eights or by quads, and at
// [Mul] for integers.
package fft
