package ecm

import (
	"math/big"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

// TestPairing checks that every prime of the range has its pair.
func TestPairing(t *testing.T) {
	for _, c := range [][3]uint64{{60, 31, 750}, {60, 206, 5125}, {210, 401, 24000}, {2310, 11001, 300000}, {30030, 1_000_000, 1_100_000}} {
		p := newPairing(c[0], c[1], c[2])
		covered := make(map[uint64]bool)
		start := uint32(0)
		for i, end := range p.ends {
			for _, j := range p.hits[start:end] {
				g := (p.first + uint64(i)) * p.D
				covered[g+uint64(p.babies[j])] = true
				covered[g-uint64(p.babies[j])] = true
			}
			start = end
		}
		if int(start) != len(p.hits) {
			t.Errorf("pairing %v uses %d hits of %d", c, start, len(p.hits))
		}
		for _, q := range arith.PrimesBetween(nil, c[1], c[2]) {
			if !covered[q] {
				t.Errorf("pairing %v leaves out %d", c, q)
			}
		}
	}
}

// TestCurvesAgree runs the same curves modulo one, two and k words.
func TestCurvesAgree(t *testing.T) {
	r := factortest.Seeded(t)
	run := newECM()
	hits := 0
	for i := range uint64(300) {
		p, q := factortest.RandomPrime(r, 30), factortest.RandomPrime(r, 60)
		n := new(big.Int).Mul(p, q)
		w := arith.Uint128Of(n.Bytes())
		d := run.wholeCurve128(arith.NewMont128(w), 7, i, bounds{300, 10_000}, 210)
		work := Work{Seed: 7, First: i, Count: 1, B1: 300, Hi: 301, From: 301, To: 10_000, Step: 210}
		got, _ := run.CurvesN(n, &work)
		found := d != arith.Uint128{Lo: 1} && d != w
		if found != (got != nil) || found && got.Cmp(d.Big()) != 0 {
			t.Fatalf("curve %d of %v: %v and %v", i, n, d.Big(), got)
		}
		if found {
			hits++
		}
	}
	if hits < 30 {
		t.Errorf("%d of 300 curves found a factor", hits)
	}
}
