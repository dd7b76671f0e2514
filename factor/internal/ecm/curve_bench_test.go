package ecm

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/fft"
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

// gmpStages returns what the stages of one curve take with GMP-ECM (Debian package
// gmp-ecm), in ms of CPU by its own clock, nothing where it is not installed.
func gmpStages(b *testing.B, n *big.Int, B1, B2 uint64) (stages [2]float64) {
	program, err := exec.LookPath("ecm")
	if err != nil {
		return stages
	}
	const curves = 3
	for i := range curves {
		c := exec.Command(program, "-sigma", fmt.Sprint("0:", 1001+i), fmt.Sprint(B1), fmt.Sprint(B2))
		c.Stdin = strings.NewReader(n.String())
		out, err := c.Output()
		if len(out) == 0 {
			b.Fatal(err) // its status only tells whether there was a factor
		}
		for line := range strings.Lines(string(out)) {
			var stage, ms int
			if k, _ := fmt.Sscanf(line, "Step %d took %dms", &stage, &ms); k == 2 {
				stages[stage-1] += float64(ms) / curves
			}
		}
	}
	return stages
}

// BenchmarkCurve runs both stages of a curve modulo numbers of some decimal digits, on
// the integer units, with the time of a multiplication, which is what mulNanos claims.
// gmp-ecm is the time as a multiple of what GMP-ECM takes for the same bounds.
func BenchmarkCurve(b *testing.B) {
	for _, bounds := range [][2]uint64{{50_000, 8_000_000}, {250_000, 128_992_510}} {
		for _, digits := range []int{40, 60, 120, 200, 300} {
			benchmarkCurve(b, digits, bounds[0], bounds[1])
		}
	}
}

// BenchmarkPoly runs stage 2 with polynomials, with the step's bounds: what polyNanos claims.
func BenchmarkPoly(b *testing.B) {
	for _, digits := range []int{105, 120, 150, 200, 300, 400} {
		r := rand.New(rand.NewPCG(1, uint64(digits)))
		size := digits * 3322 / 1000
		n := new(big.Int).Mul(factortest.RandomPrime(r, size/2), factortest.RandomPrime(r, size-size/2))
		run := &Runner{Poller: new(stop.Poller)}
		for i := range polySteps {
			s := &polySteps[i]
			w := Work{Seed: 7, Count: 1, B1: s.D, X: new(big.Int).Rsh(n, 1).Bytes(), From: s.D + 1, To: s.end(s.D + 1), Step: s.D}
			if fft.MeetBytes(s.points, (size+63)/64, size) > maxMeeting {
				continue
			}
			b.Run(fmt.Sprintf("%d/points=%d", digits, s.points), func(b *testing.B) {
				run.CurvesN(n, &w)
				before := cpuTime(b)
				for b.Loop() {
					run.CurvesN(n, &w)
				}
				used := float64((cpuTime(b) - before).Nanoseconds()) / float64(b.N)
				b.ReportMetric(used/1e6, "cpu-ms/op")
				b.ReportMetric(polyNanos((size+63)/64, s)/1e6, "predicted-ms")
			})
		}
	}
}

func benchmarkCurve(b *testing.B, digits int, B1, B2 uint64) {
	r := rand.New(rand.NewPCG(1, uint64(digits)))
	size := digits * 3322 / 1000
	n := new(big.Int).Mul(factortest.RandomPrime(r, size/2), factortest.RandomPrime(r, size-size/2))
	k := (size + 63) / 64
	step := GiantStepFor(B1+1, B2)
	run := &Runner{Poller: new(stop.Poller)}
	run.tables.chain(B1, 0, B1+1)
	run.tables.pair(step, B1+1, B2)
	var gmp [2]float64
	measure := func(stage int, w Work, muls float64) {
		w.Seed, w.Count, w.B1 = 7, 1, B1
		b.Run(fmt.Sprintf("%d/B1=%d/stage%d", digits, B1, stage), func(b *testing.B) {
			if gmp[0] == 0 {
				gmp = gmpStages(b, n, B1, B2)
			}
			before := cpuTime(b)
			for b.Loop() {
				run.CurvesN(n, &w)
			}
			used := float64((cpuTime(b) - before).Nanoseconds()) / float64(b.N)
			b.ReportMetric(used/1e6, "cpu-ms/op")
			b.ReportMetric(used/muls, "ns/mul")
			b.ReportMetric(mulNanos(k), "predicted-ns")
			if gmp[stage-1] > 0 {
				b.ReportMetric(used/1e6/gmp[stage-1], "gmp-ecm")
			}
		})
	}
	measure(1, Work{Hi: B1 + 1}, stage1Muls*float64(B1))
	x := new(big.Int).Rsh(n, 1)
	measure(2, Work{X: x.Bytes(), From: B1 + 1, To: B2, Step: step}, stage2Muls(step, B1+1, B2))
}
