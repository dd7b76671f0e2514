package factor

import (
	"math/big"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/prime"
)

// factored returns the parts of n by the quick methods, and fails if they do not
// multiply to n or if any is not what math/big says.
func factored(t *testing.T, run *Runner, n *big.Int) []part {
	t.Helper()
	res, err := run.Run(First(n.String()), nil)
	if err != nil {
		t.Fatalf("%v: %v", n, err)
	}
	parts, err := decodeParts(res.Data)
	if err != nil || !multipliesTo(parts, n) {
		t.Fatalf("%v = %v: %v", n, parts, err)
	}
	for i := range parts {
		p := &parts[i]
		if want := p.value().ProbablyPrime(0); want != (p.grade != prime.Composite) {
			t.Fatalf("%v has the part %v, grade %d", n, p.value(), p.grade)
		}
		if p.b == nil && (p.grade == prime.Proven) != (p.w.Hi == 0 || p.w.Less(prime.ProvenBelow) && p.grade != prime.Composite) {
			t.Fatalf("%v has the part %v, grade %d", n, p.value(), p.grade)
		}
	}
	return parts
}

// done reports whether all parts are primes.
func done(parts []part) bool {
	for i := range parts {
		if parts[i].grade == prime.Composite {
			return false
		}
	}
	return true
}

// TestAgainstSlow holds numbers up to 36 bits of all forms against division by
// all odd numbers.
func TestAgainstSlow(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	for i := range 3000 {
		n := r.Uint64N(1<<(1+i%36)) + 1
		want := factortest.Slowly(n)
		for _, p := range factored(t, run, new(big.Int).SetUint64(n)) {
			for range p.exp {
				if len(want) == 0 || p.w != (arith.Uint128{Lo: want[0]}) {
					t.Fatalf("%d: part %d, want %v", n, p.w.Lo, want)
				}
				want = want[1:]
			}
		}
		if len(want) > 0 {
			t.Fatalf("%d: %v is missing", n, want)
		}
	}
}

// TestWordEdges factors all numbers around the edges of words, and those with a
// small cofactor there.
func TestWordEdges(t *testing.T) {
	run := NewRunner()
	by := int64(40)
	left := 0
	for _, k := range []uint{32, 48, 60, 61, 62, 63, 64, 65, 66, 80, 82, 96, 127, 128} {
		edge := new(big.Int).Lsh(arith.One, k)
		if k > 96 {
			by = 3 // up to 20 ms each
		}
		for d := -by; d <= by; d++ {
			n := new(big.Int).Add(edge, big.NewInt(d))
			if !done(factored(t, run, n)) && n.BitLen() <= 128 {
				left++
			}
		}
	}
	if left > 0 {
		t.Errorf("%d numbers are left", left)
	}
}

// nextPrime returns the smallest prime above p.
func nextPrime(p *big.Int) *big.Int {
	q := new(big.Int).Add(p, arith.One)
	for q.SetBit(q, 0, 1); !q.ProbablyPrime(0); {
		q.Add(q, big.NewInt(2))
	}
	return q
}

// TestHardForms factors what breaks factoring programs: powers and neighbours of
// primes near the edges of words, primes that are linearly related, factors of
// equal size, of all sizes that the quick methods answer.
func TestHardForms(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	mul := func(ps ...*big.Int) *big.Int {
		n := big.NewInt(1)
		for _, p := range ps {
			n.Mul(n, p)
		}
		return n
	}
	check := func(form string, n *big.Int, factors int) {
		t.Helper()
		if n.BitLen() > 128 {
			return
		}
		parts := factored(t, run, n)
		count := 0
		for _, p := range parts {
			count += p.exp
		}
		if !done(parts) || factors > 0 && count != factors {
			t.Errorf("%s: %v = %v", form, n, parts)
		}
	}
	for size := 8; size <= 64; size++ {
		p := factortest.RandomPrime(r, size)
		if size%8 == 0 { // the last prime of so many bits, the first of more
			for p.Lsh(arith.One, uint(size)); !p.ProbablyPrime(0); {
				p.Sub(p, arith.One)
			}
		}
		q := nextPrime(p)
		check("square", mul(p, p), 2)
		check("cube", mul(p, p, p), 3)
		check("square of the next", mul(q, q), 2)
		check("neighbours", mul(p, q), 2)
		check("square times the next", mul(p, p, q), 3)
		check("neighbours in three", mul(p, q, nextPrime(q)), 3)
		for _, k := range []int64{2, 3, 4, 6} { // p * (k(p-1)+1)
			s := new(big.Int).Sub(p, arith.One)
			s.Mul(s, big.NewInt(k)).Add(s, arith.One)
			check("related", mul(p, s), 0)
		}
		s := new(big.Int).Lsh(p, 1)
		s.Sub(s, arith.One)
		u := new(big.Int).Mul(p, big.NewInt(3))
		check("two related", mul(p, s, u.Sub(u, big.NewInt(2))), 0)
	}
	for count := 3; count <= 6; count++ {
		for size := 13; size <= 128/count; size++ {
			ps := make([]*big.Int, count)
			for i := range ps {
				ps[i] = factortest.RandomPrime(r, size)
			}
			check("equal sizes", mul(ps...), count)
		}
	}
}

// TestRelatedPrimes sieves p(2p-1) and the like, whose relations may all be of
// one kind, with the sieve alone.
func TestRelatedPrimes(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	left, count := 0, 0
	for range 400 {
		p := factortest.RandomPrime(r, 33+r.IntN(15))
		k := 2 + r.Int64N(4)
		s := new(big.Int).Sub(p, arith.One)
		s.Mul(s, big.NewInt(k)).Add(s, arith.One)
		if !s.ProbablyPrime(0) {
			continue
		}
		n := arith.Uint128Of(new(big.Int).Mul(p, s).Bytes())
		count++
		if _, found := run.qs.SplitWith(&run.poller, n.Uint192(), 0); found {
			continue
		}
		left++
		if _, found := run.sieveQuick(n.Uint192()); !found {
			t.Errorf("%v: no multiplier gives a factor", n.Big())
		}
	}
	t.Logf("%d of %d needed another multiplier", left, count)
}

// TestCarmichaelWide factors Carmichael numbers (6k+1)(12k+1)(18k+1) of all sizes
// up to 128 bits; the smaller ones are in TestCarmichael.
func TestCarmichaelWide(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	for size := 20; size < 39; size++ {
		for found := false; !found; {
			k := r.Int64N(1<<size) + 1<<size
			n := big.NewInt(1)
			found = true
			for _, c := range []int64{6, 12, 18} {
				p := big.NewInt(c*k + 1)
				found = found && p.ProbablyPrime(0)
				n.Mul(n, p)
			}
			if !found || n.BitLen() > 128 {
				continue
			}
			if parts := factored(t, run, n); len(parts) != 3 {
				t.Errorf("%v = %v", n, parts)
			}
		}
	}
}
