// Package siqs is the self-initialising quadratic sieve in turns, for numbers of 100 to
// 332 bits.
//
// Two sides share it. A machine owns a [Collection]: it hands out [Work], polynomials to
// sieve, checks the relations that come back and counts how many combinations are free
// of large primes. Once there are enough it goes on to [Postprocessing]: cycles, columns
// of the matrix, linear algebra and square roots. A [Runner] does the work of each turn
// and keeps tables between turns.
//
// Both sides build the same [Base] from what a payload says; its comment has the
// notation. Large primes are the vertices of a graph, 1 is one too, and relations are
// its edges: its cycles are the combinations that are free of large primes.
//
// Start reading at [Base], then siever.sievePolynomial and [Collection.AddRelations].
package siqs
