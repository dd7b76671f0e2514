//go:build !purego

package siqs

// The assembly of the loops; the Go of each is in siqsloops.go under the same
// name without ASM. Measured on a Zen 3 at 60 digits, assembly over Go: sieve.AddRuns
// 1.5 times as fast, scatter and moveRoots together 2, rootMasks 3.

//go:noescape
func scatterASM(primes, r1, r2 *uint32, count int, entries, filled *uint32, tag uint32, spans *uint32, rounds int, packs *[256]uint64)

//go:noescape
func scatter16ASM(primes, r1, r2 *uint32, count int, entries, filled *uint32, tag uint32, spans *uint32, rounds int)

//go:noescape
func scatterFewASM(r1, r2 *uint32, count int, entries, filled *uint32, tag, end uint32, hits *uint32)

//go:noescape
func pickASM(primes, r1, r2, step *uint32, count int, minus bool, end uint32, hits *uint32, packs *[256]uint64) int

//go:noescape
func enterASM(hits *uint32, count int, entries, filled *uint32, tag uint32)

//go:noescape
func enterByBlockASM(hits *uint32, count int, entries, filled *uint32, tag uint32, blocks int, packs *[256]uint64)

//go:noescape
func addEntriesASM(block *byte, entries *uint32, count int, log uint8)

//go:noescape
func nextMatchASM(entries *uint32, from, to int, offset uint32) int

//go:noescape
func nextMatch16ASM(entries *uint32, from, to int, offset uint32) int

//go:noescape
func moveRootsASM(primes, r1, r2, step *uint32, count int, minus bool)

//go:noescape
func moveRoots16ASM(primes, r1, r2, step *uint16, count int, minus bool)

//go:noescape
func rootMasksASM(x uint32, primes, r1, r2 *uint16, limit, inverse *uint32, count int, masks *uint8)

//go:noescape
func fillASM(block *byte, count int, value byte)

//go:noescape
func nextSignASM(block *byte, from, to int) int
