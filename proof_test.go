package fairfactor_test

import (
	"testing"

	"fairfactor"
)

// TestMethodOfAFactor: small primes have the deterministic test, large ones what is known
// of them.
func TestMethodOfAFactor(t *testing.T) {
	const last, first = "3317044064679887385961813", "3317044064679887385962123" // primes around the limit of the test
	for _, c := range []struct {
		f    fairfactor.Factor
		want string
	}{
		{fairfactor.Factor{Prime: "2"}, "deterministic"},
		{fairfactor.Factor{Prime: last}, "deterministic"},
		{fairfactor.Factor{Prime: first}, "proven"},
		{fairfactor.Factor{Prime: first, Proof: fairfactor.MinusOne}, "n-1"},
		{fairfactor.Factor{Prime: first, Proof: fairfactor.APRCL}, "apr-cl"},
		{fairfactor.Factor{Prime: first, Proof: fairfactor.PlusOne}, "n+1"},
		{fairfactor.Factor{Prime: first, Probable: true}, "probable"},
	} {
		if got := c.f.Method(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.f, got, c.want)
		}
	}
	for _, name := range []string{"", "n-1", "n+1", "apr-cl", "deterministic", "nonsense"} {
		if p := fairfactor.ParseProof(name); p != 0 && p.String() != name || p == 0 && (name == "n-1" || name == "apr-cl") {
			t.Errorf("%q is %d, %q", name, p, p)
		}
	}
	if text := fairfactor.Proof(99).String(); text != "" {
		t.Errorf("99 is %q", text)
	}
}
