package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/random"
)

// TestWorst looks for the slowest small number from the command line.
func TestWorst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "worst.json")
	out, _ := benchtest.Run(t, 0, Worst.Run, "-digits", "20", "-numbers", "2", "-seed", "5", "-json", file)
	var got worstTable
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &got)
	}
	if err != nil || len(got.Rows) != 8 {
		t.Fatalf("%v: %s", err, raw)
	}
	for _, r := range got.Rows {
		if r.Numbers < 2*len(numberForms)-2 || r.Mean <= 0 || r.Worst < r.Mean || !strings.Contains(out, r.Number) {
			t.Errorf("%+v in\n%s", r, out)
		}
	}
}

// TestForms checks that the numbers of a size have about that size.
func TestForms(t *testing.T) {
	rng := random.New(1, 2)
	for _, f := range numberForms {
		for _, digits := range worstDigits {
			n := f.draw(rng, digits)
			if n == nil {
				if !strings.HasPrefix(f.name, "p (") {
					t.Errorf("no %s of %d digits", f.name, digits)
				}
				continue
			}
			if got := len(n.String()); got < digits-2 || got > digits+2 {
				t.Errorf("%s of %d digits: %v", f.name, digits, n)
			}
		}
	}
}
