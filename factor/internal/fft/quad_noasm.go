//go:build !amd64 || purego

package fft

// There is no assembly to call here: cpu.AVX2 is false.

func quadForward2(_ *quad, _, _ int, _ *quad, _ *quadGroup) {}

func quadForward4(_ *quad, _, _ int, _, _ *quad, _ *quadGroup) {}

func quadGrow(_ *quad, _ int, _ *quad, _ *quadGroup) {}

func quadInverse2(_ *quad, _, _ int, _ *quad, _ *quadGroup) {}

func quadInverse4(_ *quad, _, _ int, _, _ *quad, _ *quadGroup) {}

func quadMultiply(_, _, _ *quad, _ int, _ *quadGroup) {}

func quadSpread(_ *quad, _ *uint64, _, _, _ int, _ *uint64, _ *quadGroup) {}

func quadDigits(_ *uint64, _ *quad, _, _ int, _, _ *quad, _ *quadGroup) {}

func quadGather(_, _, _ *uint64, _ int, _ *uint64, _ int) {}

func quadReduce(_, _, _, _ *uint64, _ int, _ *uint64, _ int, _ uint64) {}
