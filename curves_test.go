package fairfactor_test

import (
	"slices"
	"strings"
	"testing"

	"fairfactor"
)

func TestCheckCurves(t *testing.T) {
	got, err := fairfactor.CheckCurves([]fairfactor.Curves{{B1: 250_000, Count: 3}, {B1: 50_000, Count: 200}})
	if want := []fairfactor.Curves{{B1: 50_000, Count: 200}, {B1: 250_000, Count: 3}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	many := make([]fairfactor.Curves, fairfactor.MaxCurveBounds+1)
	for i := range many {
		many[i] = fairfactor.Curves{B1: uint64(1000 + i), Count: 1}
	}
	if _, err := fairfactor.CheckCurves(many[1:]); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]fairfactor.Curves{
		many,
		{{B1: 99, Count: 1}},
		{{B1: fairfactor.MaxCurveB1 + 1, Count: 1}},
		{{B1: 1000}},
		{{B1: 1000, Count: fairfactor.MaxCurveCount + 1}},
		{{B1: 1000, Count: 1}, {B1: 1000, Count: 2}},
	} {
		if _, err := fairfactor.CheckCurves(bad); fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.HasPrefix(err.Error(), "ecm has ") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestKnownFactors(t *testing.T) {
	// 3^2 7 1000000007 (2^89 - 1)
	const number, large = "38995111510455257321748763608256890951", "618970019642690137449562111"
	got, err := fairfactor.KnownFactors(number, []string{large, "3", "1000000007"})
	want := []fairfactor.Factor{{Prime: "3", Exponent: 2}, {Prime: "1000000007", Exponent: 1}, {Prime: large, Exponent: 1, Probable: true}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"1": "not prime", "9": "not prime", "63": "not prime", "5": "does not divide", "0": "can't be used", "x": "can't be used", "3 3": "twice",
		strings.Repeat("3", fairfactor.MaxKnownDigits+1): "can't be used", strings.Repeat("3 ", fairfactor.MaxKnownFactors) + "3": "at most",
	} {
		if _, err := fairfactor.KnownFactors(number, strings.Fields(text)); fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}
