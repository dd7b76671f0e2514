package rules_test

import (
	"slices"
	"testing"

	"fairfactor"
	"fairfactor/store/rules"
)

func TestCurvesText(t *testing.T) {
	for _, curves := range [][]fairfactor.Curves{nil, {{B1: 50_000, Count: 200}}, {{B1: 100, Count: 1}, {B1: 1 << 40, Count: 1 << 62}}} {
		if got, ok := rules.ParseCurves(rules.CurvesText(curves)); !ok || !slices.Equal(got, curves) {
			t.Errorf("%q was read as %v, want %v", rules.CurvesText(curves), got, curves)
		}
	}
	for _, text := range []string{" ", "5", "5:", ":5", "5:6,", "5:-1", "5:6:7"} {
		if curves, ok := rules.ParseCurves(text); ok {
			t.Errorf("%q was read as %v", text, curves)
		}
	}
}
