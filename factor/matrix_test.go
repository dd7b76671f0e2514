package factor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// randomMatrix returns a matrix as the sieve makes them: few entries a column,
// more in the first rows.
func randomMatrix(r *rand.Rand, rows, columns int) *matrix {
	m := &matrix{rows: rows, start: []uint32{0}}
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
		m.entries = append(m.entries, c...)
		m.start = append(m.start, uint32(len(m.entries)))
	}
	return m
}

// rank returns the rank of rows of bits by plain elimination.
func rank(rows [][]uint64) int {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i] = slices.Clone(rows[i])
	}
	rank := 0
	for col := 0; len(rows) > 0 && col < 64*len(rows[0]); col++ {
		at := slices.IndexFunc(rows[rank:], func(row []uint64) bool { return bit(row, col) == 1 })
		if at < 0 {
			continue
		}
		rows[rank], rows[rank+at] = rows[rank+at], rows[rank]
		for i := range rows[rank+1:] {
			if row := rows[rank+1+i]; bit(row, col) == 1 {
				xor(row, rows[rank], 0)
			}
		}
		rank++
		if rank == len(rows) {
			break
		}
	}
	return rank
}

// TestGauss checks that dependencies are some, independent and as many as there
// can be.
func TestGauss(t *testing.T) {
	r := seeded(t)
	for range 60 {
		rows := 1 + r.IntN(200)
		m := randomMatrix(r, rows, 1+r.IntN(rows+40))
		sets := m.gauss(&poller{})
		dense := make([][]uint64, m.columns())
		for c := range dense {
			dense[c] = make([]uint64, (rows+63)/64)
			for _, i := range m.column(c) {
				dense[c][i/64] |= 1 << (i % 64)
			}
		}
		if want := min(m.columns()-rank(dense), maxSquares); len(sets) != want || rank(sets) != want {
			t.Fatalf("%d x %d: %d dependencies, %d independent, want %d", rows, m.columns(), len(sets), rank(sets), want)
		}
		scratch := make([]bool, rows)
		for _, set := range sets {
			if !m.zero(set, scratch) {
				t.Fatalf("%d x %d: a dependency is not zero", rows, m.columns())
			}
		}
	}
}

// TestPrune checks that what is left has as many dependencies as it should, and
// that they are dependencies of the whole.
func TestPrune(t *testing.T) {
	r := seeded(t)
	for range 60 {
		rows := 50 + r.IntN(200)
		whole := randomMatrix(r, rows, rows+60)
		m := &matrix{rows, slices.Clone(whole.start), slices.Clone(whole.entries)}
		keep := m.prune(&poller{}, 20)
		if len(keep) != m.columns() || m.columns() < m.rows+20 {
			t.Fatalf("%d columns of %d, %d rows", len(keep), m.columns(), m.rows)
		}
		sets := m.gauss(&poller{})
		if len(sets) < 20 {
			t.Fatalf("%d dependencies", len(sets))
		}
		scratch := make([]bool, rows)
		for _, set := range sets {
			all := make([]uint64, (whole.columns()+63)/64)
			for i, c := range keep {
				all[c/64] |= bit(set, i) << (c % 64)
			}
			if !whole.zero(all, scratch) {
				t.Fatal("a dependency of the pruned matrix is none of the whole one")
			}
		}
	}
}

// read reads a matrix that was appended to nothing.
func readWhole(b []byte) (*matrix, bool) {
	r := reader{b: b}
	m := readMatrix(&r, maxRows, maxColumns)
	return m, !r.bad && len(r.b) == 0
}

func TestMatrixPayload(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	m := randomMatrix(r, 90, 130)
	p := m.append(nil, nil)
	got, ok := readWhole(p)
	if !ok || got.rows != m.rows || !slices.Equal(got.start, m.start) || !slices.Equal(got.entries, m.entries) {
		t.Fatal("a matrix changed on the way")
	}
	for i := range p {
		if _, ok := readWhole(p[:i]); ok {
			t.Fatalf("%d of %d bytes were taken", i, len(p))
		}
	}
	res, err := run.Run(Turn{Payload: solvePayload(p, (&state{}).append(nil), 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sets, err := readSets(res.Data, m.columns())
	if err != nil || len(sets) < 40 {
		t.Fatalf("%d dependencies: %v", len(sets), err)
	}
	scratch := make([]bool, m.rows)
	for _, set := range sets {
		if !m.zero(set, scratch) {
			t.Fatal("a dependency is not zero")
		}
	}
	for range 200 {
		bad := slices.Clone(res.Data)
		bad[2+r.IntN(len(bad)-2)] ^= 1 << r.IntN(8)
		if sets, err := readSets(bad, m.columns()); err == nil {
			t.Fatalf("a damaged result was taken: %d dependencies", len(sets))
		}
	}
}
