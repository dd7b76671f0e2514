//go:build !purego

package cpu

import "os"

// ADX, AVX2, AVX512 and IFMA say what the processor and the system have, and
// FAIRFACTOR_CPU leaves.
var ADX, AVX2, AVX512, IFMA = without(os.Getenv(variable), detect())

// features are instruction sets; each one but ADX and AVX2 implies the one before it.
type features struct{ adx, avx2, avx512, ifma bool }

// without returns what mask, the value of FAIRFACTOR_CPU, leaves of f.
func without(mask string, f features) (adx, avx2, avx512, ifma bool) {
	adx = f.adx && mask != "noadx"
	avx2 = f.avx2 && mask != "noavx2"
	avx512 = avx2 && f.avx512 && mask != "noavx512"
	ifma = avx512 && f.ifma && mask != "noifma"
	return adx, avx2, avx512, ifma
}

// detect asks the processor: AVX, OSXSAVE and FMA in leaf 1, the others in leaf 7, and
// that the system saves the registers (Intel, Software Developer's Manual 1, 14.3
// and 15.2).
func detect() (f features) {
	if top, _, _ := cpuid(0); top < 7 {
		return f
	}
	const (
		avx    = 1<<27 | 1<<28 | 1<<12
		foundA = 1 << 16      // AVX-512 F
		foundI = 1 << 21      // AVX-512 IFMA
		wide   = 1<<8 | 1<<19 // BMI2 and ADX
	)
	_, b, _ := cpuid(7)
	f.adx = b&wide == wide
	_, _, c := cpuid(1)
	if c&avx != avx {
		return f
	}
	saved := xgetbv()
	f.avx2 = saved&6 == 6 && b&(1<<5) != 0
	f.avx512 = f.avx2 && saved&0xe6 == 0xe6 && b&foundA != 0
	f.ifma = f.avx512 && b&foundI != 0
	return f
}

// cpuid returns three registers of a leaf, subleaf 0.
func cpuid(leaf uint32) (a, b, c uint32)

// xgetbv returns which registers the system saves.
func xgetbv() uint32
