//go:build !purego

package factor

// useAVX2, useAVX512 and useIFMA say what the processor and the system have: AVX2;
// AVX-512, the foundation; and with products of 52 bits.
var useAVX2, useAVX512, useIFMA = vectors()

// vectors asks the processor: AVX and OSXSAVE in leaf 1, the others in leaf 7, and
// that the system saves the registers (Intel, Software Developer's Manual 1, 14.3
// and 15.2).
func vectors() (avx2, avx512, ifma bool) {
	if top, _, _ := cpuid(0); top < 7 {
		return false, false, false
	}
	const (
		avx    = 1<<27 | 1<<28
		foundA = 1 << 16 // AVX-512 F
		foundI = 1 << 21 // AVX-512 IFMA
	)
	_, _, c := cpuid(1)
	if c&avx != avx {
		return false, false, false
	}
	saved := xgetbv()
	_, b, _ := cpuid(7)
	avx2 = saved&6 == 6 && b&(1<<5) != 0
	avx512 = avx2 && saved&0xe6 == 0xe6 && b&foundA != 0
	return avx2, avx512, avx512 && b&foundI != 0
}

// cpuid returns three registers of a leaf, subleaf 0.
func cpuid(leaf uint32) (a, b, c uint32)

// xgetbv returns which registers the system saves.
func xgetbv() uint32
