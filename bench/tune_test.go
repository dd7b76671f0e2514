package main

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"fairfactor/factor/tune"
)

// TestTune looks for parameters of one small size from the command line, and reads
// what it printed.
func TestTune(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tune.json")
	out, _ := command(t, 0, "tune", "-bits", "118", "-work", "1ms", "-method", "1ms", "-numbers", "2", "-seed", "3", "-json", file)
	for _, want := range []string{
		`(?m)^30 +\S+ us(, \d+ % missed)? +\S+ us +\S+ us +- +- +(hart|ecm|rho)$`,
		`(?m)^128 +- +- +- +\S+ ms +\S+ ms +qs$`,
		`(?m)^\{118, \d+, \d+, \d+ << \d+, \d+, [0-9.]+, \d+\}, // [0-9.]+ ms, (as before|was .*)$`,
		`(?m)^seed 3$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	var got tuning
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &got)
	}
	if err != nil || len(got.Crossovers) != len(crossoverBits) || len(got.Sieve) != 1 || got.Sieve[0].CPU <= 0 {
		t.Errorf("%v: %s", err, raw)
	}
}

func TestTuneRefuses(t *testing.T) {
	for _, args := range [][]string{{"-bits", "99"}, {"-bits", "333"}, {"-bits", "x"}, {"-work", "0s"}, {"more"}} {
		command(t, 2, append([]string{"tune"}, args...)...)
	}
}

func TestFastest(t *testing.T) {
	for _, c := range []struct {
		hart, ecm time.Duration
		missed    int
		want      string
	}{{10, 20, 0, "hart"}, {10, 20, 20, "hart"}, {10, 20, 60, "ecm"}, {30, 20, 0, "ecm"}} {
		x := crossover{Numbers: 100, CPU: map[string]time.Duration{"hart": c.hart, "ecm": c.ecm}, Missed: map[string]int{"hart": c.missed}}
		if got := x.fastest(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestSurely(t *testing.T) {
	for _, c := range []struct {
		ratios []float64
		want   bool
	}{
		{[]float64{0.96}, true},
		{[]float64{0.98}, false},
		{[]float64{0.9, 0.9}, true},
		{[]float64{0.8, 1.15, 0.8, 1.15}, false},
		{[]float64{0.995, 0.995}, false},
		{[]float64{0.95, 0.97, 0.96, 0.95}, true},
		{[]float64{1.1, 1.1}, false},
	} {
		if got := surely(c.ratios); got != c.want {
			t.Errorf("%v: %v", c.ratios, got)
		}
	}
}

// TestChanges goes both ways from parameters of the engine: what is tried is
// different in one, and what the sieve can do.
func TestChanges(t *testing.T) {
	for _, size := range []int{110, 165, 232, 300} {
		rng := newRand(9, uint64(size))
		n := bitSemiprime(rng, size)
		if v, _ := new(big.Int).SetString(n, 10); v.BitLen() != size {
			t.Fatalf("%s has %d bits", n, v.BitLen())
		}
		from := tune.SieveSizeFor(size)
		for i, change := range changes {
			for _, up := range []bool{true, false} {
				to := change(from, up)
				if to == from && (up || from.Double != 0) {
					t.Errorf("%d bits: change %d of %+v does nothing", size, i, from)
				}
				if _, err := tune.NewSieve(n, to); err != nil && size < 300 {
					t.Errorf("%d bits: %+v: %v", size, to, err)
				}
			}
		}
	}
	if got := tableRow(298, tune.SieveSize{Base: 7, Large: 8, Length: 3 << 17, Skip: 9, Double: 1.83, Slack: 4}); got != "{298, 7, 8, 3 << 17, 9, 1.83, 4}," {
		t.Error(got)
	}
}
