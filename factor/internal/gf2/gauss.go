package gf2

import (
	"math/bits"

	"fairfactor/factor/internal/stop"
)

// Gauss returns dependencies of m, MaxDependencies at most, by elimination on packed
// rows, groupSize pivots at a time: one look into a table of their sums does for
// all of them ("the method of four Russians"; Albrecht, Bard, Hart, ACM TOMS 37
// (2010), article 9).
func (m *Matrix) Gauss(r *stop.Poller) [][]uint64 {
	e := &echelon{words: (m.Columns() + 63) / 64, columns: m.Columns()}
	e.rows = make([][]uint64, m.Rows)
	store := make([]uint64, m.Rows*e.words)
	for i := range e.rows {
		e.rows[i] = store[i*e.words : (i+1)*e.words]
	}
	for c := range m.Columns() {
		for _, i := range m.Column(c) {
			e.rows[i][c/64] |= 1 << (c % 64)
		}
	}
	for col := 0; col < e.columns; {
		if r.Poll() {
			return nil
		}
		col = e.group(col)
	}
	return e.nullspace(r)
}

// groupSize is how many pivots are taken at a time.
const groupSize = 8

// echelon is a matrix on the way to echelon form.
type echelon struct {
	rows    [][]uint64
	words   int
	columns int
	pivots  []int // columns of the pivots: row i has pivots[i]
	free    []int // columns without one
	table   [1 << groupSize][]uint64
}

// Bit returns the bit of a row in a column.
func Bit(row []uint64, col int) uint64 { return row[col/64] >> (col % 64) & 1 }

// xor adds row y to row x from the word at on.
//
//go:norace
func xor(x, y []uint64, at int) {
	x, y = x[at:], y[at:]
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		x[0] ^= y[0]
		x[1] ^= y[1]
		x[2] ^= y[2]
		x[3] ^= y[3]
		x, y = x[4:], y[4:]
	}
	for i := range x {
		x[i] ^= y[i]
	}
}

// group finds the next pivots from column col on, takes them out of the rows
// below, and returns the column to go on with.
func (e *echelon) group(col int) int {
	top := len(e.pivots)
	at := col / 64
	cols := make([]int, 0, groupSize)
	for ; col < e.columns && len(cols) < groupSize; col++ {
		if e.pivot(top, col, cols) {
			cols = append(cols, col)
		} else {
			e.free = append(e.free, col)
		}
	}
	if len(cols) == 0 {
		return col
	}
	own := e.rows[top : top+len(cols)]
	for i := range own { // each pivot's column has a 1 in its own row only
		for j := range own[:i] {
			if Bit(own[j], cols[i]) == 1 {
				xor(own[j], own[i], at)
			}
		}
	}
	e.pivots = append(e.pivots, cols...)
	e.tabulate(own, at)
	for _, row := range e.rows[top+len(cols):] {
		index := uint64(0)
		for i, c := range cols {
			index |= Bit(row, c) << i
		}
		if index != 0 {
			xor(row, e.table[index], at)
		}
	}
	return col
}

// pivot looks for a row that has a 1 in column col once the pivots of the group
// are out, and makes it the next of the group.
func (e *echelon) pivot(top, col int, cols []int) bool {
	at := top + len(cols)
	for i := at; i < len(e.rows); i++ {
		row := e.rows[i]
		for j, c := range cols {
			if Bit(row, c) == 1 {
				xor(row, e.rows[top+j], c/64)
			}
		}
		if Bit(row, col) == 1 {
			e.rows[i], e.rows[at] = e.rows[at], row
			return true
		}
	}
	return false
}

// tabulate fills the table with all sums of the rows.
func (e *echelon) tabulate(rows [][]uint64, at int) {
	for i := 1; i < 1<<len(rows); i++ {
		if e.table[i] == nil {
			e.table[i] = make([]uint64, e.words)
		}
		k := bits.TrailingZeros(uint(i))
		copy(e.table[i][at:], rows[k][at:])
		if rest := i & (i - 1); rest != 0 {
			xor(e.table[i], e.table[rest], at)
		}
	}
}

// nullspace returns a dependency for each free column, MaxDependencies at most.
func (e *echelon) nullspace(r *stop.Poller) [][]uint64 {
	var sets [][]uint64
	for _, f := range e.free[:min(len(e.free), MaxDependencies)] {
		if r.Poll() {
			return nil
		}
		set := make([]uint64, e.words)
		set[f/64] |= 1 << (f % 64)
		for i := len(e.pivots) - 1; i >= 0; i-- {
			c := e.pivots[i]
			if c > f {
				continue
			}
			sum := uint64(0)
			row := e.rows[i]
			for w := c / 64; w <= f/64; w++ {
				sum ^= row[w] & set[w]
			}
			if bits.OnesCount64(sum)&1 == 1 {
				set[c/64] |= 1 << (c % 64)
			}
		}
		sets = append(sets, set)
	}
	return sets
}
