package factor_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fairfactor/factor"
)

// TestSieveAnyOrder sieves with results in random order, twice, lost, damaged and
// of an earlier life, and takes a checkpoint now and then.
func TestSieveAnyOrder(t *testing.T) {
	r := seeded(t)
	run := factor.NewRunner()
	for i, n := range []string{product(r, 71, 72), product(r, 74, 76), product(r, 47, 48, 49)} {
		m, err := factor.New(n)
		if err != nil {
			t.Fatal(err)
		}
		var open []factor.Turn
		var old []factor.Result
		restored, damaged, sieved := 0, 0, false
		pieces := map[int][]byte{} // of the checkpoint, as they are stored
		lost := 0
		for steps := 0; !m.Done(); steps++ {
			if steps > 5000 {
				t.Fatalf("%s: not done after %d steps: %+v", n, steps, m.Progress())
			}
			open = append(open, m.Next(r.IntN(4))...)
			p := m.Progress()
			sieved = sieved || strings.Contains(p.Phase, "sieve")
			if p.Percent < 0 || p.Percent >= 100 || p.Left < 0 {
				t.Fatalf("%s: %+v", n, p)
			}
			// Several at a time: mostly all are there before the next restart.
			for i, ok := m.Missing(); ok && r.IntN(4) > 0; i, ok = m.Missing() {
				data := slices.Clone(pieces[i])
				switch r.IntN(12) {
				case 0:
					data = nil
					lost++
				case 1:
					if len(data) > 0 {
						data[r.IntN(len(data))] ^= 4
						lost++
					}
				}
				err := m.Load(i, data)
				if damaged := len(data) > 0 && !slices.Equal(data, pieces[i]); (err != nil) != damaged {
					t.Fatalf("%s: piece %d, damaged: %v: %v", n, i, damaged, err)
				}
				if err := m.Load(i, pieces[i]); err != nil {
					t.Fatalf("%s: piece %d once more: %v", n, i, err)
				}
			}
			if len(open) == 0 {
				continue
			}
			i := r.IntN(len(open))
			turn := open[i]
			open = slices.Delete(open, i, i+1)
			switch r.IntN(8) {
			case 0:
				m.Return(turn.ID)
				continue
			case 1:
				first, count := m.Cut()
				for i := first; i < count; i++ {
					pieces[i] = m.Piece(i)
				}
				cp := m.Checkpoint(count)
				if m, err = factor.Restore(n, cp); err != nil {
					t.Fatal(err)
				}
				if p.Turns > 0 && !slices.Equal(m.Checkpoint(count), cp) {
					t.Fatalf("%s: the restored machine differs", n)
				}
				if again, all := m.Cut(); again != count || all != count {
					t.Fatalf("%s: %d pieces, %d of them new, were %d", n, all, again, count)
				}
				restored++
				open = nil
				continue
			case 2:
				if len(old) > 0 {
					// Of a turn that is not open any more, or of another life.
					_ = m.Apply(old[r.IntN(len(old))])
				}
			}
			res, err := run.Run(turn, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.IntN(3) == 0 && len(res.Data) > 20 {
				bad := factor.Result{ID: res.ID, Data: slices.Clone(res.Data)}
				bad.Data[2+r.IntN(len(bad.Data)-2)] ^= 0x55
				if err := m.Apply(bad); err != nil {
					damaged++
					again := m.Next(9)
					i := slices.IndexFunc(again, func(a factor.Turn) bool { return a.ID == turn.ID })
					if i < 0 {
						t.Fatalf("%s: turn %d is not handed out again after a damaged result", n, turn.ID)
					}
					open = append(open, slices.Delete(again, i, i+1)...)
				}
			}
			old = append(old, res)
			for range 2 {
				if err := m.Apply(res); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := factor.Verify(n, m.Primes()); err != nil {
			t.Errorf("%s: %v", n, err)
		}
		t.Logf("%s: %d checkpoints, %d pieces lost of %d, %d damaged results", n, restored, lost, len(pieces), damaged)
		if !sieved && i < 2 { // curves may find a factor of three
			t.Errorf("%s was not sieved", n)
		}
	}
}

// TestSieveRelated factors products of primes that are linearly related, for
// which most dependencies are trivial, neighbours, and squares times a prime.
func TestSieveRelated(t *testing.T) {
	r := seeded(t)
	for _, c := range []struct {
		bits int
		k, d int64
	}{{66, 2, -1}, {71, 2, -1}, {71, 3, -2}, {72, 1, 2}, {72, 2, 1}} {
		p := primeOf(r, c.bits)
		q := related(p, c.k, c.d)
		for q == nil {
			p = primeOf(r, c.bits)
			q = related(p, c.k, c.d)
		}
		check(t, new(big.Int).Mul(p, q).String())
	}
	p, q := primeOf(r, 48), primeOf(r, 49)
	check(t, new(big.Int).Mul(new(big.Int).Mul(p, p), q).String())
	check(t, product(r, 47, 48, 49))
	check(t, product(r, 34, 110))
}

// related returns k*p + d if that is prime, else nil; for k = 1 the next prime.
func related(p *big.Int, k, d int64) *big.Int {
	q := new(big.Int).Mul(p, big.NewInt(k))
	q.Add(q, big.NewInt(d))
	for k == 1 && !q.ProbablyPrime(0) {
		q.Add(q, big.NewInt(2))
	}
	if !q.ProbablyPrime(20) {
		return nil
	}
	return q
}

// TestSieveSizes factors numbers just above the sizes where methods change.
func TestSieveSizes(t *testing.T) {
	r := seeded(t)
	for _, bits := range []int{127, 128, 129, 130, 131, 140, 141, 142, 143, 150} {
		check(t, exactly(r, bits).String())
	}
}

// exactly returns a product of two primes with that many bits.
func exactly(r *rand.Rand, bits int) *big.Int {
	for {
		n := new(big.Int).Mul(primeOf(r, bits/2), primeOf(r, bits-bits/2))
		if n.BitLen() == bits {
			return n
		}
	}
}
