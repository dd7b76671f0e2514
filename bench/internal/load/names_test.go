package load

import (
	"testing"

	"fairfactor"
	"fairfactor/bench/internal/random"
)

func TestCallerNamesAreFreeAndDiffer(t *testing.T) {
	asked := 0
	names, err := CallerNames(random.New(1, 1), 50, func(string) (bool, error) { asked++; return asked%3 == 0, nil })
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, name := range names {
		if _, err := fairfactor.ParseCaller(name); err != nil || len(name) != len("client-000000") || seen[name] {
			t.Errorf("%q: %v, seen before: %v", name, err, seen[name])
		}
		seen[name] = true
	}
	if len(seen) != 50 || asked != 74 {
		t.Errorf("%d names, %d asked for", len(seen), asked)
	}
}
