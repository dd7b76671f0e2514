package factor

import (
	"encoding/binary"
	"slices"
)

// matrix is a sparse matrix modulo 2 by columns. A dependency is a set of columns
// whose sum is zero.
type matrix struct {
	rows    int
	start   []uint32 // entries[start[c]:start[c+1]] are the rows of column c
	entries []uint32 // ascending in a column
}

// columns returns the number of columns.
func (m *matrix) columns() int { return len(m.start) - 1 }

// column returns the rows of column c.
func (m *matrix) column(c int) []uint32 { return m.entries[m.start[c]:m.start[c+1]] }

// part returns the columns from lo to hi-1, with the rows that occur in them
// numbered anew, and which ones these are.
func (m *matrix) part(lo, hi int) (p *matrix, used []bool) {
	entries := m.entries[m.start[lo]:m.start[hi]]
	used = make([]bool, m.rows)
	for _, i := range entries {
		used[i] = true
	}
	number := make([]uint32, m.rows)
	p = &matrix{start: make([]uint32, 1, hi-lo+1), entries: make([]uint32, len(entries))}
	for i, in := range used {
		if in {
			number[i] = uint32(p.rows)
			p.rows++
		}
	}
	for k, i := range entries {
		p.entries[k] = number[i]
	}
	for c := lo; c < hi; c++ {
		p.start = append(p.start, m.start[c+1]-m.start[lo])
	}
	return p, used
}

// push appends a column.
func (m *matrix) push(column []uint32) {
	m.entries = append(m.entries, column...)
	m.start = append(m.start, uint32(len(m.entries)))
}

// join appends the columns of n.
func (m *matrix) join(n *matrix) {
	for c := range n.columns() {
		m.push(n.column(c))
	}
	m.rows = max(m.rows, n.rows)
}

// prune removes columns that have a row to themselves, which are in no
// dependency, and the heaviest ones until there are only spare more than rows;
// then rows that are empty. It returns the numbers that the columns left had
// before; what they are does not matter if the runner is to stop.
func (m *matrix) prune(r *poller, spare int) []int {
	p := &pruning{m: m, weight: make([]uint32, m.rows), last: make([]uint32, m.rows), gone: make([]bool, m.columns()), left: m.columns()}
	for c := range m.columns() {
		if c%(pollEvery/8) == 0 && r.poll() {
			return nil
		}
		for _, row := range m.column(c) {
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
		p.dropSingles(r)
		excess := p.left - p.rows - spare
		if excess <= 0 || r.poll() {
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
	m      *matrix
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
	for _, row := range p.m.column(c) {
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

// dropSingles removes the columns that have a row to themselves.
func (p *pruning) dropSingles(r *poller) {
	for n := 1; len(p.single) > 0; n++ {
		if n%(pollEvery/16) == 0 && r.poll() {
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
			size := len(p.m.column(c))
			sizes = append(sizes, make([]int, max(0, size+1-len(sizes)))...)
			sizes[size]++
		}
	}
	bound := len(sizes) - 1
	for above := sizes[bound]; above < count; above += sizes[bound] {
		bound--
	}
	for c := range p.gone {
		if count > 0 && !p.gone[c] && len(p.m.column(c)) >= bound {
			count--
			p.remove(c)
		}
	}
}

// pack keeps the given columns and the rows that have weight.
func (m *matrix) pack(r *poller, keep []int, weight []uint32) {
	number := make([]uint32, m.rows)
	rows := uint32(0)
	for row, w := range weight {
		number[row] = rows
		if w > 0 {
			rows++
		}
	}
	small := &matrix{rows: int(rows), start: make([]uint32, 1, len(keep)+1), entries: make([]uint32, 0, len(m.entries))}
	for i, c := range keep {
		if i%(pollEvery/16) == 0 && r.poll() {
			return
		}
		for _, row := range m.column(c) {
			small.entries = append(small.entries, number[row])
		}
		small.start = append(small.start, uint32(len(small.entries)))
	}
	*m = *small
}

// Bounds of a matrix in a payload.
const (
	maxRows    = maxBaseSize + 1
	maxColumns = maxRows + 1000
)

// append appends m: its rows and columns, and in each column the steps from one
// entry to the next. What it returns is of no use if poll, which may be nil, told to
// stop.
func (m *matrix) append(p []byte, poll func() bool) []byte {
	p = binary.AppendUvarint(p, uint64(m.rows))
	p = binary.AppendUvarint(p, uint64(m.columns()))
	for c := range m.columns() {
		if c%(pollEvery/16) == 0 && poll != nil && poll() {
			return nil
		}
		p = appendAscending(p, m.column(c))
	}
	return p
}

// readMatrix reads what append wrote, with at most so many rows and columns; r is
// bad if it is damaged.
func readMatrix(r *reader, maxRows, maxColumns int) *matrix {
	rows, columns := r.uvarint(), r.uvarint()
	if r.bad || rows > uint64(maxRows) || columns > uint64(maxColumns) || columns > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	m := &matrix{rows: int(rows), start: make([]uint32, 1, columns+1), entries: make([]uint32, 0, len(r.b))}
	for c := range columns {
		count := r.uvarint()
		if c%(pollEvery/16) == 0 && r.stopped() || count > uint64(len(r.b)) {
			r.bad = true
			return nil
		}
		last := uint64(0)
		for i := range count {
			step := r.uvarint()
			last += step
			if r.bad || last >= rows || i > 0 && step == 0 {
				r.bad = true
				return nil
			}
			m.entries = append(m.entries, uint32(last))
		}
		m.start = append(m.start, uint32(len(m.entries)))
	}
	return m
}

// zero reports whether the columns in set, a bit each, add up to zero. scratch
// has one element for each row and is cleared.
func (m *matrix) zero(set []uint64, scratch []bool) bool {
	clear(scratch)
	for c := range m.columns() {
		if set[c/64]>>(c%64)&1 == 1 {
			for _, r := range m.column(c) {
				scratch[r] = !scratch[r]
			}
		}
	}
	return !slices.Contains(scratch, true)
}
