// Package cpu says which instructions beyond the common ones the assembly may use.
//
// ADX, AVX2, AVX512 and IFMA are what the processor and the system have: ADX and BMI2,
// products of words with two carries; AVX2 with FMA; AVX-512 F; and AVX-512 IFMA, the products
// of 52 bits. Each of the last three implies those of them before it.
// The environment variable FAIRFACTOR_CPU takes some of them away when the program
// starts, so that one machine can test the paths of all others: noadx, noavx2, noavx512
// or noifma. Everything computes the same results whatever is left.
//
// Without assembly, on other processors and with the build tag purego, all four are
// constants and false.
package cpu

// variable names the environment variable that takes instructions away.
const variable = "FAIRFACTOR_CPU"

// Paths returns the names of the paths that this process takes, and of those that it
// can't.
func Paths() (used, missing []string) {
	used = []string{"go"}
	for _, p := range []struct {
		name string
		has  bool
	}{{"adx", ADX}, {"avx2", AVX2}, {"avx512", AVX512}, {"ifma", IFMA}} {
		if p.has {
			used = append(used, p.name)
		} else {
			missing = append(missing, p.name)
		}
	}
	return used, missing
}
