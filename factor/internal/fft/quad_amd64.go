//go:build !purego

package fft

// The assembly of quads; see quadtransform.go and quadconvert.go for what it computes.

//go:noescape
func quadForward2(a *quad, blocks, l int, roots *quad, group *quadGroup)

//go:noescape
func quadForward4(a *quad, blocks, l int, roots, next *quad, group *quadGroup)

// quadGrow is growGo, of l quads each quarter.
//
//go:noescape
func quadGrow(a *quad, l int, roots *quad, group *quadGroup)

//go:noescape
func quadInverse2(a *quad, blocks, l int, roots *quad, group *quadGroup)

//go:noescape
func quadInverse4(a *quad, blocks, l int, roots, next *quad, group *quadGroup)

//go:noescape
func quadMultiply(z, x, y *quad, count int, group *quadGroup)

// quadSpread sets each of count quads a to the value modulo the primes of a coefficient of
// that many halves of words, of k words each.
//
//go:noescape
func quadSpread(a *quad, coefs *uint64, count, k, halves int, powers *uint64, group *quadGroup)

//go:noescape
func quadDigits(y *uint64, a *quad, count, stride int, scale, share *quad, group *quadGroup)

// quadGather sets lo and hi, of width limbs, to the sums over count digits.
//
//go:noescape
func quadGather(lo, hi, y *uint64, count int, rows *uint64, width int)

// quadReduce sets z to what the sums of width limbs lo and hi make, over 2^64 and modulo n, of k >
// 1 words; hi begins one limb lower. neg is -1/n modulo 2^64, and t is scratch.
//
//go:noescape
func quadReduce(z, t, lo, hi *uint64, width int, n *uint64, k int, neg uint64)
