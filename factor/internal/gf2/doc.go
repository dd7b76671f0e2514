// Package gf2 is linear algebra modulo 2: sparse matrices of odd exponents, and their
// dependencies, the sets of columns that add up to zero.
//
// A [Matrix] is pruned first: singletons and excess columns go (Prune). Small ones are
// solved by elimination on packed rows, large ones by block Lanczos (Solve), which can
// be taken in steps whose state travels from one turn to the next. Column c of a
// dependency is bit c%64 of word c/64.
package gf2
