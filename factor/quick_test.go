package factor

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
)

// prime64 returns a random prime of that many bits, 2 to 64.
func prime64(r *rand.Rand, size int) uint64 {
	for {
		p := r.Uint64()>>(64-size) | 1<<(size-1) | 1
		if p == 3 || p > 3 && isPrime64(p) {
			return p
		}
	}
}

// wideSemiprime returns two random primes and their product, which has that many
// bits, 60 to 128.
func wideSemiprime(r *rand.Rand, size int) (n wide, p, q uint64) {
	for {
		p, q = prime64(r, size/2), prime64(r, size-size/2)
		n, _ = wide{0, p}.mul(wide{0, q})
		if n.len() == size && p != q {
			return n, p, q
		}
	}
}

// TestSieveLeavesNothing sieves hundreds of semiprimes of each size with the best
// multiplier alone: the ones above it are for one in millions. Half of the
// 80-bit ones were once left, because a asked for primes beyond the base.
func TestSieveLeavesNothing(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	for size := sieveBits; size <= 128; size++ {
		count, left := 200, 0
		if size > 84 { // longer and longer, and nothing is left with a large base
			count = 120 / (size - 82)
		}
		if testing.Short() {
			count = (count + 7) / 8
		}
		for range count {
			n, p, q := wideSemiprime(r, size)
			d, found := run.qs.splitWith(&run.poller, n.triple(), 0)
			if !found {
				left++
				continue
			}
			if d != (wide{0, p}) && d != (wide{0, q}) {
				t.Fatalf("%v = %d * %d: sieve found %v", n.big(), p, q, d.big())
			}
		}
		if left > 1 {
			t.Errorf("%d bits: %d of %d left", size, left, count)
		}
	}
}

// TestQuickMultipliers sieves with multipliers that are not the best.
func TestQuickMultipliers(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	for i := range 60 {
		n, p, q := wideSemiprime(r, sieveBits+r.IntN(40))
		rank := 1 + i%(maxMultipliers-1)
		if k := multiplier(n.triple(), rank); k == multiplier(n.triple(), rank-1) {
			t.Fatalf("%v: rank %d repeats the multiplier %d", n.big(), rank, k)
		}
		if d, found := run.qs.splitWith(&run.poller, n.triple(), rank); !found || d != (wide{0, p}) && d != (wide{0, q}) {
			t.Fatalf("%v = %d * %d, rank %d: %v, %v", n.big(), p, q, rank, d.big(), found)
		}
	}
}

// TestStopsInPrimality stops the test of a prime of 664 digits, which takes a
// tenth of a second, at its first, middle and last looks at stop.
func TestStopsInPrimality(t *testing.T) {
	p := new(big.Int).Lsh(one, 2203)
	p.Sub(p, one)
	run := NewRunner()
	asked := 0
	res, err := run.Run(First(p.String()), func() bool { asked++; return false })
	if err != nil {
		t.Fatal(err)
	}
	if parts, err := decodeParts(res.Data); err != nil || len(parts) != 1 || parts[0].grade != probable {
		t.Fatalf("2^2203 - 1 = %v, %v", parts, err)
	}
	if asked < 8 {
		t.Errorf("asked %d times", asked)
	}
	for _, at := range []int{1, asked / 2, asked} {
		left := at
		if _, err := run.Run(First(p.String()), func() bool { left--; return left <= 0 }); !errors.Is(err, ErrStopped) {
			t.Errorf("stopped at %d of %d: %v", at, asked, err)
		}
	}
}

// TestPrimeBig holds the tests for large numbers against math/big.
func TestPrimeBig(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	for i := range 60 {
		n := randomBig(r, 129+r.IntN(1300))
		n.SetBit(n, 0, 1)
		if i%4 == 0 {
			n = randomPrime(r, 129+r.IntN(300))
		}
		if i%8 == 4 {
			n.Mul(n, n)
		}
		want := n.ProbablyPrime(0)
		if got := run.prover.primeBig(n) != composite; got != want {
			t.Fatalf("primeBig(%v) = %v", n, got)
		}
		run.poller.start(nil)
		if got := run.prover.strongBig(n, 2); want && !got {
			t.Fatalf("strongBig(%v)", n)
		}
		if got := run.prover.lucasBig(n); want && !got {
			t.Fatalf("lucasBig(%v)", n)
		}
	}
	// Pseudoprimes of one test that the other one finds out.
	for _, n := range []int64{2047, 3277, 4033, 4681, 8321} {
		if !run.prover.strongBig(big.NewInt(n), 2) || run.prover.lucasBig(big.NewInt(n)) {
			t.Errorf("%d: not just a strong pseudoprime", n)
		}
	}
	for _, n := range []int64{989, 3239, 5777, 10877, 27971, 29681, 30739, 31631, 39059, 72389} {
		if run.prover.strongBig(big.NewInt(n), 2) || !run.prover.lucasBig(big.NewInt(n)) {
			t.Errorf("%d: not just a Lucas pseudoprime", n)
		}
	}
}

// TestPowersOfLargeNumbers finds the root of powers far above 128 bits and none of
// their neighbours.
func TestPowersOfLargeNumbers(t *testing.T) {
	r := seeded(t)
	for _, k := range []int{2, 3, 5, 7, 11, 13, 29, 61, 97} {
		root := randomPrime(r, 20+r.IntN(60))
		n := new(big.Int).Exp(root, big.NewInt(int64(k)), nil)
		if got, e := powerBig(n, 8); e != k || got.Cmp(root) != 0 {
			t.Errorf("%v^%d: root %v, exponent %d", root, k, got, e)
		}
		if got, e := powerBig(n.Add(n, big.NewInt(2)), 8); e != 1 {
			t.Errorf("%v^%d + 2: root %v, exponent %d", root, k, got, e)
		}
	}
}

// TestSieveQuickBig sieves numbers of three words.
func TestSieveQuickBig(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	for size := 129; size <= qsMostBits; size++ {
		p := randomPrime(r, size/2)
		q := randomPrime(r, size-size/2)
		for p.Cmp(q) == 0 || new(big.Int).Mul(p, q).BitLen() != size {
			q = randomPrime(r, size-size/2)
		}
		if p.Cmp(q) > 0 {
			p, q = q, p
		}
		n := new(big.Int).Mul(p, q)
		if d, found := run.sieveQuick(tripleOf(n)); !found || d.big().Cmp(p) != 0 {
			t.Errorf("%v: %v, %v, want %v", n, d.big(), found, p)
		}
	}
}
