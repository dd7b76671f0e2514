package gf2

import (
	"encoding/binary"
	"time"

	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// LanczosColumns is the size from which block Lanczos is faster than elimination,
// which never breaks down and takes one turn: 50 ms at most.
const LanczosColumns = 3000

// Solve returns dependencies of m, MaxDependencies at most, none if the method breaks
// down.
func (m *Matrix) Solve(r *stop.Poller) [][]uint64 {
	if m.Columns() >= LanczosColumns {
		return NewLanczos(r, m).Dependencies(r)
	}
	return m.Gauss(r)
}

// EncodeSets returns the data of a result with dependencies, a bit a column each.
func (m *Matrix) EncodeSets(sets [][]uint64) []byte {
	data := binary.AppendUvarint([]byte{wire.Version, wire.FoundSets}, uint64(len(sets)))
	for _, set := range sets {
		for i := 0; i < m.Columns(); i += 8 {
			data = append(data, byte(set[i/64]>>(i%64)))
		}
	}
	return wire.Seal(data)
}

// ReadSets reads the dependencies of so many columns in the data of a result.
func ReadSets(data []byte, columns int) ([][]uint64, error) {
	b, ok := wire.Unseal(data)
	if !ok {
		return nil, wire.ErrTurn
	}
	r := wire.Reader{B: b[2:]}
	count, size := r.Uvarint(), (columns+7)/8
	if r.Bad || count > MaxDependencies || uint64(len(r.B)) != count*uint64(size) {
		return nil, wire.ErrTurn
	}
	var sets [][]uint64
	for range count {
		set := make([]uint64, (columns+63)/64)
		for i, b := range r.B[:size] {
			set[i/8] |= uint64(b) << (i % 8 * 8)
		}
		r.B = r.B[size:]
		if k := columns % 64; k > 0 && set[len(set)-1]>>k != 0 {
			return nil, wire.ErrTurn
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// StepNanos estimates the CPU of one step of block Lanczos over a matrix, in
// nanoseconds.
func StepNanos(columns, entries int) float64 {
	return 1.6*float64(entries) + 26*float64(columns)
}

// PredictSolve returns the CPU that a turn of so many steps probably takes.
func PredictSolve(columns, entries, steps int) time.Duration {
	if columns < LanczosColumns {
		return time.Millisecond + time.Duration(5*columns*columns)
	}
	return time.Duration(StepNanos(columns, entries) * float64(steps))
}
