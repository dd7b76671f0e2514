// Package forms splits numbers of special forms at once, whatever their size: those with
// two factors whose ratio is close to a fraction of small numbers (ratio.go), with a prime
// p for which p - 1 divides something close to the number (related.go), with several
// primes close to a root of it (near.go), and differences and sums of powers
// (algebraic.go).
//
// Each method is given the CPU that it may take, and finds nothing in an ordinary number.
//
// Start reading at [Finder.Find] and [Algebraic].
package forms
