package gf2

import (
	"testing"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

// TestMatrix64 holds the routines of small matrices against multiplication bit by
// bit.
func TestMatrix64(t *testing.T) {
	r := factortest.Seeded(t)
	var m, n matrix64
	for i := range m {
		m[i], n[i] = r.Uint64(), r.Uint64()
	}
	dot := func(i, j int) (sum uint64) {
		for k := range 64 {
			sum ^= m[i] >> k & 1 & (n[k] >> j & 1)
		}
		return sum
	}
	p := m.mul(&n)
	for i := range 64 {
		for j := range 64 {
			if p[i]>>j&1 != dot(i, j) {
				t.Fatalf("element %d, %d of the product", i, j)
			}
		}
	}
	var s byteSums
	v := make([]uint64, 64)
	s.addProduct(v, m[:], &n)
	if matrix64(v) != p {
		t.Error("addProduct differs from mul")
	}
	var transposed matrix64
	for i := range 64 {
		for j := range 64 {
			transposed[j] |= m[i] >> j & 1 << i
		}
	}
	if s.inner(m[:], n[:]) != transposed.mul(&n) {
		t.Error("inner differs from mul")
	}
}

// TestChoose checks W^-1 T W^-1 = W^-1 and that S has the rank of T.
func TestChoose(t *testing.T) {
	r := factortest.Seeded(t)
	for range 100 {
		v := make([]uint64, 64+r.IntN(100))
		mask := r.Uint64() | r.Uint64()
		for i := range v {
			v[i] = r.Uint64() & mask
		}
		var s byteSums
		w := s.inner(v, v)
		inverse, set, _ := choose(w, ^uint64(0))
		p := inverse.mul(&w)
		if p = p.mul(&inverse); p != inverse {
			t.Fatal("W^-1 T W^-1 is not W^-1")
		}
		p = inverse.mul(&w)
		for i := range 64 {
			if set>>i&1 == 1 && p.masked(set)[i] != 1<<i {
				t.Fatalf("row %d of W^-1 T is not that of the identity on S", i)
			}
			if set>>i&1 == 0 && inverse[i] != 0 {
				t.Fatalf("row %d of W^-1 is outside of S", i)
			}
		}
	}
}

// TestLanczos finds dependencies of matrices that elimination solves too: they
// are independent, and as many as there are but for a few.
func TestLanczos(t *testing.T) {
	r := factortest.Seeded(t)
	run := &stop.Poller{}
	for range 6 {
		rows := 700 + r.IntN(700)
		m := randomMatrix(r, rows, rows+200)
		m.Prune(run, 24)
		want := len(m.Gauss(run))
		sets := NewLanczos(run, m).Dependencies(run)
		scratch := make([]bool, m.Rows)
		for _, set := range sets {
			if !m.zero(set, scratch) {
				t.Fatalf("%d x %d: a dependency is not zero", m.Rows, m.Columns())
			}
		}
		t.Logf("%d x %d: %d dependencies of %d", m.Rows, m.Columns(), len(sets), want)
		if len(sets) < want/2 || len(sets) > 0 && factortest.Rank(sets) != len(sets) {
			t.Errorf("%d x %d: %d dependencies of %d", m.Rows, m.Columns(), len(sets), want)
		}
	}
}
