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
