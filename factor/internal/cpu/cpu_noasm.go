//go:build !amd64 || purego

package cpu

// ADX, AVX2, AVX512 and IFMA say that there is assembly to call, which there is not
// here.
const ADX, AVX2, AVX512, IFMA = false, false, false, false
