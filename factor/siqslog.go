package factor

import "encoding/binary"

// ledger keeps the relations of a sieve as the bytes that describe them, some 30
// each, and their large primes as numbers of the graph's vertices. It grows by
// pieces, so that no addition has to copy what is there; they are the pieces of
// checkpoints too.
type ledger struct {
	pieces []*piece
	open   int      // the piece that is added to, if it is not full
	where  []uint64 // of each relation: number of the piece, its place and its size, 32, 16 and 16 bits
	ends   []byte   // two vertices of each
}

// piece is a part of a ledger.
type piece struct {
	log    []byte
	full   bool
	number int // in the machine's checkpoints; -1: in none yet
	saved  int // bytes that were there when it was last cut
}

// pieceSize bounds a piece of a ledger in bytes. Checking and adding that many takes
// some 3 ms.
const pieceSize = 1<<16 - 1

// count returns how many relations there are.
func (l *ledger) count() int { return len(l.where) }

// bytes returns the size of all entries.
func (l *ledger) bytes() (size int) {
	for _, p := range l.pieces {
		size += len(p.log)
	}
	return size
}

// room returns the piece that has room for an entry of that size, a new one if need
// be.
func (l *ledger) room(size int) int {
	if l.open >= len(l.pieces) || l.pieces[l.open].full || len(l.pieces[l.open].log)+size > pieceSize {
		if l.open < len(l.pieces) {
			l.pieces[l.open].full = true
		}
		l.open = len(l.pieces)
		l.pieces = append(l.pieces, &piece{number: -1})
	}
	return l.open
}

// addTo appends the entry of a relation between two vertices to a piece.
func (l *ledger) addTo(at int, entry []byte, u, v uint32) {
	p := l.pieces[at]
	l.where = append(l.where, uint64(at)<<32|uint64(len(p.log))<<16|uint64(len(entry)))
	p.log = append(p.log, entry...)
	l.ends = binary.AppendUvarint(l.ends, uint64(u))
	l.ends = binary.AppendUvarint(l.ends, uint64(v))
}

// relation returns the bytes of relation i.
func (l *ledger) relation(i int) []byte {
	w := l.where[i]
	from := w >> 16 & 0xffff
	return l.pieces[w>>32].log[from : from+w&0xffff]
}

// entryOf appends the entry of a relation: the number of its a, the polynomial,
// the sign and the exponent of 2, and what the sieve found.
func entryOf(b []byte, number int, twos uint8, f *found) []byte {
	b = binary.AppendUvarint(b, uint64(number))
	b = binary.AppendUvarint(b, uint64(f.poly))
	b = append(b, twos)
	return f.append(b)
}

// readEntry reads what entryOf wrote; r is bad if it can not belong to base or if
// there is no such a.
func (f *found) readEntry(r *reader, base *siqsBase, as [][]int) (number int, twos uint8) {
	a, poly := r.uvarint(), r.uvarint()
	twos = r.byte()
	f.read(r, base)
	if r.bad || a >= uint64(len(as)) || poly >= 1<<(len(as[a])-1) {
		r.bad = true
		return 0, 0
	}
	f.poly = int(poly)
	return int(a), twos
}

// load adds the relations in a log, each checked again, as piece number number.
func (h *harvest) load(log *reader, number int) error {
	at := len(h.pieces)
	p := &piece{full: true, number: number}
	h.pieces = append(h.pieces, p)
	var f found
	for len(log.b) > 0 {
		a, twos := f.readEntry(log, h.base, h.as)
		if log.bad {
			return ErrTurn
		}
		lead := h.leadingOf(a)
		y := lead.l.times(int64(f.pos) - h.base.half()).add(lead.b(f.poly))
		if e, ok := h.check(y, lead, &f); !ok || e != twos {
			return ErrTurn
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
