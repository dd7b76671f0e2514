package caller

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor"
)

// primesOf returns n primes of so many bits.
func primesOf(rng *rand.Rand, n, bits int) (primes []*big.Int) {
	for len(primes) < n {
		p := new(big.Int)
		for p.BitLen() < bits {
			p.Lsh(p, 32).Or(p, new(big.Int).SetUint64(uint64(rng.Uint32())))
		}
		p.Rsh(p, uint(p.BitLen()-bits)).SetBit(p, 0, 1)
		for !p.ProbablyPrime(0) {
			p.Add(p, big.NewInt(2))
		}
		primes = append(primes, p)
	}
	return primes
}

func factorsOf(primes ...*big.Int) (fs []fairfactor.Factor) {
	for _, p := range primes {
		fs = append(fs, fairfactor.Factor{Prime: p.String(), Exponent: 1})
	}
	return fs
}

// TestDivisors: large proven primes are kept, each once, the newest of them, and found in
// numbers as often as they divide them.
func TestDivisors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	primes := primesOf(rng, MaxDivisors+2, 70)
	number := new(big.Int).Mul(primes[0], new(big.Int).Exp(primes[7], big.NewInt(3), nil)).String()
	var d divisors
	job := &fairfactor.Job{Number: number, Factors: factorsOf(primes...)}
	if d.learn(job); len(d.primes) != 0 {
		t.Fatal("kept though no number was to be tried")
	}
	d.wanted = true
	d.learn(&fairfactor.Job{Number: "15", Factors: factorsOf(primes[0])})
	d.add(fairfactor.Factor{Prime: primes[0].String(), Exponent: 1, Probable: true})
	d.add(fairfactor.Factor{Prime: "9223372036854775837", Exponent: 1})
	if len(d.primes) != 0 {
		t.Errorf("%d primes of a small number, that are not proven, or small", len(d.primes))
	}
	d.learn(&fairfactor.Job{Number: number, Factors: factorsOf(primes[:MaxDivisors]...)})
	d.learn(job)
	if len(d.primes) != MaxDivisors {
		t.Errorf("%d primes", len(d.primes))
	}
	want := fairfactor.Factor{Prime: primes[7].String(), Exponent: 3}
	if got := d.of(number); len(got) != 1 || got[0] != want { // the first was replaced
		t.Errorf("got %v, want %v", got, want)
	}
	if got := d.of(primes[1].String()); len(got) != 0 {
		t.Errorf("the second was not replaced: %v", got)
	}
	if got := d.of(primes[9].String()); len(got) != 1 {
		t.Errorf("a prime is its own divisor: %v", got)
	}
	if got := d.of("100"); got != nil {
		t.Errorf("of 100: %v", got)
	}
	var later divisors
	later.fill(factorsOf(primes...))
	if !later.read || !slices.EqualFunc(later.primes, primes[:MaxDivisors], func(a, b *big.Int) bool { return a.Cmp(b) == 0 }) {
		t.Errorf("%d primes of the store", len(later.primes))
	}
}

// BenchmarkDivisors is what a number pays when there are as many primes as are kept, of
// half its length, and none divides it.
func BenchmarkDivisors(b *testing.B) {
	for _, digits := range []int{50, 80, 100} {
		b.Run(fmt.Sprintf("%ddigits", digits), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			var d divisors
			d.fill(factorsOf(primesOf(rng, MaxDivisors, digits*5/3)...))
			p := primesOf(rng, 2, digits*5/3)
			number := new(big.Int).Mul(p[0], p[1]).String()
			b.ReportAllocs()
			for b.Loop() {
				d.of(number)
			}
		})
	}
}
