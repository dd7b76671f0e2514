//go:build !amd64 || purego

package cpu

// AVX2, AVX512 and IFMA say that there is assembly to call; here there is none.
const AVX2, AVX512, IFMA = false, false, false
