package factor_test

import (
	"errors"
	"testing"

	"fairfactor/factor"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		n      string
		primes []factor.Prime
		rest   string
		err    error
	}{
		{"1001", []factor.Prime{{P: "7", Exponent: 1}, {P: "11", Exponent: 1}, {P: "13", Exponent: 1}}, "1", nil},
		{"1001", []factor.Prime{{P: "7", Exponent: 1}}, "143", nil},
		{"1001", nil, "1001", nil},
		{"1", nil, "1", nil},
		{"72", []factor.Prime{{P: "2", Exponent: 3}, {P: "3", Exponent: 2}}, "1", nil},
		{"72", []factor.Prime{{P: "2", Exponent: 4}}, "", factor.ErrProduct},
		{"72", []factor.Prime{{P: "3", Exponent: 2}, {P: "2", Exponent: 3}}, "", factor.ErrProduct},
		{"72", []factor.Prime{{P: "2", Exponent: 1 << 40}}, "", factor.ErrProduct},
		{"72", []factor.Prime{{P: "2", Exponent: 0}}, "", factor.ErrProduct},
		{"72", []factor.Prime{{P: "1", Exponent: 1}}, "", factor.ErrProduct},
		{"72", []factor.Prime{{P: "8", Exponent: 1}, {P: "9", Exponent: 1}}, "", factor.ErrComposite},
		{"72", []factor.Prime{{P: "02", Exponent: 3}}, "", factor.ErrNotNumber},
		{"x", nil, "", factor.ErrNotNumber},
	} {
		rest, err := factor.Check(c.n, c.primes)
		if rest != c.rest || !errors.Is(err, c.err) {
			t.Errorf("%s %v: rest %q, %v, want %q, %v", c.n, c.primes, rest, err, c.rest, c.err)
		}
	}
}

// BenchmarkCheck is what an answer from the store of known results costs before it
// is used.
func BenchmarkCheck(b *testing.B) {
	primes := []factor.Prime{{P: "618970019642690137449562111", Exponent: 1}, {P: "162259276829213363391578010288127", Exponent: 1}}
	for b.Loop() {
		if rest, err := factor.Check("100433627766186892221372630609062766858404681029709092356097", primes); rest != "1" || err != nil {
			b.Fatal(rest, err)
		}
	}
}
