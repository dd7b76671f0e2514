// Package primorial finds the small primes that divide long numbers, all at once: the
// greatest common divisor of a number and the product of many primes costs one division
// of that product, whatever the number of primes, and the product tree takes apart what
// both have in common (Bernstein, "Fast multiplication and its applications", section 14).
//
// Start reading at [Tree.Common].
package primorial
