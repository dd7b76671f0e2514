package siqs

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/wire"
)

// Linear algebra in checkpoints. What comes before block Lanczos is quick, and the same
// relations in the same order always lead to the same matrix. So a checkpoint says how many
// relations the matrix is made of, and has the vectors in pieces of their own, with a check
// sum of the matrix that they belong to. A restored collection waits for its relations,
// makes the matrix again, and goes on from the vectors if it is the same one.

// algebra is the linear algebra that is under way, as far as checkpoints need it.
type algebra struct {
	relations int      // that it began with, the first ones in order; 0: it has not begun
	awaited   bool     // what it needs is in pieces of a checkpoint that are not loaded
	matrix    uint32   // check sum of the matrix that state belongs to
	state     []byte   // where block Lanczos is, as gf2 writes it; nil before its first turn
	saved     bool     // state is in the pieces that were cut last
	numbers   []int    // of those pieces, noNumber for one that was lost
	parts     [][]byte // of a state, as they are loaded
	sum       uint32   // check sum of state, or of what parts are of
}

// noNumber is the number of a piece that no checkpoint has.
const noNumber = -1

// partSize is what one piece has of the state, in bytes.
const partSize = 60_000

// takeState notes where block Lanczos is.
func (l *algebra) takeState(state, matrix []byte) {
	l.state, l.matrix, l.saved = state, crc32.Checksum(matrix, wire.Castagnoli), false
	l.sum = crc32.Checksum(state, wire.Castagnoli)
}

// stateFor returns the state to go on from with a matrix of so many columns: the restored
// one if it belongs to it, else the first.
func (l *algebra) stateFor(matrix []byte, columns int) []byte {
	if l.state != nil && l.matrix == crc32.Checksum(matrix, wire.Castagnoli) && gf2.IsState(l.state, columns) {
		return l.state
	}
	l.state = nil
	return gf2.FirstState(0)
}

// count returns how many parts the state has.
func (l *algebra) count() int { return (len(l.state) + partSize - 1) / partSize }

// cutParts is [Collection.CutPieces] for the state.
func (l *algebra) cutParts(first int, number func(at int) (n int, ok bool)) int {
	if l.saved || l.state == nil {
		return first
	}
	for part := range l.count() {
		if part == len(l.numbers) {
			l.numbers = append(l.numbers, noNumber)
		}
		if l.numbers[part] == noNumber {
			n, ok := number(-1 - part)
			if !ok {
				return first
			}
			l.numbers[part] = n
		}
		first = min(first, l.numbers[part])
	}
	l.saved = true
	return first
}

// appendPart appends a part of the state, and returns nil if there is no such part.
func (l *algebra) appendPart(b []byte, part int) []byte {
	lo, hi := part*partSize, min((part+1)*partSize, len(l.state))
	if lo >= hi {
		return nil
	}
	b = binary.AppendUvarint(b, uint64(l.count()))
	b = binary.AppendUvarint(b, uint64(part))
	b = binary.BigEndian.AppendUint32(b, l.matrix)
	b = binary.BigEndian.AppendUint32(b, l.sum)
	return append(b, l.state[lo:hi]...)
}

// maxParts bounds the pieces of a state.
const maxParts = 5*8*gf2.MaxColumns/partSize + 2

// loadPart reads what appendPart wrote, from the piece with that number. The parts are of
// one state; those of another one, which a later checkpoint has only begun to write, are
// dropped.
func (l *algebra) loadPart(r *wire.Reader, number int) (part int, err error) {
	count, at := r.Uvarint(), r.Uvarint()
	if r.Bad || count == 0 || count > maxParts || at >= count || len(r.B) <= 8 || len(r.B) > 8+partSize {
		return 0, wire.ErrTurn
	}
	matrix, sum := binary.BigEndian.Uint32(r.B), binary.BigEndian.Uint32(r.B[4:])
	if l.parts == nil || sum != l.sum || matrix != l.matrix || int(count) != len(l.parts) {
		l.parts, l.sum, l.matrix = make([][]byte, count), sum, matrix
	}
	l.parts[at] = slices.Clone(r.B[8:])
	for len(l.numbers) <= int(at) {
		l.numbers = append(l.numbers, noNumber)
	}
	l.numbers[at] = number
	return int(at), nil
}

// allLoaded puts the parts together, once there are as many relations as there will be.
func (l *algebra) allLoaded(relations int) {
	state := slices.Concat(l.parts...)
	if len(l.parts) > 0 && !slices.ContainsFunc(l.parts, func(p []byte) bool { return p == nil }) &&
		crc32.Checksum(state, wire.Castagnoli) == l.sum {
		l.state, l.saved = state, true
	}
	l.parts, l.awaited = nil, false
	if l.relations > relations {
		l.end()
	}
}

// end gives the linear algebra up: there will be more relations.
func (l *algebra) end() { *l = algebra{numbers: l.numbers} }

// Waits reports whether the collection can't go on before all pieces of its checkpoint
// are loaded: relations found meanwhile would change the matrix.
func (h *Collection) Waits() bool { return h.algebra.awaited }

// Solving returns how many relations the linear algebra that is under way is made of, 0 if
// none is.
func (h *Collection) Solving() int { return h.algebra.relations }

// ResumeSolving says that linear algebra with so many relations was under way when the
// checkpoint was taken; it is false if it had not as many.
func (h *Collection) ResumeSolving(relations uint64) bool {
	if relations == 0 || relations > uint64(h.absent) {
		return false
	}
	h.algebra.relations, h.algebra.awaited = int(relations), true
	return true
}

// beginAlgebra fixes what the linear algebra is made of.
func (h *Collection) beginAlgebra() {
	h.sortRelations()
	if h.algebra.relations == 0 {
		h.algebra.relations = h.count()
	}
}

// sortRelations brings the relations to the order of the pieces that they are in, which is
// the order that they are loaded in after a restart. Those of pieces that were loaded while
// others were found are out of order.
func (h *Collection) sortRelations() {
	order := make([]int, len(h.pieces)) // of the pieces
	for i := range order {
		order[i] = i
	}
	rank := func(at int) int {
		if n := h.pieces[at].number; n >= 0 {
			return n
		}
		return maxNumber
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank(a) - rank(b) })
	place := make([]int, len(order))
	for i, at := range order {
		place[at] = i
	}
	if slices.IsSortedFunc(h.where, func(a, b uint64) int { return place[a>>32] - place[b>>32] }) {
		return
	}
	in := make([][]uint32, len(h.pieces)) // relations of each piece
	for i, w := range h.where {
		in[w>>32] = append(in[w>>32], uint32(i))
	}
	ends := h.readEnds()
	where := make([]uint64, 0, len(h.where))
	packed := make([]byte, 0, len(h.ends))
	for _, at := range order {
		for _, i := range in[at] {
			where = append(where, h.where[i])
			packed = binary.AppendUvarint(packed, uint64(ends[i][0]))
			packed = binary.AppendUvarint(packed, uint64(ends[i][1]))
		}
	}
	h.where, h.ends = where, packed
}

// maxNumber is above the numbers of all pieces.
const maxNumber = 1 << 40

// readEnds returns the vertices of all relations.
func (h *Collection) readEnds() [][2]uint32 {
	ends := make([][2]uint32, h.count())
	r := wire.Reader{B: h.ends}
	for i := range ends {
		ends[i] = [2]uint32{uint32(r.Uvarint()), uint32(r.Uvarint())}
	}
	return ends
}

// cyclesPayload returns the payload that asks for the cycles of the relations that the linear
// algebra is made of. The vertices are numbered as they come.
func (h *Collection) cyclesPayload() []byte {
	count := h.algebra.relations
	number := make([]uint32, len(h.parent)) // new number of each vertex, and 1
	number[0] = 1
	vertices := 1
	r := wire.Reader{B: h.ends}
	packed := make([]byte, 0, len(h.ends))
	for range 2 * count {
		v := &number[r.Uvarint()]
		if *v == 0 {
			vertices++
			*v = uint32(vertices)
		}
		packed = binary.AppendUvarint(packed, uint64(*v-1))
	}
	return cyclesPayload(count, vertices, packed)
}
