package gf2

import (
	"encoding/binary"

	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// Append appends s, beginning with the seed and the number of steps.
func (s *state) Append(p []byte) []byte {
	p = binary.AppendUvarint(p, s.seed)
	p = binary.AppendUvarint(p, uint64(s.step))
	if s.step == 0 {
		return p // begin makes the rest
	}
	for _, list := range s.lists() {
		for _, w := range list {
			p = binary.LittleEndian.AppendUint64(p, w)
		}
	}
	return binary.LittleEndian.AppendUint64(p, s.before)
}

// FirstState is a state before its first step, as append writes it.
func FirstState(seed uint64) []byte { return (&state{seed: seed}).Append(nil) }

// lists are all words of s but one.
func (s *state) lists() [9][]uint64 {
	return [9][]uint64{s.X, s.v0, s.V[0], s.V[1], s.V[2], s.inverse1[:], s.inverse2[:], s.vav1[:], s.va2v1[:]}
}

// IsState reports whether b may be the state of a matrix of so many columns.
func IsState(b []byte, columns int) bool {
	r := wire.Reader{B: b}
	seed, step := r.Uvarint(), r.Uvarint()
	return !r.Bad && seed < MaxStarts && 0 < step && step <= uint64(columns) && len(r.B) == stateSize(columns)
}

// stateSize is the size of a state after its first step, without the seed and the step.
func stateSize(columns int) int { return 8 * (5*columns + 4*64 + 1) }

// ReadState reads what append wrote, nil if it does not belong to l.
func (l *Lanczos) ReadState(run *stop.Poller, r *wire.Reader) *state {
	seed, step := r.Uvarint(), r.Uvarint()
	n := l.M.Columns()
	if r.Bad || seed >= MaxStarts || step > uint64(n) {
		return nil
	}
	if step == 0 && len(r.B) == 0 {
		return l.Begin(run, seed)
	}
	if step == 0 || len(r.B) != stateSize(n) {
		return nil
	}
	s := &state{seed: seed, step: int(step), X: make([]uint64, n), v0: make([]uint64, n)}
	for i := range s.V {
		s.V[i] = make([]uint64, n)
	}
	for _, list := range s.lists() {
		for i := range list {
			list[i] = binary.LittleEndian.Uint64(r.B[8*i:])
		}
		r.B = r.B[8*len(list):]
	}
	s.before = binary.LittleEndian.Uint64(r.B)
	return s
}
