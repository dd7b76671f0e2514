// Package sieve is what both quadratic sieves share: the loop that adds logarithms to
// a block of the sieve interval, and the multipliers.
package sieve
