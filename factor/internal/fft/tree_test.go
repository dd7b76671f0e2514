package fft

import (
	"math/big"
	"slices"
	"syscall"
	"testing"
	"time"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// TestMeet holds products of differences against one product after the other.
func TestMeet(t *testing.T) {
	rng := seeded(t)
	for _, size := range []int{70, 129, 399, 700, 1100} {
		m := arith.NewMontN(modulus(rng, size))
		k := len(m.N)
		for _, d := range []int{1, 2, 8, 16, 64, 256} {
			all := transformers(m, 2*d)
			rooms := map[string]*Meeting{"eights": new(Meeting), "quads": new(Meeting)}
			for range 2 {
				count := 1 + rng.IntN(d)
				babies, b := polynomial(rng, m, d)
				clear(babies[count*k:])
				giants, g := polynomial(rng, m, d)
				want := big.NewInt(1)
				for _, x := range b[:count] {
					for _, y := range g {
						want.Mul(want, new(big.Int).Sub(x, y))
						want.Mod(want, m.Mod)
					}
				}
				for name, tr := range all {
					r := newRing(m, tr, new(stop.Poller))
					got := r.Meet(slices.Clone(babies), slices.Clone(giants), count, rooms[name])
					if v := m.From(got); v.Cmp(want) != 0 {
						t.Fatalf("%s, %d bits, %d babies of %d: %v, want %v modulo %v", name, size, count, d, v, want, m.Mod)
					}
				}
			}
		}
	}
}

// TestMeetStops: it asks often enough, and gives up when it is told to.
func TestMeetStops(t *testing.T) {
	rng := seeded(t)
	m := arith.NewMontN(modulus(rng, 399))
	poller := new(stop.Poller)
	r := NewRing(m, 2048, poller)
	babies, _ := polynomial(rng, m, 1024)
	giants, _ := polynomial(rng, m, 1024)
	asks := 0
	poller.Start(func() bool { asks++; return false })
	if r.Meet(babies, giants, 1024, new(Meeting)) == nil {
		t.Fatal("stopped by itself")
	}
	t.Logf("asked %d times", asks)
	for _, at := range []int{1, asks / 2, asks} {
		left := at
		poller.Start(func() bool { left--; return left <= 0 })
		if r.Meet(babies, giants, 1024, new(Meeting)) != nil || left != 0 {
			t.Errorf("told to stop at look %d of %d: went on", at, asks)
		}
	}
}

// cpuTime returns the CPU time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMeet has the time of a meeting for each pair of points.
func BenchmarkMeet(b *testing.B) {
	rng := seeded(b)
	for _, size := range []int{399, 665, 997} {
		for _, d := range []int{1024, 4096, 8192} {
			m := arith.NewMontN(modulus(rng, size))
			r, room := NewRing(m, 2*d, new(stop.Poller)), new(Meeting)
			babies, _ := polynomial(rng, m, d)
			giants, _ := polynomial(rng, m, d)
			b.Run(big.NewInt(int64(size)).String()+"/"+big.NewInt(int64(d)).String(), func(b *testing.B) {
				r.Meet(babies, giants, d, room)
				before := cpuTime(b)
				for b.Loop() {
					r.Meet(babies, giants, d, room)
				}
				used := float64((cpuTime(b) - before).Nanoseconds()) / float64(b.N)
				b.ReportMetric(used/1e6, "cpu-ms/op")
				b.ReportMetric(used/float64(d), "cpu-ns/point")
			})
		}
	}
}
