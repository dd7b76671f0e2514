package cpu

import (
	"os"
	"strings"
	"testing"
)

// TestPaths says which paths the tests in this process run, and which they can't,
// and that FAIRFACTOR_CPU takes away what it names.
func TestPaths(t *testing.T) {
	used, missing := Paths()
	t.Logf("%s=%q: tested here: %s; not on this machine, or masked: %s",
		variable, os.Getenv(variable), strings.Join(used, ", "), strings.Join(missing, ", "))
	if IFMA && !AVX512 || AVX512 && !AVX2 {
		t.Errorf("AVX2 %v, AVX-512 %v, IFMA %v", AVX2, AVX512, IFMA)
	}
	switch os.Getenv(variable) {
	case "":
	case "noadx":
		if ADX {
			t.Error("ADX is masked and used")
		}
	case "noavx2":
		if AVX2 {
			t.Error("AVX2 is masked and used")
		}
	case "noavx512":
		if AVX512 {
			t.Error("AVX-512 is masked and used")
		}
	case "noifma":
		if IFMA {
			t.Error("IFMA is masked and used")
		}
	default:
		t.Errorf("%s=%q masks nothing", variable, os.Getenv(variable))
	}
}
