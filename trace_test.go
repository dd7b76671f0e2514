package fairfactor_test

import (
	"testing"

	"fairfactor"
)

// TestTraceparent has the examples of W3C Trace Context, section 3.2, and what it forbids.
func TestTraceparent(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for header, good := range map[string]bool{
		"00-" + trace + "-" + parent + "-01":                    true,
		"00-" + trace + "-" + parent + "-00":                    true,
		"cc-" + trace + "-" + parent + "-01":                    true,
		"cc-" + trace + "-" + parent + "-01-what":               true,
		"cc-" + trace + "-" + parent + "-01what":                false,
		"00-" + trace + "-" + parent + "-01-what":               false,
		"ff-" + trace + "-" + parent + "-01":                    false,
		"00-" + trace + "-" + parent + "-0":                     false,
		"00-" + trace + "-" + parent + "-0g":                    false,
		"0X-" + trace + "-" + parent + "-01":                    false,
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent + "-01": false,
		"00-00000000000000000000000000000000-" + parent + "-01": false,
		"00-" + trace + "-0000000000000000-01":                  false,
		"00_" + trace + "-" + parent + "-01":                    false,
		"":                                                      false,
	} {
		got, ok := fairfactor.ParseTrace([]byte(header))
		if ok != good {
			t.Errorf("%q: %v", header, ok)
		}
		if !good {
			continue
		}
		if want := "00-" + trace + "-" + parent + header[52:fairfactor.TraceBytes]; got.String() != want {
			t.Errorf("%q is %s, want %s", header, &got, want)
		}
		if got.Sampled() != (header[54] == '1') {
			t.Errorf("%q: sampled %v", header, got.Sampled())
		}
	}
}
