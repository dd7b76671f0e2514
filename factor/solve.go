package factor

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// castagnoli is the check sum of what can not be checked otherwise.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal appends a check sum to a result that the machine can not check: what a
// sound worker made passes on unchanged or not at all.
func seal(data []byte) []byte {
	return binary.BigEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

// unseal returns what was sealed.
func unseal(data []byte) ([]byte, bool) {
	if len(data) < 6 {
		return nil, false
	}
	body, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
	return body, crc32.Checksum(body, castagnoli) == sum
}

// lanczosColumns is the size from which block Lanczos is faster than elimination,
// which never breaks down and takes one turn: 50 ms at most.
const lanczosColumns = 3000

// solve returns dependencies of m, maxSquares at most, none if the method breaks
// down.
func (m *matrix) solve(r *poller) [][]uint64 {
	if m.columns() >= lanczosColumns {
		return newLanczos(r, m).dependencies(r)
	}
	return m.gauss(r)
}

// solved is a matrix that a runner keeps between two turns of linear algebra.
type solved struct {
	payload []byte // the matrix as it came
	lanczos *lanczos
}

// append appends s, beginning with the seed and the number of steps.
func (s *state) append(p []byte) []byte {
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

// lists are all words of s but one.
func (s *state) lists() [9][]uint64 {
	return [9][]uint64{s.x, s.v0, s.v[0], s.v[1], s.v[2], s.inverse1[:], s.inverse2[:], s.vav1[:], s.va2v1[:]}
}

// readState reads what append wrote, nil if it does not belong to l.
func (l *lanczos) readState(run *poller, r *reader) *state {
	seed, step := r.uvarint(), r.uvarint()
	n := l.m.columns()
	if r.bad || seed >= maxStarts || step > uint64(n) {
		return nil
	}
	if step == 0 && len(r.b) == 0 {
		return l.begin(run, seed)
	}
	if step == 0 || len(r.b) != 8*(5*n+4*64+1) {
		return nil
	}
	s := &state{seed: seed, step: int(step), x: make([]uint64, n), v0: make([]uint64, n)}
	for i := range s.v {
		s.v[i] = make([]uint64, n)
	}
	for _, list := range s.lists() {
		for i := range list {
			list[i] = binary.LittleEndian.Uint64(r.b[8*i:])
		}
		r.b = r.b[8*len(list):]
	}
	s.before = binary.LittleEndian.Uint64(r.b)
	return s
}

// solvePayload asks for at most so many steps of linear algebra from a state.
func solvePayload(matrix, state []byte, steps int) []byte {
	p := make([]byte, 0, 24+len(matrix)+len(state))
	p = append(p, version, kindSolve)
	p = binary.AppendUvarint(p, uint64(steps))
	p = appendBlob(p, matrix)
	return append(p, state...)
}

// runSolve runs what solvePayload asks for.
func (r *siqsRunner) runSolve(payload []byte) ([]byte, error) {
	p := reader{b: payload[2:]}
	steps, packed := p.uvarint(), p.blob(len(payload))
	if p.bad || steps == 0 || steps > maxColumns {
		return nil, ErrTurn
	}
	if r.solved == nil || !bytes.Equal(r.solved.payload, packed) {
		q := reader{b: packed, poll: r.poll}
		m := readMatrix(&q, maxRows, maxColumns)
		if q.bad || len(q.b) != 0 || m.columns() == 0 {
			return nil, ErrTurn
		}
		if m.columns() < lanczosColumns {
			return m.encodeSets(m.gauss(r.poller)), nil
		}
		l := newLanczos(r.poller, m)
		if r.stopped() {
			return nil, ErrStopped
		}
		r.solved = &solved{packed, l}
	}
	l := r.solved.lanczos
	s := l.readState(r.poller, &p)
	if s == nil {
		return nil, ErrTurn
	}
	switch l.advance(r.poller, s, int(steps)) {
	case underWay:
		size := 8*(5*l.m.columns()+4*64+1) + 32
		return seal(s.append(append(make([]byte, 0, size), version, foundState))), nil
	case finished:
		if sets := l.combine(r.poller, [2][]uint64{s.x, s.v[0]}); len(sets) > 0 {
			return l.m.encodeSets(sets), nil
		}
	}
	return []byte{version, foundBroken}, nil
}

// encodeSets returns the data of a result with dependencies, a bit a column each.
func (m *matrix) encodeSets(sets [][]uint64) []byte {
	data := binary.AppendUvarint([]byte{version, foundSets}, uint64(len(sets)))
	for _, set := range sets {
		for i := 0; i < m.columns(); i += 8 {
			data = append(data, byte(set[i/64]>>(i%64)))
		}
	}
	return seal(data)
}

// readSets reads the dependencies of so many columns in the data of a result.
func readSets(data []byte, columns int) ([][]uint64, error) {
	b, ok := unseal(data)
	if !ok {
		return nil, ErrTurn
	}
	r := reader{b: b[2:]}
	count, size := r.uvarint(), (columns+7)/8
	if r.bad || count > maxSquares || uint64(len(r.b)) != count*uint64(size) {
		return nil, ErrTurn
	}
	var sets [][]uint64
	for range count {
		set := make([]uint64, (columns+63)/64)
		for i, b := range r.b[:size] {
			set[i/8] |= uint64(b) << (i % 8 * 8)
		}
		r.b = r.b[size:]
		if k := columns % 64; k > 0 && set[len(set)-1]>>k != 0 {
			return nil, ErrTurn
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// stepNanos estimates the CPU of one step of block Lanczos over a matrix, in
// nanoseconds.
func stepNanos(columns, entries int) float64 {
	return 1.6*float64(entries) + 26*float64(columns)
}

// predictSolve returns the CPU that a turn of so many steps probably takes.
func predictSolve(columns, entries, steps int) time.Duration {
	if columns < lanczosColumns {
		return time.Millisecond + time.Duration(5*columns*columns)
	}
	return time.Duration(stepNanos(columns, entries) * float64(steps))
}
