//go:build !purego

package fft

// The assembly of a group of transforms; see transform.go and convert.go for what it
// computes.

//go:noescape
func forward2(a *vec, blocks, l int, roots *vec, group *group)

//go:noescape
func forward4(a *vec, blocks, l int, roots, next *vec, group *group)

//go:noescape
func inverse2(a *vec, blocks, l int, roots *vec, group *group)

//go:noescape
func inverse4(a *vec, blocks, l int, roots, next *vec, group *group)

//go:noescape
func multiply(z, x, y *vec, count int, group *group)

// spread sets each of count vectors a to the value modulo the primes of limbs, which are
// width for each.
//
//go:noescape
func spread(a *vec, limbs *uint64, count, width int, powers *vec, group *group)

// digits sets y to a times c modulo the primes, below p, and adds y/p to share.
//
//go:noescape
func digits(y, a, c, cq *vec, share *[lanes]float64, group *group)

// gather sets lo and hi to the sums of the low and of the high halves of the count
// products of a y and a row; rows are width vectors long.
//
//go:noescape
func gather(lo, hi *vec, y *uint64, count int, rows *vec, width int)
