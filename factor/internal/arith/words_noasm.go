//go:build !amd64 || purego

package arith

// kernels are the routines of each number of words, which are not here: MontN asks
// [cpu.ADX].
var kernels [mostWords - leastWords + 1]kernel
