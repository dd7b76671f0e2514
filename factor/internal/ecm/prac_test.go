package ecm

import (
	"testing"

	"fairfactor/factor/internal/arith"
)

// TestChain runs chains on integers: a point is a multiple, and an addition
// must find the difference where it looks for it.
func TestChain(t *testing.T) {
	for _, p := range arith.PrimesBetween(nil, 2, 20000) {
		code := appendChain(nil, p, len(pracRatios))
		if got := evalChain(t, code); got != p {
			t.Fatalf("chain for %d gives %d", p, got)
		}
	}
}

// evalChain does what curveN.run does.
func evalChain(t *testing.T, code []byte) uint64 {
	t.Helper()
	add := func(p, q, d int64) int64 {
		if p-q != d && q-p != d {
			t.Fatalf("%d + %d with difference %d", p, q, d)
		}
		return p + q
	}
	abs := func(x int64) int64 { return max(x, -x) }
	a, b, d := int64(1), int64(0), int64(0)
	for _, op := range code {
		switch op {
		case opStart:
			a, b, d = 2*a, a, a
		case 1:
			s := add(a, b, d)
			a, b = add(s, a, b), add(b, s, a)
		case 2, 4:
			a, b = 2*a, add(a, b, d)
		case 3:
			b, d = add(b, a, d), b
		case 5:
			a, d = 2*a, abs(b-2*a)
		case 6:
			s := add(a, b, d)
			a, b, d = add(2*a, a, a), add(2*a, s, d), b
		case 7:
			s := add(a, b, d)
			a, b = add(a, 2*a, a), add(s, a, b)
		case 8:
			s := add(a, b, d)
			a, b, d = add(a, 2*a, a), s, abs(2*a-b)
		case 9:
			b, d = 2*b, abs(a-2*b)
		case opEnd:
			a = add(a, b, d)
		case opSwap:
			a, b = b, a
		case opDup:
			a *= 2
		}
	}
	return uint64(a)
}
