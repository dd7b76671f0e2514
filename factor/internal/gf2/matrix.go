package gf2

import (
	"encoding/binary"
	"slices"

	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// Matrix is a sparse matrix modulo 2 by columns. A dependency is a set of columns
// whose sum is zero.
type Matrix struct {
	Rows    int
	Start   []uint32 // entries[start[c]:start[c+1]] are the rows of column c
	Entries []uint32 // ascending in a column
}

// Columns returns the number of columns.
func (m *Matrix) Columns() int { return len(m.Start) - 1 }

// Column returns the rows of column c.
func (m *Matrix) Column(c int) []uint32 { return m.Entries[m.Start[c]:m.Start[c+1]] }

// Part returns the columns from lo to hi-1, with the rows that occur in them
// renumbered, and which ones these are.
func (m *Matrix) Part(lo, hi int) (p *Matrix, used []bool) {
	entries := m.Entries[m.Start[lo]:m.Start[hi]]
	used = make([]bool, m.Rows)
	for _, i := range entries {
		used[i] = true
	}
	number := make([]uint32, m.Rows)
	p = &Matrix{Start: make([]uint32, 1, hi-lo+1), Entries: make([]uint32, len(entries))}
	for i, in := range used {
		if in {
			number[i] = uint32(p.Rows)
			p.Rows++
		}
	}
	for k, i := range entries {
		p.Entries[k] = number[i]
	}
	for c := lo; c < hi; c++ {
		p.Start = append(p.Start, m.Start[c+1]-m.Start[lo])
	}
	return p, used
}

// Push appends a column.
func (m *Matrix) Push(column []uint32) {
	m.Entries = append(m.Entries, column...)
	m.Start = append(m.Start, uint32(len(m.Entries)))
}

// Join appends the columns of n.
func (m *Matrix) Join(n *Matrix) {
	for c := range n.Columns() {
		m.Push(n.Column(c))
	}
	m.Rows = max(m.Rows, n.Rows)
}

// Prune removes columns that have a row to themselves, which are in no
// dependency, and the heaviest ones until there are only spare more than rows;
// then rows that are empty. It returns the numbers that the columns left had
// before; what they are does not matter if the runner is to stop.
func (m *Matrix) Prune(r *stop.Poller, spare int) []int {
	p := &pruning{m: m, weight: make([]uint32, m.Rows), last: make([]uint32, m.Rows), gone: make([]bool, m.Columns()), left: m.Columns()}
	for c := range m.Columns() {
		if c%(stop.PollEvery/8) == 0 && r.Poll() {
			return nil
		}
		for _, row := range m.Column(c) {
			p.weight[row]++
			p.last[row] ^= uint32(c)
		}
	}
	for row, w := range p.weight {
		if w > 0 {
			p.rows++
		}
		if w == 1 {
			p.single = append(p.single, uint32(row))
		}
	}
	for {
		p.dropSingletons(r)
		excess := p.left - p.rows - spare
		if excess <= 0 || r.Poll() {
			break
		}
		p.dropHeavy(max(1, excess/2))
	}
	keep := make([]int, 0, p.left)
	for c, gone := range p.gone {
		if !gone {
			keep = append(keep, c)
		}
	}
	m.pack(r, keep, p.weight)
	return keep
}

// pruning is a matrix that columns are removed from.
type pruning struct {
	m      *Matrix
	weight []uint32 // of each row
	last   []uint32 // the columns of each row, added up: the only one if its weight is 1
	single []uint32 // rows that had the weight 1
	gone   []bool   // columns that were removed
	left   int      // columns
	rows   int      // rows that are not empty
}

// remove removes a column.
func (p *pruning) remove(c int) {
	p.gone[c] = true
	p.left--
	for _, row := range p.m.Column(c) {
		p.weight[row]--
		p.last[row] ^= uint32(c)
		switch p.weight[row] {
		case 0:
			p.rows--
		case 1:
			p.single = append(p.single, row)
		}
	}
}

// dropSingletons removes the columns that have a row to themselves.
func (p *pruning) dropSingletons(r *stop.Poller) {
	for n := 1; len(p.single) > 0; n++ {
		if n%(stop.PollEvery/16) == 0 && r.Poll() {
			return
		}
		row := p.single[len(p.single)-1]
		p.single = p.single[:len(p.single)-1]
		if p.weight[row] == 1 {
			p.remove(int(p.last[row]))
		}
	}
}

// dropHeavy removes count of the columns that have most entries.
func (p *pruning) dropHeavy(count int) {
	var sizes []int // how many columns have so many entries
	for c, gone := range p.gone {
		if !gone {
			size := len(p.m.Column(c))
			sizes = append(sizes, make([]int, max(0, size+1-len(sizes)))...)
			sizes[size]++
		}
	}
	bound := len(sizes) - 1
	for above := sizes[bound]; above < count; above += sizes[bound] {
		bound--
	}
	for c := range p.gone {
		if count > 0 && !p.gone[c] && len(p.m.Column(c)) >= bound {
			count--
			p.remove(c)
		}
	}
}

// pack keeps the given columns and the rows that have weight.
func (m *Matrix) pack(r *stop.Poller, keep []int, weight []uint32) {
	number := make([]uint32, m.Rows)
	rows := uint32(0)
	for row, w := range weight {
		number[row] = rows
		if w > 0 {
			rows++
		}
	}
	small := &Matrix{Rows: int(rows), Start: make([]uint32, 1, len(keep)+1), Entries: make([]uint32, 0, len(m.Entries))}
	for i, c := range keep {
		if i%(stop.PollEvery/16) == 0 && r.Poll() {
			return
		}
		for _, row := range m.Column(c) {
			small.Entries = append(small.Entries, number[row])
		}
		small.Start = append(small.Start, uint32(len(small.Entries)))
	}
	*m = *small
}

// Bounds of a matrix in a payload.
const (
	MaxRows    = 1<<17 + 1 // the largest factor base, and the sign
	MaxColumns = MaxRows + 1000
)

// Append appends m: its rows and columns, and in each column the steps from one
// entry to the next. What it returns is of no use if poll, which may be nil, told to
// stop.
func (m *Matrix) Append(p []byte, poll func() bool) []byte {
	p = binary.AppendUvarint(p, uint64(m.Rows))
	p = binary.AppendUvarint(p, uint64(m.Columns()))
	for c := range m.Columns() {
		if c%(stop.PollEvery/16) == 0 && poll != nil && poll() {
			return nil
		}
		p = wire.AppendAscending(p, m.Column(c))
	}
	return p
}

// ReadMatrix reads what append wrote, with at most so many rows and columns; r is
// bad if it is damaged.
func ReadMatrix(r *wire.Reader, maxRows, maxColumns int) *Matrix {
	rows, columns := r.Uvarint(), r.Uvarint()
	if r.Bad || rows > uint64(maxRows) || columns > uint64(maxColumns) || columns > uint64(len(r.B)) {
		r.Bad = true
		return nil
	}
	m := &Matrix{Rows: int(rows), Start: make([]uint32, 1, columns+1), Entries: make([]uint32, 0, len(r.B))}
	for c := range columns {
		count := r.Uvarint()
		if c%(stop.PollEvery/16) == 0 && r.Stopped() || count > uint64(len(r.B)) {
			r.Bad = true
			return nil
		}
		last := uint64(0)
		for i := range count {
			step := r.Uvarint()
			last += step
			if r.Bad || last >= rows || i > 0 && step == 0 {
				r.Bad = true
				return nil
			}
			m.Entries = append(m.Entries, uint32(last))
		}
		m.Start = append(m.Start, uint32(len(m.Entries)))
	}
	return m
}

// zero reports whether the columns in set, a bit each, add up to zero. scratch
// has one element for each row and is cleared.
func (m *Matrix) zero(set []uint64, scratch []bool) bool {
	clear(scratch)
	for c := range m.Columns() {
		if set[c/64]>>(c%64)&1 == 1 {
			for _, r := range m.Column(c) {
				scratch[r] = !scratch[r]
			}
		}
	}
	return !slices.Contains(scratch, true)
}

// MaxDependencies bounds the dependencies that are used.
const MaxDependencies = 64
