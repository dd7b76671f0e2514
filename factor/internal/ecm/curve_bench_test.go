package ecm

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

// cpuTime returns the CPU time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCurve runs both stages of a curve with B1 = 50,000 modulo numbers of some
// decimal digits, on the integer units, with the time of a multiplication, which is what
// mulNanos claims.
func BenchmarkCurve(b *testing.B) {
	const B1, B2 = 50_000, 8_000_000
	for _, digits := range []int{40, 60, 120, 200, 300} {
		r := rand.New(rand.NewPCG(1, uint64(digits)))
		size := digits * 3322 / 1000
		n := new(big.Int).Mul(factortest.RandomPrime(r, size/2), factortest.RandomPrime(r, size-size/2))
		k := (size + 63) / 64
		step := GiantStepFor(B1+1, B2)
		run := &Runner{Poller: new(stop.Poller)}
		measure := func(stage string, w Work, muls float64) {
			w.Seed, w.Count, w.B1 = 7, 1, B1
			b.Run(fmt.Sprintf("%d/stage%s", digits, stage), func(b *testing.B) {
				before := cpuTime(b)
				for b.Loop() {
					run.CurvesN(n, &w)
				}
				used := float64((cpuTime(b) - before).Nanoseconds()) / float64(b.N)
				b.ReportMetric(used/1e6, "cpu-ms/op")
				b.ReportMetric(used/muls, "ns/mul")
				b.ReportMetric(mulNanos(k), "predicted-ns")
			})
		}
		measure("1", Work{Hi: B1 + 1}, stage1Muls*B1)
		x := new(big.Int).Rsh(n, 1)
		measure("2", Work{X: x.Bytes(), From: B1 + 1, To: B2, Step: step}, stage2Muls(step, B1+1, B2))
	}
}
