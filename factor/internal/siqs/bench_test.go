package siqs

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"fairfactor/factor/internal/factortest"
)

// BenchmarkPolynomials sieves polynomials of one number of each size, with the roots and
// the a's, and reports how many relations come in a second: with one number and so many
// polynomials the relations are the same whatever the loops.
func BenchmarkPolynomials(b *testing.B) {
	for _, bits := range []int{165, 198, 232, 265, 298, 316} {
		b.Run(fmt.Sprintf("bits=%d", bits), func(b *testing.B) {
			n := factortest.Semiprime(rand.New(rand.NewPCG(1, uint64(bits))), bits)
			h := NewCollection(n, 0, ParametersFor(bits))
			s := newSiever(h.Base)
			s.runner = newTestRunner()
			found, next := 0, 0
			for b.Loop() {
				if s.coefficient == nil || next == s.coefficient.count() {
					s.setCoefficient(h.aSelector.next(h.Base))
					next = 0
				}
				s.relations = s.relations[:0]
				s.setPolynomial(next)
				s.sievePolynomial()
				found += len(s.relations)
				next++
			}
			b.ReportMetric(float64(found)/b.Elapsed().Seconds(), "relations/s")
		})
	}
}
