package postgres

import (
	"reflect"
	"testing"

	"fairfactor"
)

// FuzzFactors: factors that are read from a row are written as text that reads the same.
func FuzzFactors(f *testing.F) {
	for _, text := range []string{"", "2^3 1000003?", "5 7", "1^", "?^2", "5^-1", "5  7", "7?^9999999999999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		factors, err := parseFactors(text)
		if err != nil {
			return
		}
		again, err := parseFactors(factorsText(factors))
		if err != nil || !reflect.DeepEqual(factors, again) {
			t.Fatalf("%q is %+v, and that is written as %q, %+v, %v", text, factors, factorsText(factors), again, err)
		}
	})
}

// FuzzWants: what a submitter wanted is written as text that reads the same.
func FuzzWants(f *testing.F) {
	for _, text := range []string{"", "d1920000000000000", "chttps://example.com/", "d1 chttps://example.com/ x", "d", "c", "x", "d1 d2", "e50000:200,250000:1", "d1 e7:8 chttps://example.com/", "e", "e5", "e5:5 e6:6", "t00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 d1920000000000000", "t00-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second fairfactor.Job
		if readWants(text, &first) != nil || first.Deadline.IsZero() && first.Callback == nil && first.Curves == nil && first.Trace == nil {
			return
		}
		if err := readWants(wantsText(&first), &second); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%q is %+v, and that is %q, %+v, %v", text, first, wantsText(&first), second, err)
		}
	})
}
