package fft

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// TestMul holds products against math/big, at word edges, of all ones, and of numbers of
// very different lengths.
func TestMul(t *testing.T) {
	rng := seeded(t)
	ones := func(size int) *big.Int {
		v := new(big.Int).Lsh(big.NewInt(1), uint(size))
		return v.Sub(v, big.NewInt(1))
	}
	check := func(x, y *big.Int) {
		t.Helper()
		want := new(big.Int).Mul(x, y)
		if got := multiplyIntegers(x, y); got.Cmp(want) != 0 {
			t.Fatalf("%d by %d bits: wrong", x.BitLen(), y.BitLen())
		}
		if got := Mul(x, y); got.Cmp(want) != 0 {
			t.Fatalf("%d by %d bits: wrong by Mul", x.BitLen(), y.BitLen())
		}
	}
	for _, size := range []int{1, 63, 64, 65, 191, 192, 193, 384, 3000, 12_287, 12_288, 12_289, 50_000} {
		check(ones(size), ones(size))
		check(new(big.Int).Neg(modulus(rng, size)), ones(size+1))
		check(modulus(rng, size), modulus(rng, 1+rng.IntN(size)))
	}
	check(ones(150_000), new(big.Int).Neg(modulus(rng, 100_000)))
	if got := Mul(new(big.Int), ones(100_000)); got.Sign() != 0 {
		t.Errorf("0 times something is %v", got)
	}
}

// FuzzMul multiplies any two numbers.
func FuzzMul(f *testing.F) {
	f.Add([]byte{1}, []byte{255})
	f.Add(make([]byte, 24), []byte{0, 1})
	ff := make([]byte, 96)
	for i := range ff {
		ff[i] = 255
	}
	f.Add(ff, ff)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, y := new(big.Int).SetBytes(a), new(big.Int).SetBytes(b)
		if x.Sign() == 0 || y.Sign() == 0 {
			return
		}
		if got, want := multiplyIntegers(x, y), new(big.Int).Mul(x, y); got.Cmp(want) != 0 {
			t.Fatalf("%v * %v = %v, got %v", x, y, want, got)
		}
	})
}

// dense returns a number of that many words without long runs of zeros, which math/big skips.
func dense(rng *rand.Rand, words int) *big.Int {
	v := new(big.Int)
	for range words {
		v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(rng.Uint64()|1<<63))
	}
	return v
}

// BenchmarkMul has products by transforms next to those of math/big in the same run, and
// how many times as fast they are.
func BenchmarkMul(b *testing.B) {
	rng := seeded(b)
	for _, words := range []int{200, 400, 700, 1000, 2000, 5000, 12_000, 30_000, 100_000} {
		x, y := dense(rng, words), dense(rng, words)
		b.Run(fmt.Sprint(words), func(b *testing.B) {
			multiplyIntegers(x, y)
			before := cpuTime(b)
			for b.Loop() {
				multiplyIntegers(x, y)
			}
			own := float64(cpuTime(b)-before) / float64(b.N)
			z, count := new(big.Int), 0
			before = cpuTime(b)
			for cpuTime(b)-before < 100*time.Millisecond {
				for range 10 {
					z.Mul(x, y)
				}
				count += 10
			}
			theirs := float64(cpuTime(b)-before) / float64(count)
			b.ReportMetric(own/1e3, "cpu-us/op")
			b.ReportMetric(theirs/own, "times-as-fast")
		})
	}
}
