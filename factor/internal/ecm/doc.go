// Package ecm is the elliptic curve method (Lenstra; Montgomery, Math. Comp. 48 (1987)),
// on Montgomery curves in Suyama's parametrisation, with PRAC chains in stage 1 and
// baby and giant steps in stage 2.
//
// There are five arithmetics for the same curves: three curves in step modulo a word
// (ecm64.go, trio.go) and two words (trio128.go), one modulo two words (ecm128.go), one
// modulo any number of words (ecmn.go), and eight at once in the lanes of AVX-512 IFMA (vector.go). Tests hold them
// against each other.
//
// Start reading at [Runner.Run] for the curves of a turn ([Work], by [Levels]), and at
// [Runner.Find64], [Runner.FindVector], [Runner.Quick128] and [Runner.QuickN] for those of the
// first turn.
package ecm
