package random

import (
	"math/big"
	"testing"
	"time"

	"fairfactor"
)

func TestUniformNumbersAreInRange(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := New(seed, 0)
	least, most := big.NewInt(1_000_000), new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil)
	const n = 100_000
	tenths := [10]int{}
	tenth := new(big.Int).Div(most, big.NewInt(10))
	for range n {
		text := Uniform(rng)
		if canonical, err := fairfactor.ParseNumber(text, 21); err != nil || canonical != text {
			t.Fatalf("%q is not canonical: %v", text, err)
		}
		v, _ := new(big.Int).SetString(text, 10)
		if v.Cmp(least) < 0 || v.Cmp(most) > 0 {
			t.Fatalf("%s is out of range", text)
		}
		tenths[min(9, new(big.Int).Div(v, tenth).Int64())]++
	}
	// Each tenth of the range has n/10 of them, with a standard deviation of 95.
	for i, got := range tenths {
		if got < n/10-700 || got > n/10+700 {
			t.Errorf("%d of %d numbers are in tenth %d of the range", got, n, i)
		}
	}
}

func TestNumbersRepeatWithTheSeed(t *testing.T) {
	a, b := Many(100, New(5, 1), Uniform), Many(100, New(5, 1), Uniform)
	other := Many(100, New(6, 1), Uniform)
	same := 0
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("number %d is %s and %s", i, a[i], b[i])
		}
		if a[i] == other[i] {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d numbers are the same with another seed", same)
	}
}

func TestSemiprimesHaveTheirDigits(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := New(seed, 0)
	for digits := 4; digits <= 90; digits++ {
		text := Semiprime(rng, digits)
		v, _ := new(big.Int).SetString(text, 10)
		if len(text) != digits || v.ProbablyPrime(0) {
			t.Errorf("%s does not have %d digits, or is prime", text, digits)
		}
	}
}

func TestSizedNumberComesClose(t *testing.T) {
	number, took := Sized(New(1, 1), time.Millisecond)
	if took <= 0 || took > 3*time.Millisecond || len(number) < 14 {
		t.Errorf("%s takes %v, asked for 1 ms", number, took)
	}
}

func TestAlikeNumbersDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range Alike(New(1, 2), 20, 1000) {
		if len(n) != 20 || seen[n] {
			t.Errorf("%s has %d digits, seen before: %v", n, len(n), seen[n])
		}
		seen[n] = true
	}
	if len(seen) != 1000 || len(Alike(New(1, 2), 20, 1)) != 1 {
		t.Errorf("%d numbers", len(seen))
	}
}
