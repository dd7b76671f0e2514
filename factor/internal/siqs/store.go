package siqs

import (
	"encoding/binary"
	"slices"

	"fairfactor/factor/internal/wire"
)

// store keeps the relations of a sieve as the bytes that describe them, some 30
// each, and their large primes as numbers of the graph's vertices. It grows by
// pieces, so that no addition has to copy what is there; they are the pieces of
// checkpoints too.
type store struct {
	pieces []*storePiece
	open   int      // the piece that is added to, if it is not full
	where  []uint64 // of each relation: number of the piece, its place and its size, 32, 16 and 16 bits
	ends   []byte   // two vertices of each
}

// storePiece is a part of a store.
type storePiece struct {
	log    []byte
	full   bool
	number int // in the machine's checkpoints; -1: in none yet
	saved  int // bytes that were there when it was last cut
}

// pieceSize bounds a piece of a store in bytes. Checking and adding that many takes
// some 3 ms.
const pieceSize = 1<<16 - 1

// count returns how many relations there are.
func (l *store) count() int { return len(l.where) }

// bytes returns the size of all entries.
func (l *store) bytes() (size int) {
	for _, p := range l.pieces {
		size += len(p.log)
	}
	return size
}

// room returns the piece that has room for an entry of that size, a new one if need
// be.
func (l *store) room(size int) int {
	if l.open >= len(l.pieces) || l.pieces[l.open].full || len(l.pieces[l.open].log)+size > pieceSize {
		if l.open < len(l.pieces) {
			l.pieces[l.open].full = true
		}
		l.open = len(l.pieces)
		l.pieces = append(l.pieces, &storePiece{number: -1})
	}
	return l.open
}

// addTo appends the entry of a relation between two vertices to a piece.
func (l *store) addTo(at int, entry []byte, u, v uint32) {
	p := l.pieces[at]
	l.where = append(l.where, uint64(at)<<32|uint64(len(p.log))<<16|uint64(len(entry)))
	p.log = append(p.log, entry...)
	l.ends = binary.AppendUvarint(l.ends, uint64(u))
	l.ends = binary.AppendUvarint(l.ends, uint64(v))
}

// relation returns the bytes of relation i.
func (l *store) relation(i int) []byte {
	w := l.where[i]
	from := w >> 16 & 0xffff
	return l.pieces[w>>32].log[from : from+w&0xffff]
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

// Pieces of checkpoints: a machine numbers them over all its collections, writes them
// out, and hands them back after a restart.

// CutPieces closes the pieces that go with a checkpoint that is taken now. It asks
// number for the number of each new piece, until that reports false, and returns the
// lowest number of those that are new or have grown, or first if that is lower.
func (h *Collection) CutPieces(first int, number func(at int) (n int, ok bool)) int {
	for at := h.cut; at < len(h.pieces); at++ {
		p := h.pieces[at]
		if p.number < 0 {
			n, ok := number(at)
			if !ok {
				break
			}
			p.number = n
		}
		if len(p.log) > p.saved {
			first = min(first, p.number)
			p.saved = len(p.log)
		}
		p.full = p.full || len(p.log) > pieceSize/2
	}
	for h.cut < len(h.pieces) && h.pieces[h.cut].full {
		h.cut++
	}
	return h.algebra.cutParts(first, number)
}

// AppendPiece appends piece at with the number and the multiplier that it belongs to. A
// negative one is a part of the linear algebra; nil if there is no more use for it.
func (h *Collection) AppendPiece(b []byte, at int) []byte {
	n := h.Base.N.Bytes()
	b = wire.AppendBlob(slices.Grow(b, pieceSize+len(n)+16), n)
	if at < 0 {
		return h.algebra.appendPart(binary.AppendUvarint(b, algebraPiece), -1-at)
	}
	b = binary.AppendUvarint(b, h.Base.K)
	return append(b, h.pieces[at].log...)
}

// algebraPiece is what a part of the linear algebra has in the place of the multiplier.
const algebraPiece = 0

// AllLoaded says that no piece will bring what is missing still.
func (h *Collection) AllLoaded() {
	h.owed, h.absent = 0, 0
	h.algebra.allLoaded(h.count())
}

// Wants reports whether a piece with that multiplier belongs to this collection.
func (h *Collection) Wants(k uint64) bool { return k == algebraPiece || k == h.Base.K }

// Load takes what AppendPiece wrote after the number and the multiplier k. It returns
// which piece that is here.
func (h *Collection) Load(r *wire.Reader, k uint64, number int) (at int, err error) {
	if k == algebraPiece {
		part, err := h.algebra.loadPart(r, number)
		return -1 - part, err
	}
	at = len(h.pieces)
	return at, h.loadRelations(r, number)
}

// loadRelations adds the relations in a log, each checked again, as piece number number.
func (h *Collection) loadRelations(log *wire.Reader, number int) error {
	at := len(h.pieces)
	p := &storePiece{full: true, number: number}
	h.pieces = append(h.pieces, p)
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
		if h.absent > 0 { // its share of the work is there again
			part := h.owed / float64(h.absent)
			h.done, h.handed = h.done+part, h.handed+part
			h.owed, h.absent = h.owed-part, h.absent-1
		}
		if h.seen.add(c.key) && len(p.log)+len(c.log) <= pieceSize {
			h.keep(at, &c)
		}
	}
	p.saved = len(p.log)
	return nil
}
