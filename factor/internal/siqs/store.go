package siqs

import (
	"encoding/binary"

	"fairfactor/factor/internal/wire"
)

// store keeps the relations of a sieve as the bytes that describe them, some 30
// each, and their large primes as numbers of the graph's vertices. It grows by
// pieces, so that no addition has to copy what is there; they are the pieces of
// checkpoints too.
type store struct {
	Pieces []*storePiece
	open   int      // the piece that is added to, if it is not full
	where  []uint64 // of each relation: number of the piece, its place and its size, 32, 16 and 16 bits
	ends   []byte   // two vertices of each
}

// storePiece is a part of a store.
type storePiece struct {
	Log    []byte
	Full   bool
	Number int // in the machine's checkpoints; -1: in none yet
	Saved  int // bytes that were there when it was last cut
}

// PieceSize bounds a piece of a store in bytes. Checking and adding that many takes
// some 3 ms.
const PieceSize = 1<<16 - 1

// count returns how many relations there are.
func (l *store) count() int { return len(l.where) }

// bytes returns the size of all entries.
func (l *store) bytes() (size int) {
	for _, p := range l.Pieces {
		size += len(p.Log)
	}
	return size
}

// room returns the piece that has room for an entry of that size, a new one if need
// be.
func (l *store) room(size int) int {
	if l.open >= len(l.Pieces) || l.Pieces[l.open].Full || len(l.Pieces[l.open].Log)+size > PieceSize {
		if l.open < len(l.Pieces) {
			l.Pieces[l.open].Full = true
		}
		l.open = len(l.Pieces)
		l.Pieces = append(l.Pieces, &storePiece{Number: -1})
	}
	return l.open
}

// addTo appends the entry of a relation between two vertices to a piece.
func (l *store) addTo(at int, entry []byte, u, v uint32) {
	p := l.Pieces[at]
	l.where = append(l.where, uint64(at)<<32|uint64(len(p.Log))<<16|uint64(len(entry)))
	p.Log = append(p.Log, entry...)
	l.ends = binary.AppendUvarint(l.ends, uint64(u))
	l.ends = binary.AppendUvarint(l.ends, uint64(v))
}

// relation returns the bytes of relation i.
func (l *store) relation(i int) []byte {
	w := l.where[i]
	from := w >> 16 & 0xffff
	return l.Pieces[w>>32].Log[from : from+w&0xffff]
}

// entryOf appends the entry of a relation: the number of its a, the polynomial,
// the sign and the exponent of 2, and what the sieve found.
func entryOf(b []byte, number int, twos uint8, f *Relation) []byte {
	b = binary.AppendUvarint(b, uint64(number))
	b = binary.AppendUvarint(b, uint64(f.polynomial))
	b = append(b, twos)
	return f.append(b)
}

// readEntry reads what entryOf wrote; r is bad if it can not belong to base or if
// there is no such a.
func (f *Relation) readEntry(r *wire.Reader, base *Base, as [][]int) (number int, twos uint8) {
	a, poly := r.Uvarint(), r.Uvarint()
	twos = r.Byte()
	f.read(r, base)
	if r.Bad || a >= uint64(len(as)) || poly >= 1<<(len(as[a])-1) {
		r.Bad = true
		return 0, 0
	}
	f.polynomial = int(poly)
	return int(a), twos
}

// Load adds the relations in a log, each checked again, as piece number number.
func (h *Collection) Load(log *wire.Reader, number int) error {
	at := len(h.Pieces)
	p := &storePiece{Full: true, Number: number}
	h.Pieces = append(h.Pieces, p)
	var f Relation
	for len(log.B) > 0 {
		a, twos := f.readEntry(log, h.Base, h.coefficients)
		if log.Bad {
			return wire.ErrTurn
		}
		lead := h.coefficientOf(a)
		y := lead.l.Times(int64(f.position) - h.Base.half()).Add(lead.b(f.polynomial))
		if e, ok := h.check(y, lead, &f); !ok || e != twos {
			return wire.ErrTurn
		}
		c := h.entry(a, y, twos, &f)
		if h.Absent > 0 { // its share of the work is there again
			part := h.Owed / float64(h.Absent)
			h.Done, h.handed = h.Done+part, h.handed+part
			h.Owed, h.Absent = h.Owed-part, h.Absent-1
		}
		if h.seen.add(c.key) && len(p.Log)+len(c.log) <= PieceSize {
			h.keep(at, &c)
		}
	}
	p.Saved = len(p.Log)
	return nil
}
