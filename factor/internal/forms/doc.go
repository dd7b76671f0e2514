// Package forms splits numbers of special forms at once, whatever their size: two factors
// whose ratio is close to a fraction of small numbers (ratio.go), two of which one less
// one divides something close to the number (related.go), several that are close to one
// root of it (near.go), and sums and differences of powers (algebraic.go).
//
// Each method is given the CPU that it may take, and finds nothing in an ordinary number.
//
// Start reading at [Finder.Find] and [Algebraic].
package forms
