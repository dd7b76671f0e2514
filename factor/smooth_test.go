package factor_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fairfactor/factor"
)

// smoothPrime returns a prime p of about that many bits with p - sign without prime factors
// above bound, and a multiple of 12.
func smoothPrime(r *rand.Rand, bits int, sign, bound int64) *big.Int {
	for {
		v := big.NewInt(12)
		for v.BitLen() < bits {
			if p := big.NewInt(5 + r.Int64N(bound-5)); p.ProbablyPrime(0) {
				v.Mul(v, p)
			}
		}
		if v.Add(v, big.NewInt(sign)); v.ProbablyPrime(0) {
			return v
		}
	}
}

// TestSmoothPrimes splits numbers of 72 to 180 digits by p-1 and p+1, in turns that are
// lost, come twice, or come back damaged, across a checkpoint.
func TestSmoothPrimes(t *testing.T) {
	r := seeded(t)
	run := factor.NewRunner()
	for _, c := range []struct {
		bits         int
		sign, smooth int64
	}{{125, 1, 15_000}, {120, -1, 8000}, {300, 1, 60_000}, {190, -1, 15_000}} {
		p := smoothPrime(r, c.bits, c.sign, c.smooth)
		for c.sign < 0 && new(big.Int).Mod(p, big.NewInt(3)).Int64() == 1 {
			p = smoothPrime(r, c.bits, c.sign, c.smooth)
		}
		n := new(big.Int).Mul(p, primeOf(r, c.bits)).String()
		m, err := factor.New(n)
		if err != nil {
			t.Fatal(err)
		}
		reborn := false
		for turns := 0; len(m.Remaining()) > 0; turns++ {
			if turns > 400 {
				t.Fatalf("%d bits, p%+d: %d turns, %s", c.bits, c.sign, turns, m.Progress().Phase)
			}
			turn := m.Next(1)[0]
			if phase := m.Progress().Phase; turns > 0 && !strings.HasPrefix(phase, "p-1 method, B1") && !strings.HasPrefix(phase, "p+1 method, B1") {
				t.Fatalf("%d bits, p%+d: turn %d is %s", c.bits, c.sign, turns, phase)
			}
			switch turns {
			case 2:
				m.Return(turn.ID)
				if again := m.Next(1); !slices.Equal(again[0].Payload, turn.Payload) {
					t.Fatal("a lost turn is not handed out again")
				}
			case 3:
				if !reborn { // it starts again: the state of p-1 is in no checkpoint
					m, reborn = factor.Reborn(t, n, m), true
					continue
				}
			}
			for _, bad := range [][]byte{{turn.Payload[0], 3, 1, 0}, {turn.Payload[0], 3, 1}, {turn.Payload[0], 2, 0}, {turn.Payload[0], 4}} {
				if err := m.Apply(factor.Result{ID: turn.ID, Data: bad}); turns > 0 && !errors.Is(err, factor.ErrTurn) {
					t.Fatalf("%v was taken: %v", bad, err)
				}
			}
			if next := m.Next(1); turns > 0 && next[0].ID != turn.ID {
				t.Fatal("a refused result does not bring its turn back")
			}
			res, err := run.Run(turn, nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := m.Apply(res); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := m.Methods().Names(); !slices.Equal(got, []string{"p-1"}) {
			t.Errorf("%d bits, p%+d: by %v", c.bits, c.sign, got)
		}
		if err := factor.Verify(n, m.Primes()); err != nil {
			t.Error(err)
		}
	}
}

// TestFormsNameTheirMethod factors numbers of special forms in one turn each.
func TestFormsNameTheirMethod(t *testing.T) {
	r := seeded(t)
	run := factor.NewRunner()
	next := func(p *big.Int) *big.Int {
		q := new(big.Int).Add(p, big.NewInt(2))
		for !q.ProbablyPrime(0) {
			q.Add(q, big.NewInt(2))
		}
		return q
	}
	p := primeOf(r, 130)
	// Arnault, J. Symb. Comp. 20 (1995): a strong pseudoprime to all prime bases below 307.
	a, _ := new(big.Int).SetString("29674495668685510550154174642905332730771991799853043350995075531276838753171770199594238596428121188033664754218345562493168782883", 10)
	arnault := new(big.Int).Set(a)
	for _, k := range []int64{313, 353} {
		q := new(big.Int).Sub(a, big.NewInt(1))
		arnault.Mul(arnault, q.Mul(q, big.NewInt(k)).Add(q, big.NewInt(1)))
	}
	for _, c := range []struct {
		what, method string
		n            *big.Int
		primes       int
	}{
		{"p, the prime after 5p", "hart", new(big.Int).Mul(p, next(new(big.Int).Mul(p, big.NewInt(5)))), 2},
		{"2^178-1", "power", new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 178), big.NewInt(1)), 5},
		{"a square times the next prime", "hart", new(big.Int).Mul(new(big.Int).Mul(p, p), next(p)), 2},
		{"Arnault's number", "p-1", arnault, 3},
	} {
		res, err := run.Run(factor.First(c.n.String()), nil)
		if err != nil {
			t.Fatal(err)
		}
		primes, _, err := factor.Decode(c.n.String(), res)
		if names := res.Methods().Names(); err != nil || len(primes) != c.primes || !slices.Contains(names, c.method) && !slices.Contains(names, "p-1") {
			t.Errorf("%s: %d primes by %v: %v", c.what, len(primes), names, err)
		}
	}
}
