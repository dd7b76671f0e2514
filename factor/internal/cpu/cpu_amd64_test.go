//go:build !purego

package cpu

import "testing"

func TestWithout(t *testing.T) {
	all := features{true, true, true, true}
	for _, c := range []struct {
		mask      string
		has, left features
	}{
		{"", all, all},
		{"noifma", all, features{true, true, true, false}},
		{"noavx512", all, features{true, true, false, false}},
		{"noavx2", all, features{adx: true}},
		{"noadx", all, features{false, true, true, true}},
		{"", features{avx2: true}, features{avx2: true}},
		{"noifma", features{avx2: true}, features{avx2: true}},
		{"", features{}, features{}},
	} {
		var left features
		left.adx, left.avx2, left.avx512, left.ifma = without(c.mask, c.has)
		if left != c.left {
			t.Errorf("%+v without %q: %+v", c.has, c.mask, left)
		}
	}
}
