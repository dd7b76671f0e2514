package ecm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

// BenchmarkMul measures what mulNanos claims.
func BenchmarkMul(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	b.Run("1word", func(b *testing.B) {
		m := arith.NewMont64(r.Uint64() | 1)
		x := m.One
		for b.Loop() {
			x = m.Mul(x, x)
		}
	})
	b.Run("2words", func(b *testing.B) {
		m := arith.NewMont128(arith.Uint128{Hi: r.Uint64() | 1, Lo: r.Uint64() | 1})
		x := m.R2
		for b.Loop() {
			x = m.Mul(x, x)
		}
	})
	for _, k := range []int{2, 3, 4, 5, 6, 8, 12, 16, 32, 64, 500} {
		b.Run(fmt.Sprintf("n%dwords", k), func(b *testing.B) {
			n := factortest.RandomBig(r, 64*k)
			m := arith.NewMontN(n.SetBit(n, 0, 1))
			x := m.R2
			for b.Loop() {
				m.Mul(x, x, m.R2)
			}
			b.ReportMetric(mulNanos(k), "predicted-ns")
		})
	}
}
