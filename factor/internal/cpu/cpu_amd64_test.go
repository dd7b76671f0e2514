//go:build !purego

package cpu

import "testing"

func TestWithout(t *testing.T) {
	all := features{true, true, true}
	for _, c := range []struct {
		mask               string
		has                features
		avx2, avx512, ifma bool
	}{
		{"", all, true, true, true},
		{"noifma", all, true, true, false},
		{"noavx512", all, true, false, false},
		{"noavx2", all, false, false, false},
		{"", features{avx2: true}, true, false, false},
		{"noifma", features{avx2: true}, true, false, false},
		{"", features{}, false, false, false},
	} {
		if a, b, c2 := without(c.mask, c.has); a != c.avx2 || b != c.avx512 || c2 != c.ifma {
			t.Errorf("%+v without %q: %v, %v, %v", c.has, c.mask, a, b, c2)
		}
	}
}
