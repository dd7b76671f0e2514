package ecm

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

// TestPolySteps: the babies are those that there are, and one lot of giants ends where the
// next one begins.
func TestPolySteps(t *testing.T) {
	for i := range polySteps {
		s := &polySteps[i]
		count := 0
		for j := uint64(1); j < s.D/2; j++ {
			if arith.GCD64(j, s.D) == 1 {
				count++
			}
		}
		if count != s.babies || count > s.points || s.D%6 != 0 {
			t.Errorf("D = %d has %d babies, not %d", s.D, count, s.babies)
		}
		for _, from := range []uint64{s.D / 2, s.D/2 + 1, s.D, 3*s.D/2 - 1, 3 * s.D / 2, 1_000_001} {
			first := s.first(from)
			if low := first*s.D - s.D/2; low > from || from-low >= s.D || s.first(s.end(from)) != first+uint64(s.points) {
				t.Errorf("D = %d from %d: first giant %d, end %d", s.D, from, first, s.end(from))
			}
		}
	}
}

// TestPolyAgrees: what stage 2 finds pair by pair, it finds with polynomials.
func TestPolyAgrees(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	const B1 = 5000
	s := &polySteps[0]
	r := &Runner{Poller: new(stop.Poller)}
	found := 0
	for i := 0; i < 12 || found < 2 && i < 500; i++ { // a curve finds one in five
		p := factortest.RandomPrime(rng, 44)
		n := new(big.Int).Mul(p, factortest.RandomPrime(rng, []int{120, 355, 700}[i%3]))
		pair := Work{Seed: rng.Uint64(), Count: 1, B1: B1, Hi: B1 + 1, From: B1 + 1, To: s.end(B1 + 1), Step: 2310}
		poly := pair
		poly.Step = s.D
		d, _ := r.CurvesN(n, &pair)
		e, _ := r.CurvesN(n, &poly)
		if d != nil {
			found++
		}
		if d != nil && (e == nil || e.Cmp(d) != 0) {
			t.Errorf("%v: pairs find %v, polynomials %v", n, d, e)
		}
	}
	t.Logf("found %d", found)
	if found < 1 {
		t.Errorf("only %d factors were found: the test shows little", found)
	}
}

// TestPolyWork: work with polynomials goes through its encoding, and what would take too
// much memory, or leave primes out, is refused.
func TestPolyWork(t *testing.T) {
	n := make([]byte, 50)
	n[0], n[49] = 1, 1
	s := &polySteps[3]
	w := Work{N: n, Seed: 1, Count: 1, B1: 50_000, From: 50_001, To: s.end(50_001), Step: s.D, X: []byte{7}}
	if got, err := DecodeWork(w.Encode()); err != nil || got.Step != s.D || got.To != w.To {
		t.Errorf("%+v, %v", got, err)
	}
	for name, spoil := range map[string]func(w *Work){
		"beyond the giants":  func(w *Work) { w.To++ },
		"before the first":   func(w *Work) { w.B1, w.From, w.To = 30_000, s.D/2-1, 1_000_000 },
		"too long":           func(w *Work) { w.N = append(append([]byte{1}, make([]byte, 3000)...), 1) },
		"no such giant step": func(w *Work) { w.Step = 4620 },
	} {
		bad := w
		spoil(&bad)
		if _, err := DecodeWork(bad.Encode()); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
