//go:build !purego

package ecm

// The assembly of three curves in step, with BMI2; see curveTrio. What is called lazy is
// for n below 2^lazyBits and residues below 2n, the rest for any n and residues below n.

// runTrio does count moves.
//
//go:noescape
func runTrio(points *trioPoint, moves *trioMove, count int, m *trioWords)

//go:noescape
func runTrioLazy(points *trioPoint, moves *trioMove, count int, m *trioWords)

// prefixTrio multiplies product by z of count points, and sets xs to what it was before each.
//
//go:noescape
func prefixTrio(xs *[lanes]uint64, points *trioPoint, count int, product *[lanes]uint64, m *trioWords)

//go:noescape
func prefixTrioLazy(xs *[lanes]uint64, points *trioPoint, count int, product *[lanes]uint64, m *trioWords)

// suffixTrio sets xs, which prefixTrio has written, to x of the points times product and z of all
// others.
//
//go:noescape
func suffixTrio(xs *[lanes]uint64, points *trioPoint, count int, product *[lanes]uint64, m *trioWords)

//go:noescape
func suffixTrioLazy(xs *[lanes]uint64, points *trioPoint, count int, product *[lanes]uint64, m *trioWords)

// meetTrio multiplies acc by what the points of each of count meetings differ by, an even
// number of them; two of acc belong to each curve.
//
//go:noescape
func meetTrio(acc *[2 * lanes]uint64, xs *[lanes]uint64, list *meeting, count int, m *trioWords)

//go:noescape
func meetTrioLazy(acc *[2 * lanes]uint64, xs *[lanes]uint64, list *meeting, count int, m *trioWords)

// The same modulo two words; see curveTrio128.
//
//go:noescape
func runTrio128(points *trioPoint128, moves *trioMove, count int, m *trioWords128)

//go:noescape
func prefixTrio128(xs *[lanes][2]uint64, points *trioPoint128, count int, product *[lanes][2]uint64, m *trioWords128)

//go:noescape
func suffixTrio128(xs *[lanes][2]uint64, points *trioPoint128, count int, product *[lanes][2]uint64, m *trioWords128)

//go:noescape
func meetTrio128(acc *[2 * lanes][2]uint64, xs *[lanes][2]uint64, list *meeting, count int, m *trioWords128)
