//go:build !amd64 || purego

package ecm

// There is no assembly to call here: cpu.ADX is false.

func runTrio(_ *trioPoint, _ *trioMove, _ int, _ *trioWords) {}

func runTrioLazy(_ *trioPoint, _ *trioMove, _ int, _ *trioWords) {}

func prefixTrio(_ *[lanes]uint64, _ *trioPoint, _ int, _ *[lanes]uint64, _ *trioWords) {}

func prefixTrioLazy(_ *[lanes]uint64, _ *trioPoint, _ int, _ *[lanes]uint64, _ *trioWords) {}

func suffixTrio(_ *[lanes]uint64, _ *trioPoint, _ int, _ *[lanes]uint64, _ *trioWords) {}

func suffixTrioLazy(_ *[lanes]uint64, _ *trioPoint, _ int, _ *[lanes]uint64, _ *trioWords) {}

func meetTrio(_ *[2 * lanes]uint64, _ *[lanes]uint64, _ *meeting, _ int, _ *trioWords) {}

func meetTrioLazy(_ *[2 * lanes]uint64, _ *[lanes]uint64, _ *meeting, _ int, _ *trioWords) {}

func runTrio128(_ *trioPoint128, _ *trioMove, _ int, _ *trioWords128) {}

func prefixTrio128(_ *[lanes][2]uint64, _ *trioPoint128, _ int, _ *[lanes][2]uint64, _ *trioWords128) {
}

func suffixTrio128(_ *[lanes][2]uint64, _ *trioPoint128, _ int, _ *[lanes][2]uint64, _ *trioWords128) {
}

func meetTrio128(_ *[2 * lanes][2]uint64, _ *[lanes][2]uint64, _ *meeting, _ int, _ *trioWords128) {}
