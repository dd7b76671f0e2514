//go:build !amd64 || purego

package siqs

func scatterASM(primes, r1, r2 *uint32, count int, entries, filled *uint32, tag uint32, spans *uint32, rounds int, packs *[256]uint64) {
}

func scatter16ASM(primes, r1, r2 *uint32, count int, entries, filled *uint32, tag uint32, spans *uint32, rounds int) {
}

func scatterFewASM(r1, r2 *uint32, count int, entries, filled *uint32, tag, end uint32, hits *uint32) {
}

func pickASM(primes, r1, r2, step *uint32, count int, minus bool, end uint32, hits *uint32, packs *[256]uint64) int {
	return 0
}

func enterASM(hits *uint32, count int, entries, filled *uint32, tag uint32) {}

func enterByBlockASM(hits *uint32, count int, entries, filled *uint32, tag uint32, blocks int, packs *[256]uint64) {
}

func addEntriesASM(block *byte, entries *uint32, count int, log uint8) {}

func nextMatchASM(entries *uint32, from, to int, offset uint32) int { return to }

func nextMatch16ASM(entries *uint32, from, to int, offset uint32) int { return to }

func moveRootsASM(primes, r1, r2, step *uint32, count int, minus bool) {}

func moveRoots16ASM(primes, r1, r2, step *uint16, count int, minus bool) {}

func rootMasksASM(x uint32, primes, r1, r2 *uint16, limit, inverse *uint32, count int, masks *uint8) {
}

func fillASM(block *byte, count int, value byte) {}

func nextSignASM(block *byte, from, to int) int { return to }
