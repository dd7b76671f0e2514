package siqs

import (
	"bytes"
	"encoding/binary"

	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// keptMatrix is a matrix that a runner keeps between two turns of linear algebra.
type keptMatrix struct {
	payload []byte // the matrix as it came
	lanczos *gf2.Lanczos
}

// SolvePayload asks for at most so many steps of linear algebra from a state.
func SolvePayload(matrix, state []byte, steps int) []byte {
	p := make([]byte, 0, 24+len(matrix)+len(state))
	p = append(p, wire.Version, wire.KindSolve)
	p = binary.AppendUvarint(p, uint64(steps))
	p = wire.AppendBlob(p, matrix)
	return append(p, state...)
}

// runSolve runs what SolvePayload asks for.
func (r *Runner) runSolve(payload []byte) ([]byte, error) {
	p := wire.Reader{B: payload[2:]}
	steps, packed := p.Uvarint(), p.Blob(len(payload))
	if p.Bad || steps == 0 || steps > gf2.MaxColumns {
		return nil, wire.ErrTurn
	}
	if r.kept == nil || !bytes.Equal(r.kept.payload, packed) {
		q := wire.Reader{B: packed, Poll: r.Poll}
		m := gf2.ReadMatrix(&q, gf2.MaxRows, gf2.MaxColumns)
		if q.Bad || len(q.B) != 0 || m.Columns() == 0 {
			return nil, wire.ErrTurn
		}
		if m.Columns() < gf2.LanczosColumns {
			return m.EncodeSets(m.Gauss(r.Poller)), nil
		}
		l := gf2.NewLanczos(r.Poller, m)
		if r.Stopped() {
			return nil, stop.ErrStopped
		}
		r.kept = &keptMatrix{packed, l}
	}
	l := r.kept.lanczos
	s := l.ReadState(r.Poller, &p)
	if s == nil {
		return nil, wire.ErrTurn
	}
	switch l.Advance(r.Poller, s, int(steps)) {
	case gf2.UnderWay:
		size := 8*(5*l.M.Columns()+4*64+1) + 32
		return wire.Seal(s.Append(append(make([]byte, 0, size), wire.Version, wire.FoundState))), nil
	case gf2.Finished:
		if sets := l.Combine(r.Poller, [2][]uint64{s.X, s.V[0]}); len(sets) > 0 {
			return l.M.EncodeSets(sets), nil
		}
	}
	return []byte{wire.Version, wire.FoundBroken}, nil
}
