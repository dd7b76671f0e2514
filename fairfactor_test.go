package fairfactor_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"fairfactor"
)

func TestIDRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		id := fairfactor.ID{Nonce: rng.Uint64() >> 16, Caller: rng.Uint64()>>24 | 1, Seq: rng.Uint64()>>24 | 1}
		text := id.String()
		if len(text) != fairfactor.IDLen {
			t.Fatalf("%q has %d characters", text, len(text))
		}
		back, err := fairfactor.ParseID(text)
		if err != nil || back != id {
			t.Fatalf("%q: got %v, %v, want %v", text, back, err, id)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	good := fairfactor.ID{Nonce: 7, Caller: 1, Seq: 1}.String()
	for _, s := range []string{"", "230432", good[:25], good + "0", strings.ToUpper(good), good[:25] + "z", strings.Repeat("0", 26), strings.Repeat("é", 13)} {
		if id, err := fairfactor.ParseID(s); fairfactor.CodeOf(err) != fairfactor.NotFound {
			t.Errorf("%q: got %v, %v", s, id, err)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for in, want := range map[string]string{
		"1": "1", "7": "7", "007": "7", strings.Repeat("0", 500) + "12": "12", strings.Repeat("9", 100): strings.Repeat("9", 100),
	} {
		if got, err := fairfactor.ParseNumber(in, 100); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0", "000", "-6", "+6", "1e9", "0x10", " 7", "7 ", "7.0", "٧", "７", strings.Repeat("9", 101)} {
		if got, err := fairfactor.ParseNumber(in, 100); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func TestParseCaller(t *testing.T) {
	for _, s := range []string{"a", "test-caller-1", "A.b_c:d@e-9", strings.Repeat("x", 64)} {
		if _, err := fairfactor.ParseCaller(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", strings.Repeat("x", 65), "a b", "a/b", "é", "a\n", "a\x00"} {
		if _, err := fairfactor.ParseCaller(s); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}
