package http_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	httpd "fairfactor/http"
)

// TestStringsAreWrittenAsJSON reads back, with the standard library, what was
// written by hand.
func TestStringsAreWrittenAsJSON(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	pieces := []string{"a", "\"", "\\", "\x00", "\x1f", "\n", "\r", "\t", "\x7f", "é", "\u2028", "𝔽", "\uFFFD", "\xff", "\xc3", "\xed\xa0\x80", "</script>"}
	for range 20_000 {
		var b strings.Builder
		for range rng.IntN(8) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		text := httpd.AppendString(nil, b.String())
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != string([]rune(b.String())) {
			t.Fatalf("%q is written as %s, which is read as %q %v", b.String(), text, back, err)
		}
	}
}

func TestFloatsAreWrittenAsJSON(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", 10: "10", 100: "100", 0.5: "0.5", 12.345678: "12.345678", 1e-9: "0", -1.5: "-1.5", 1e15: "1000000000000000",
		math.Inf(1): "0", math.Inf(-1): "0",
	} {
		if got := string(httpd.AppendFloat(nil, f)); got != want {
			t.Errorf("%v is written as %s, want %s", f, got, want)
		}
	}
	if got := string(httpd.AppendFloat(nil, math.NaN())); got != "0" {
		t.Errorf("NaN is written as %s", got)
	}
}
