package factor_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// roomsBelow are the rooms of factor/internal, from the bottom up, and which of the
// others each may import.
var roomsBelow = map[string][]string{
	"cpu":           {},
	"wire":          {},
	"stop":          {},
	"arith":         {"cpu"},
	"arith/montgen": {},
	"factortest":    {"arith"},
	"fft":           {"arith", "cpu", "stop"},
	"primorial":     {"arith", "fft"},
	"gf2":           {"arith", "stop", "wire"},
	"sieve":         {"arith", "cpu"},
	"hart":          {"arith"},
	"rho":           {"arith"},
	"ecm":           {"arith", "cpu", "fft", "stop", "wire"},
	"qs":            {"arith", "cpu", "sieve", "stop"},
	"siqs":          {"arith", "cpu", "gf2", "sieve", "stop", "wire"},
	"pm1":           {"arith", "stop", "wire"},
	"certificate":   {},
	"prime":         {"arith", "certificate", "ecm", "stop", "wire"},
	"ecpp":          {"arith", "certificate", "primorial", "stop"},
	"forms":         {"arith", "prime", "stop"},
}

// TestRooms holds the imports of the rooms against the list: nothing refers upwards.
func TestRooms(t *testing.T) {
	const internal = "fairfactor/factor/internal/"
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./internal/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		room := strings.TrimPrefix(words[0], internal)
		below, known := roomsBelow[room]
		if !known {
			t.Errorf("%s is not in the list", words[0])
			continue
		}
		seen++
		for _, path := range words[1:] {
			if other, ours := strings.CutPrefix(path, internal); ours && !slices.Contains(below, other) || path == "fairfactor/factor" {
				t.Errorf("%s imports %s, which is not below it", room, path)
			}
		}
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for room, below := range roomsBelow {
		if slices.Contains(below, "cpu") && !strings.Contains(string(makefile), "./factor/internal/"+room) {
			t.Errorf("%s asks for vector instructions; add it to PATHS in the Makefile", room)
		}
	}
	if seen != len(roomsBelow) {
		t.Errorf("%d rooms, %d in the list", seen, len(roomsBelow))
	}
}
