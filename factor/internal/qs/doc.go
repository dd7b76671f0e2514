// Package qs is the small quadratic sieve: a self-initialising sieve for numbers of 62
// to 141 bits that stays in the first cache and splits its number in one turn.
//
// Start reading at [Sieve] and [Sieve.Split].
package qs
