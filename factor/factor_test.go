package factor_test

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"fairfactor/factor"
)

// seeded returns a source of random numbers and prints its seed.
func seeded(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// check factors n with one worker and verifies the answer.
func check(t *testing.T, n string) []factor.Prime {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, err := factor.Factorize(ctx, n, 1)
	if err != nil {
		t.Fatalf("%s: %v", n, err)
	}
	if err := factor.Verify(n, p); err != nil {
		t.Fatalf("%s = %v: %v", n, p, err)
	}
	return p
}

func TestSmall(t *testing.T) {
	r := factor.NewRunner()
	for n := int64(1); n < 12000; n++ {
		text := big.NewInt(n).String()
		p, done := answer(t, r, text)
		if err := factor.Verify(text, p); err != nil || !done {
			t.Fatalf("%d = %v, done %v: %v", n, p, done, err)
		}
	}
}

// TestRandom factors random numbers, and products of random primes, of all
// sizes up to 96 bits.
func TestRandom(t *testing.T) {
	r := seeded(t)
	run := factor.NewRunner()
	for i := range 3000 {
		n := new(big.Int).SetUint64(r.Uint64())
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.Uint64()))
		n.Rsh(n, uint(58+r.IntN(69)))
		if i%2 == 0 {
			n.SetInt64(1)
			for n.BitLen() < 80 && r.IntN(5) > 0 {
				n.Mul(n, primeOf(r, 2+r.IntN(min(34, 82-n.BitLen()))))
			}
		}
		if n.Sign() == 0 {
			continue
		}
		p, done := answer(t, run, n.String())
		if !done {
			check(t, n.String())
		} else if err := factor.Verify(n.String(), p); err != nil {
			t.Fatalf("%v = %v: %v", n, p, err)
		}
	}
}

// TestRegressions factors the numbers of testdata/regressions.txt: forms that
// break factoring programs, and whatever once broke this one.
func TestRegressions(t *testing.T) {
	text, err := os.ReadFile("testdata/regressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		n, _, _ := strings.Cut(line, "#")
		if n = strings.TrimSpace(n); n == "" {
			continue
		}
		start := time.Now()
		check(t, n)
		if d := time.Since(start); d > 5*time.Second {
			t.Logf("%s took %v", n, d)
		}
	}
}

// TestForms factors numbers of special forms: next to powers of two and ten,
// factorials, equal and neighbouring primes, related primes.
func TestForms(t *testing.T) {
	around := func(n *big.Int, by int64) {
		for d := -by; d <= by; d++ {
			if m := new(big.Int).Add(n, big.NewInt(d)); m.Sign() > 0 {
				check(t, m.String())
			}
		}
	}
	for k := uint(1); k <= 100; k += 3 {
		around(new(big.Int).Lsh(big.NewInt(1), k), 1)
	}
	around(new(big.Int).Lsh(big.NewInt(1), 32), 40)
	around(new(big.Int).Lsh(big.NewInt(1), 64), 40)
	for _, k := range []int64{10, 15, 20, 21, 25, 30} {
		around(new(big.Int).Exp(big.NewInt(10), big.NewInt(k), nil), 1)
		around(new(big.Int).MulRange(1, k), 1)
	}
	for k := int64(2); k <= 32; k++ { // repunits
		n := new(big.Int).Exp(big.NewInt(10), big.NewInt(k), nil)
		check(t, n.Sub(n, big.NewInt(1)).Quo(n, big.NewInt(9)).String())
	}
}

func TestPowersOfPrimes(t *testing.T) {
	r := seeded(t)
	for _, bits := range []int{9, 12, 16, 21, 26, 31, 32, 33, 40, 43, 60, 63, 64, 65, 100, 128, 150} {
		for k := 2; k <= 7 && k*bits <= 500; k++ {
			p := primeOf(r, bits)
			n := new(big.Int).Exp(p, big.NewInt(int64(k)), nil)
			got := check(t, n.String())
			if len(got) != 1 || got[0].Exponent != k || got[0].P != p.String() {
				t.Fatalf("%v = %v", n, got)
			}
			if bits < 45 {
				q := primeOf(r, 20)
				check(t, n.Mul(n, q).String())
				check(t, n.Mul(n, q).String())
			}
		}
	}
}

// TestNeighbours factors p times the next prime, and p(2p-1), p(2p-1)(3p-2).
func TestNeighbours(t *testing.T) {
	r := seeded(t)
	for bits := 10; bits <= 44; bits++ {
		p := primeOf(r, bits)
		q := new(big.Int).Add(p, big.NewInt(2))
		for !q.ProbablyPrime(0) {
			q.Add(q, big.NewInt(2))
		}
		check(t, new(big.Int).Mul(p, q).String())
		q.Lsh(p, 1).Sub(q, big.NewInt(1))
		check(t, new(big.Int).Mul(p, q).String())
		if bits < 32 {
			s := new(big.Int).Mul(p, big.NewInt(3))
			s.Sub(s, big.NewInt(2)).Mul(s, q).Mul(s, p)
			check(t, s.String())
		}
	}
}

// TestCarmichael factors the Carmichael numbers (6k+1)(12k+1)(18k+1).
func TestCarmichael(t *testing.T) {
	found := 0
	for k := int64(1); k < 20_000; k++ {
		n := big.NewInt(1)
		for _, c := range []int64{6, 12, 18} {
			p := big.NewInt(c*k + 1)
			if !p.ProbablyPrime(0) {
				n = nil
				break
			}
			n.Mul(n, p)
		}
		if n != nil {
			found++
			if got := check(t, n.String()); len(got) != 3 {
				t.Fatalf("%v = %v", n, got)
			}
		}
	}
	t.Logf("%d numbers", found)
}

func TestTwentyDigitPrimes(t *testing.T) {
	got := check(t, "100000000000000000339000000000000000117")
	if len(got) != 2 || got[1].P != "100000000000000000039" {
		t.Fatalf("got %v", got)
	}
	for _, p := range got {
		if !p.Proven || p.Proof != factor.Deterministic {
			t.Errorf("%v is not proven", p)
		}
	}
}

// TestLarge factors numbers above 128 bits with factors within reach.
func TestLarge(t *testing.T) {
	r := seeded(t)
	for range 6 {
		n := new(big.Int).Mul(primeOf(r, 30), primeOf(r, 38))
		n.Mul(n, primeOf(r, 44))
		n.Mul(n, primeOf(r, 80+r.IntN(300)))
		check(t, n.String())
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		in, out string
		err     error
	}{
		{"1", "1", nil},
		{"0001", "1", nil},
		{"18446744073709551616", "18446744073709551616", nil},
		{"", "", factor.ErrNotNumber},
		{"0", "", factor.ErrZero},
		{"000", "", factor.ErrZero},
		{"-6", "", factor.ErrNotNumber},
		{"+6", "", factor.ErrNotNumber},
		{"1e9", "", factor.ErrNotNumber},
		{"0x10", "", factor.ErrNotNumber},
		{" 7", "", factor.ErrNotNumber},
		{"7 ", "", factor.ErrNotNumber},
		{"7.0", "", factor.ErrNotNumber},
		{"٣", "", factor.ErrNotNumber},
		{"1_000", "", factor.ErrNotNumber},
	} {
		got, err := factor.Canonical(c.in)
		if got != c.out || !errors.Is(err, c.err) {
			t.Errorf("Canonical(%q) = %q, %v", c.in, got, err)
		}
	}
}

func TestNotCanonical(t *testing.T) {
	r := factor.NewRunner()
	for _, n := range []string{"", "0", "01", "-1", "x", " 1", strings.Repeat("9", 25) + "x"} {
		if _, err := factor.New(n); !errors.Is(err, factor.ErrNotNumber) {
			t.Errorf("New(%q): %v", n, err)
		}
		if _, err := r.Run(factor.First(n), nil); err == nil {
			t.Errorf("first turn of %q ran", n)
		}
		if _, _, err := factor.Decode(n, factor.Result{}); err == nil {
			t.Errorf("decoded a result of %q", n)
		}
	}
	huge := "1" + strings.Repeat("0", 30000)
	if _, err := r.Run(factor.First(huge), nil); !errors.Is(err, factor.ErrTurn) {
		t.Errorf("30,001 digits: %v", err)
	}
}

func TestProduct(t *testing.T) {
	P := func(p string, e int) factor.Prime { return factor.Prime{P: p, Exponent: e} }
	for _, c := range []struct {
		n      string
		primes []factor.Prime
		err    error
	}{
		{"1", nil, nil},
		{"12", []factor.Prime{P("2", 2), P("3", 1)}, nil},
		{"12", []factor.Prime{P("2", 1), P("3", 1)}, factor.ErrProduct},
		{"13", []factor.Prime{P("2", 2), P("3", 1)}, factor.ErrProduct},
		{"12", []factor.Prime{P("3", 1), P("2", 2)}, factor.ErrProduct},
		{"12", []factor.Prime{P("2", 1), P("2", 1), P("3", 1)}, factor.ErrProduct},
		{"12", []factor.Prime{P("2", 2), P("3", 0)}, factor.ErrProduct},
		{"12", []factor.Prime{P("1", 1), P("2", 2), P("3", 1)}, factor.ErrProduct},
		{"12", []factor.Prime{P("02", 2), P("3", 1)}, factor.ErrNotNumber},
		{"12", []factor.Prime{P("2", 1<<40), P("3", 1)}, factor.ErrProduct},
		{"12", nil, factor.ErrProduct},
		{"340282366920938463463374607431768211456", []factor.Prime{P("2", 128)}, nil},
		{"340282366920938463463374607431768211456", []factor.Prime{P("2", 129)}, factor.ErrProduct},
		{"340282366920938463463374607431768211456", []factor.Prime{P("2", 1<<60)}, factor.ErrProduct},
		{"18446744073709551616", []factor.Prime{P("2", 64)}, nil},
		{"x", nil, factor.ErrNotNumber},
	} {
		if err := factor.Product(c.n, c.primes); !errors.Is(err, c.err) {
			t.Errorf("Product(%s, %v) = %v, want %v", c.n, c.primes, err, c.err)
		}
	}
	if err := factor.Verify("15", []factor.Prime{P("15", 1)}); !errors.Is(err, factor.ErrComposite) {
		t.Errorf("Verify(15 = 15): %v", err)
	}
}
