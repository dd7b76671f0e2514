//go:build !amd64 || purego

package fft

// There is no assembly to call here: cpu.IFMA is false.

func forward2(_ *vec, _, _ int, _ *vec, _ *group) {}

func forward4(_ *vec, _, _ int, _, _ *vec, _ *group) {}

func inverse2(_ *vec, _, _ int, _ *vec, _ *group) {}

func inverse4(_ *vec, _, _ int, _, _ *vec, _ *group) {}

func multiply(_, _, _ *vec, _ int, _ *group) {}

func spread(_ *vec, _ *uint64, _, _ int, _ *vec, _ *group) {}

func digits(_, _, _, _ *vec, _ *[lanes]float64, _ *group) {}

func gather(_, _ *vec, _ *uint64, _ int, _ *vec, _ int) {}
