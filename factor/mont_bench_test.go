package factor

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkMul measures what mulNanos claims.
func BenchmarkMul(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	b.Run("1word", func(b *testing.B) {
		m := newMont64(r.Uint64() | 1)
		x := m.one
		for b.Loop() {
			x = m.mul(x, x)
		}
	})
	b.Run("2words", func(b *testing.B) {
		m := newMont128(wide{r.Uint64() | 1, r.Uint64() | 1})
		x := m.r2
		for b.Loop() {
			x = m.mul(x, x)
		}
	})
	for _, k := range []int{2, 3, 4, 5, 6, 8, 12, 16, 32, 64, 500} {
		b.Run(fmt.Sprintf("n%dwords", k), func(b *testing.B) {
			n := randomBig(r, 64*k)
			m := newMontN(n.SetBit(n, 0, 1))
			x := m.r2
			for b.Loop() {
				m.mul(x, x, m.r2)
			}
			b.ReportMetric(mulNanos(k), "predicted-ns")
		})
	}
}
