package pm1

import (
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

func newRunner() Runner { return Runner{new(stop.Poller)} }

// smoothPrime returns a prime of about that many bits for which p - sign has the prime
// last once, and otherwise prime powers up to b1.
func smoothPrime(r *rand.Rand, size int, sign int64, b1, last uint64) *big.Int {
	primes := arith.PrimesBetween(nil, 5, b1)
	for {
		v := new(big.Int).SetUint64(12 * last)
		for used := map[uint64]bool{}; v.BitLen() < size; {
			p := primes[r.IntN(len(primes))]
			if !used[p] && p != last {
				v.Mul(v, new(big.Int).SetUint64(p))
			}
			used[p] = true
		}
		if v.Add(v, big.NewInt(sign)); v.ProbablyPrime(0) {
			return v
		}
	}
}

// primeNear returns a random prime from lo to 2 lo.
func primeNear(r *rand.Rand, lo uint64) uint64 {
	for {
		if q := (lo + r.Uint64N(lo)) | 1; big.NewInt(int64(q)).ProbablyPrime(0) {
			return q
		}
	}
}

// TestFinds splits numbers with a smooth factor, by one stage and by both, whole and in
// pieces, and finds nothing when the prime is above the bound.
func TestFinds(t *testing.T) {
	r := factortest.Seeded(t)
	run := newRunner()
	for _, size := range []int{70, 100, 400, 1030} {
		for method := range Methods {
			sign := int64(1)
			if method != Minus {
				sign = -1
			}
			b := BoundsOf(2000)
			for _, last := range []uint64{1999, primeNear(r, 3000), primeNear(r, 25_000), b.B2 + 10_000 - b.B2%2 + 1} {
				for !big.NewInt(int64(last)).ProbablyPrime(0) {
					last += 2
				}
				p := smoothPrime(r, size, sign, 1900, last)
				for method != Minus && big.Jacobi(big.NewInt([...]int64{0, -3, -1}[method]), p) != -1 {
					p = smoothPrime(r, size, sign, 1900, last)
				}
				n := new(big.Int).Mul(p, factortest.RandomPrime(r, size))
				w := b.Whole(n.Bytes(), method)
				d, _ := run.Run(n, &w)
				if found := d != nil && d.Cmp(p) == 0; found != (last < b.B2) {
					t.Errorf("%d bits, %v, last prime %d: %v", size, method, last, d)
				}
				if d = inPieces(t, run, n, b, method, 1+r.Uint64N(700)); (d != nil) != (last < b.B2) || d != nil && d.Cmp(p) != 0 {
					t.Errorf("%d bits, %v, last prime %d, in pieces: %v", size, method, last, d)
				}
			}
		}
	}
}

// inPieces runs both stages a range of primes at a time.
func inPieces(t *testing.T, run Runner, n *big.Int, b Bounds, method Method, span uint64) *big.Int {
	t.Helper()
	var x []byte
	pieces := func(w Work) *big.Int {
		w.N, w.Method, w.B1, w.X = n.Bytes(), method, b.B1, x
		again, err := DecodeWork(w.Encode())
		if err != nil {
			t.Fatalf("%+v: %v", w, err)
		}
		d, reached := run.Run(n, again)
		if d == nil && w.Hi != 0 {
			x = reached.Bytes()
		}
		return d
	}
	for lo := uint64(0); lo <= b.B1; lo += span {
		if d := pieces(Work{Lo: lo, Hi: min(lo+span, b.B1+1)}); d != nil {
			return d
		}
	}
	for from := b.B1 + 1; from < b.B2; from += 20 * span {
		if d := pieces(Work{From: from, To: min(from+20*span, b.B2)}); d != nil {
			return d
		}
	}
	return nil
}

// TestAllAtOnce splits numbers whose factors are all smooth, in both stages.
func TestAllAtOnce(t *testing.T) {
	r := factortest.Seeded(t)
	run := newRunner()
	missed := 0
	for i := range 20 {
		last := [2]uint64{primeNear(r, 500), primeNear(r, 500)}
		if i%2 == 0 {
			last = [2]uint64{primeNear(r, 10_000), primeNear(r, 10_000)}
		}
		if last[0] == last[1] {
			continue
		}
		n := new(big.Int).Mul(smoothPrime(r, 120, 1, 400, last[0]), smoothPrime(r, 120, 1, 400, last[1]))
		w := BoundsOf(2000).Whole(n.Bytes(), Minus)
		if d, _ := run.Run(n, &w); d == nil || new(big.Int).Mod(n, d).Sign() != 0 || d.Cmp(arith.One) == 0 || d.Cmp(n) == 0 {
			t.Logf("%v, last primes %v: %v", n, last, d)
			missed++ // 3 may be a power of some kind modulo one of them
		}
	}
	if missed > 2 {
		t.Errorf("%d of 20 missed", missed)
	}
}

// TestDamagedWork refuses every part of a payload, and bounds that make no sense.
func TestDamagedWork(t *testing.T) {
	n := factortest.Semiprime(factortest.Seeded(t), 200).Bytes()
	sound := Work{N: n, B1: 100, Hi: 101, From: 101, To: 3000}
	b := sound.Encode()
	got, err := DecodeWork(b)
	if err != nil || !slices.Equal(got.N, n) || got.To != 3000 {
		t.Fatalf("%+v: %v", got, err)
	}
	for i := 2; i < len(b); i++ {
		if _, err := DecodeWork(b[:i]); err == nil {
			t.Errorf("%d of %d bytes were taken", i, len(b))
		}
	}
	for _, bad := range []func(w *Work){
		func(w *Work) { w.Hi = 103 },
		func(w *Work) { w.Hi, w.To = 0, 0 },
		func(w *Work) { w.Lo, w.Hi = 50, 50 },
		func(w *Work) { w.From = 90 },
		func(w *Work) { w.X = []byte{5} },
		func(w *Work) { w.Lo = 10 },
		func(w *Work) { w.N = n[:3] },
		func(w *Work) { w.To = 1 << 41 },
	} {
		w := sound
		if bad(&w); w.Encode() == nil {
			t.Fatal("nothing")
		}
		if _, err := DecodeWork(w.Encode()); err == nil {
			t.Errorf("%+v was taken", w)
		}
	}
}

// TestStops asks both stages to stop at every place where they ask.
func TestStops(t *testing.T) {
	n := factortest.Semiprime(factortest.Seeded(t), 300)
	for method := range Methods {
		w := BoundsOf(20_000).Whole(n.Bytes(), method)
		run, asked := newRunner(), 0
		run.Start(func() bool { asked++; return false })
		run.Run(n, &w)
		if asked < 3 {
			t.Errorf("asked %d times", asked)
		}
		for at := 1; at <= asked; at += 1 + asked/10 {
			left := at
			run.Start(func() bool { left--; return left <= 0 })
			if d, x := run.Run(n, &w); d != nil || x != nil || !run.Stopped() {
				t.Errorf("stopped at %d of %d: %v, %v", at, asked, d, x)
			}
		}
	}
}

// TestWideTurns runs the widest turns that a payload can ask for: they ask before the primes of
// all of it are listed, and every few milliseconds of multiplications.
func TestWideTurns(t *testing.T) {
	r := factortest.Seeded(t)
	n := factortest.Semiprime(r, 300)
	wide := Work{N: n.Bytes(), B1: maxBound, Lo: maxBound - 1<<27, Hi: maxBound, X: []byte{5}}
	w, err := DecodeWork(wide.Encode())
	if err != nil {
		t.Fatal(err)
	}
	run, asked := newRunner(), 0
	run.Start(func() bool { asked++; return asked > 3 })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run.Run(n, w)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; !run.Stopped() || took > 16<<20 {
		t.Errorf("stopped: %v, after %d bytes", run.Stopped(), took)
	}

	large := factortest.RandomBig(r, 64*80)
	large.SetBit(large, 0, 1)
	for name, part := range map[string]func(s *search) int{
		"babies": func(s *search) int { s.babies(big.NewInt(7), 30030); return 30030 / 4 },
		"giants": func(s *search) int { s.giants(big.NewInt(7), 20_000, 40_000); return 20_000 / 210 },
		"lucas": func(s *search) int {
			s.lucas(big.NewInt(7), new(big.Int).Lsh(arith.One, 2000))
			return 4000
		},
	} {
		run, asked := newRunner(), 0
		run.Start(func() bool { asked++; return false })
		s := &search{Poller: run.Poller, n: large, m: arith.NewMontN(large), plus: true}
		multiplications := part(s)
		if least := int(float64(multiplications) * mulNanos(len(s.m.N)) / 5e6); asked < max(least, 1) {
			t.Errorf("%s: asked %d times in %d multiplications of %v ns", name, asked, multiplications, mulNanos(len(s.m.N)))
		}
		run.Start(func() bool { return true })
		part(s) // it ends
		if !run.Stopped() {
			t.Errorf("%s: not stopped", name)
		}
	}
}
