package rules_test

import (
	"reflect"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

func TestDeathsText(t *testing.T) {
	var none *fairfactor.Deaths
	two := none.With("a", time.Second).With("b", 2*time.Second)
	for _, d := range []*fairfactor.Deaths{none, none.With("a", 0), two} {
		if got, ok := rules.ParseDeaths(rules.DeathsText(d)); !ok || !reflect.DeepEqual(got, d) {
			t.Errorf("%q was read as %+v, want %+v", rules.DeathsText(d), got, d)
		}
	}
	for _, text := range []string{" ", "5", "x a"} {
		if d, ok := rules.ParseDeaths(text); ok {
			t.Errorf("%q was read as %+v", text, d)
		}
	}
}
