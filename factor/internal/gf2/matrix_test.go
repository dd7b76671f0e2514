package gf2

import (
	"math/rand/v2"
	"slices"
	"testing"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// randomMatrix returns a matrix as the sieve makes them: few entries a column,
// more in the first rows.
func randomMatrix(r *rand.Rand, rows, columns int) *Matrix {
	m := &Matrix{Rows: rows, Start: []uint32{0}}
	for range columns {
		var c []uint32
		for i := range 1 + r.IntN(12) {
			v := uint32(r.IntN(rows))
			if i%2 == 0 {
				v = uint32(r.IntN(int(v) + 1))
			}
			if !slices.Contains(c, v) {
				c = append(c, v)
			}
		}
		slices.Sort(c)
		m.Entries = append(m.Entries, c...)
		m.Start = append(m.Start, uint32(len(m.Entries)))
	}
	return m
}

// TestGauss checks that dependencies are some, independent and as many as there
// can be.
func TestGauss(t *testing.T) {
	r := factortest.Seeded(t)
	for range 60 {
		rows := 1 + r.IntN(200)
		m := randomMatrix(r, rows, 1+r.IntN(rows+40))
		sets := m.Gauss(&stop.Poller{})
		dense := make([][]uint64, m.Columns())
		for c := range dense {
			dense[c] = make([]uint64, (rows+63)/64)
			for _, i := range m.Column(c) {
				dense[c][i/64] |= 1 << (i % 64)
			}
		}
		if want := min(m.Columns()-factortest.Rank(dense), MaxDependencies); len(sets) != want || factortest.Rank(sets) != want {
			t.Fatalf("%d x %d: %d dependencies, %d independent, want %d", rows, m.Columns(), len(sets), factortest.Rank(sets), want)
		}
		scratch := make([]bool, rows)
		for _, set := range sets {
			if !m.zero(set, scratch) {
				t.Fatalf("%d x %d: a dependency is not zero", rows, m.Columns())
			}
		}
	}
}

// TestPrune checks that what is left has as many dependencies as it should, and
// that they are dependencies of the whole.
func TestPrune(t *testing.T) {
	r := factortest.Seeded(t)
	for range 60 {
		rows := 50 + r.IntN(200)
		whole := randomMatrix(r, rows, rows+60)
		m := &Matrix{rows, slices.Clone(whole.Start), slices.Clone(whole.Entries)}
		keep := m.Prune(&stop.Poller{}, 20)
		if len(keep) != m.Columns() || m.Columns() < m.Rows+20 {
			t.Fatalf("%d columns of %d, %d rows", len(keep), m.Columns(), m.Rows)
		}
		sets := m.Gauss(&stop.Poller{})
		if len(sets) < 20 {
			t.Fatalf("%d dependencies", len(sets))
		}
		scratch := make([]bool, rows)
		for _, set := range sets {
			all := make([]uint64, (whole.Columns()+63)/64)
			for i, c := range keep {
				all[c/64] |= Bit(set, i) << (c % 64)
			}
			if !whole.zero(all, scratch) {
				t.Fatal("a dependency of the pruned matrix does not hold in the whole one")
			}
		}
	}
}

// readWhole reads a matrix that was appended to nothing.
func readWhole(b []byte) (*Matrix, bool) {
	r := wire.Reader{B: b}
	m := ReadMatrix(&r, MaxRows, MaxColumns)
	return m, !r.Bad && len(r.B) == 0
}

func TestMatrixPayload(t *testing.T) {
	r := factortest.Seeded(t)
	m := randomMatrix(r, 90, 130)
	p := m.Append(nil, nil)
	got, ok := readWhole(p)
	if !ok || got.Rows != m.Rows || !slices.Equal(got.Start, m.Start) || !slices.Equal(got.Entries, m.Entries) {
		t.Fatal("a matrix changed on the way")
	}
	for i := range p {
		if _, ok := readWhole(p[:i]); ok {
			t.Fatalf("%d of %d bytes were taken", i, len(p))
		}
	}
	data := m.EncodeSets(m.Gauss(&stop.Poller{}))
	sets, err := ReadSets(data, m.Columns())
	if err != nil || len(sets) < 40 {
		t.Fatalf("%d dependencies: %v", len(sets), err)
	}
	scratch := make([]bool, m.Rows)
	for _, set := range sets {
		if !m.zero(set, scratch) {
			t.Fatal("a dependency is not zero")
		}
	}
	for range 200 {
		bad := slices.Clone(data)
		bad[2+r.IntN(len(bad)-2)] ^= 1 << r.IntN(8)
		if sets, err := ReadSets(bad, m.Columns()); err == nil {
			t.Fatalf("a damaged result was taken: %d dependencies", len(sets))
		}
	}
}
