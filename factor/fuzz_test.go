package factor_test

import (
	"errors"
	"math/big"
	"testing"

	"fairfactor/factor"
)

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"", "0", "007", "-1", "12", "1e9", "99999999999999999999999999999999999999999", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := factor.Canonical(s)
		if err != nil {
			if !errors.Is(err, factor.ErrZero) && !errors.Is(err, factor.ErrNotNumber) {
				t.Fatal(err)
			}
			return
		}
		v, ok := new(big.Int).SetString(s, 10)
		if !ok || v.String() != c {
			t.Fatalf("Canonical(%q) = %q", s, c)
		}
		if _, err := factor.New(c); err != nil {
			t.Fatalf("New(%q): %v", c, err)
		}
	})
}

func FuzzFactor(f *testing.F) {
	f.Add(uint64(1), uint64(0))
	f.Add(uint64(360), uint64(1))
	f.Add(^uint64(0), uint64(1))
	f.Add(uint64(1000000007), uint64(1000000009))
	f.Add(uint64(1<<32-5), uint64(1<<32-5))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		n := new(big.Int).Mul(new(big.Int).SetUint64(a), new(big.Int).SetUint64(b>>24|1))
		if n.Sign() == 0 {
			return
		}
		p, done := answer(t, factor.NewRunner(), n.String())
		if done {
			if err := factor.Verify(n.String(), p); err != nil {
				t.Fatalf("%v = %v: %v", n, p, err)
			}
		}
	})
}

func FuzzRun(f *testing.F) {
	m, _ := factor.New(rsa100)
	r := factor.NewRunner()
	for range 3 {
		turn := m.Next(1)[0]
		f.Add(turn.Payload)
		res, err := r.Run(turn, nil)
		if err != nil {
			f.Fatal(err)
		}
		if err := m.Apply(res); err != nil {
			f.Fatal(err)
		}
	}
	f.Add([]byte{1, 2, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		asked := 0
		_, err := r.Run(factor.Turn{Payload: payload}, func() bool { asked++; return asked > 3 })
		if err != nil && !errors.Is(err, factor.ErrTurn) && !errors.Is(err, factor.ErrStopped) {
			t.Fatal(err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	r := factor.NewRunner()
	for _, n := range []string{"1", "360", "98765432109876543210", "10000000000000000016800000000000000005031"} {
		res, err := r.Run(factor.First(n), nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(n, res.Data)
	}
	f.Fuzz(func(t *testing.T, n string, data []byte) {
		if len(n) > 200 {
			return
		}
		res := factor.Result{Data: data}
		primes, done, err := factor.Decode(n, res)
		if err == nil && done {
			if err := factor.Product(n, primes); err != nil {
				t.Fatalf("Decode(%q) = %v, but %v", n, primes, err)
			}
		}
		if m, err := factor.New(n); err == nil {
			m.Next(1)
			if err := m.Apply(res); err == nil && m.Done() {
				if err := factor.Verify(n, m.Primes()); err != nil {
					t.Fatalf("the machine took %v for %q: %v", m.Primes(), n, err)
				}
			}
		}
	})
}

func FuzzRestore(f *testing.F) {
	const n = rsa100
	m, _ := factor.New(n)
	r := factor.NewRunner()
	for range 3 {
		f.Add(m.Checkpoint(0))
		res, err := r.Run(m.Next(1)[0], nil)
		if err != nil {
			f.Fatal(err)
		}
		if err := m.Apply(res); err != nil {
			f.Fatal(err)
		}
	}
	credited, _ := factor.New(n)
	credited.Credit([]factor.Curves{{B1: 50_000, Count: 200}})
	f.Add(credited.Checkpoint(0))
	f.Fuzz(func(t *testing.T, checkpoint []byte) {
		m, err := factor.Restore(n, checkpoint)
		if err != nil {
			return
		}
		m.Next(3)
		m.Progress()
		if _, err := factor.Restore(n, m.Checkpoint(0)); err != nil {
			t.Fatalf("its own checkpoint: %v", err)
		}
	})
}
