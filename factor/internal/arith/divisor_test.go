package arith

import "testing"

// TestDivisor holds exact division and remainders by small primes against the
// slow way.
func TestDivisor(t *testing.T) {
	r := seeded(t)
	primes := SmallPrimes(1 << 14)
	for range 20000 {
		divisor := NewDivisor(primes[r.IntN(len(primes))])
		d := &divisor
		w := anyWide(r)
		switch r.IntN(3) {
		case 0:
			w.Hi = 0
		case 1:
			w, _ = w.DivSmall(d.P)
			w, _ = w.MulAdd(d.P, 0)
		}
		q, rem := w.DivSmall(d.P)
		if got, ok := w.DivExact(d); ok != (rem == 0) || ok && got != q {
			t.Fatalf("%v / %d = %v, %v, want %v, remainder %d", w.Big(), d.P, got.Big(), ok, q.Big(), rem)
		}
		if got := d.Mod(w.Lo); uint64(got) != w.Lo%d.P {
			t.Fatalf("%d mod %d = %d", w.Lo, d.P, got)
		}
	}
}
