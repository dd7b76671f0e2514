package factor

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/big"
	"slices"

	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/pm1"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// Checkpoint returns the state of the machine without its open turns, which are
// lost when it is restored, and without what is in the given number of pieces that
// go with it: see [Machine.Cut]. It starts with a version, ends with a check sum and
// takes some 30 KB at 100 digits.
func (m *Machine) Checkpoint(pieces int) []byte {
	b := []byte{wire.Version, withRecords}
	if m.begun {
		b[1] |= hasBegun
	}
	b = binary.AppendUvarint(b, m.next)
	b = binary.AppendUvarint(b, m.applied)
	b = binary.AppendUvarint(b, uint64(pieces))
	b = wire.AppendBlob(b, encodeParts(m.parts, m.methods))
	b = binary.AppendUvarint(b, uint64(len(m.rest)))
	for _, c := range m.rest {
		b = c.appendState(b, m.underWay(c))
	}
	b = appendRecord(b, m.record.done)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// Bits of the second byte of a checkpoint.
const (
	hasBegun    = 1 << iota // the first result has been applied
	withRecords             // it has the curves that were run; earlier ones do not
	flags       = iota
)

// underWay returns the cut-up curves of c, those in open turns included, by
// number.
func (m *Machine) underWay(c *cofactor) []*curve {
	all := slices.Clone(c.under)
	for _, o := range m.open {
		if o.of == c && o.curve != nil {
			all = append(all, o.curve)
		}
	}
	slices.SortFunc(all, func(a, b *curve) int { return int(a.number) - int(b.number) })
	return all
}

// appendState appends the state of c.
func (c *cofactor) appendState(b []byte, under []*curve) []byte {
	b = wire.AppendBlob(b, c.bytes)
	fresh := uint64(0)
	if c.fresh {
		fresh = 1
	}
	for _, v := range [...]uint64{uint64(c.exp), fresh, c.turns, uint64(c.level)} {
		b = binary.AppendUvarint(b, v)
	}
	b = appendRecord(b, c.record.done)
	b = binary.AppendUvarint(b, c.number)
	b = binary.AppendUvarint(b, uint64(min(c.done, 1<<62)))
	b = binary.AppendUvarint(b, uint64(len(under)))
	for _, v := range under {
		for _, w := range [...]uint64{v.number, uint64(v.level), v.at, v.from} {
			b = binary.AppendUvarint(b, w)
		}
		b = wire.AppendBlob(b, v.x)
	}
	switch {
	case c.sieveless:
		return append(b, noSieve)
	case c.collection == nil:
		return append(b, beforeSieve)
	}
	if n := c.collection.Solving(); n > 0 {
		return c.collection.AppendState(binary.AppendUvarint(append(b, inAlgebra), uint64(n)))
	}
	return c.collection.AppendState(append(b, inSieve))
}

// Where a cofactor is with its sieve.
const (
	beforeSieve = iota
	inSieve
	noSieve // it has failed
	inAlgebra
)

// Restore returns the machine of n as [Machine.Checkpoint] wrote it, with no
// open turns. [Machine.Missing] says which pieces it still lacks. A checkpoint
// that is damaged, of another version or of another number is an error.
func Restore(n string, checkpoint []byte) (*Machine, error) {
	m, err := New(n)
	if err == nil {
		err = m.restore(checkpoint)
	}
	if err != nil {
		return nil, fmt.Errorf("factor: restore: %w", err)
	}
	return m, nil
}

func (m *Machine) restore(b []byte) error {
	if len(b) < 8 || b[0] != wire.Version || b[1]>>flags != 0 ||
		crc32.ChecksumIEEE(b[:len(b)-4]) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return ErrTurn
	}
	r := wire.Reader{B: b[2 : len(b)-4]}
	m.begun = b[1]&hasBegun != 0
	records := b[1]&withRecords != 0
	m.next, m.applied = r.Uvarint(), r.Uvarint()
	pieces := r.Uvarint()
	if r.Bad || pieces > maxPieces {
		return ErrTurn
	}
	m.saves, m.missing = make([]savedPiece, pieces), int(pieces)
	found := Result{Data: r.Blob(len(b))}
	parts, err := decodeParts(found.Data)
	if err != nil {
		return err
	}
	m.parts, m.methods = parts, found.Methods()
	all := slices.Clone(parts)
	for range min(r.Uvarint(), uint64(len(b))) {
		c := readCofactor(&r, records)
		if c == nil {
			return ErrTurn
		}
		m.rest = append(m.rest, c)
		all = append(all, partOf(c.n, c.exp, prime.Composite))
	}
	if records {
		m.record = readRecord(&r)
	}
	if r.Bad || len(r.B) != 0 {
		return ErrTurn
	}
	m.settle()
	if !m.begun {
		if len(all) != 0 {
			return ErrTurn
		}
		m.next = 0
		return nil
	}
	whole, _ := new(big.Int).SetString(m.n, 10)
	if !multipliesTo(all, whole) {
		return ErrProduct
	}
	return nil
}

// readCofactor reads what appendState wrote, nil if it is not sound. Before there were
// records it wrote how many curves of the level were handed out in place of one.
func readCofactor(r *wire.Reader, records bool) *cofactor {
	digits := r.Blob(wire.MaxBytes)
	if len(digits) == 0 || digits[0] == 0 || len(digits) == 1 && digits[0] < 4 {
		return nil
	}
	c := newCofactor(new(big.Int).SetBytes(digits), 0, false)
	exp, fresh := r.Uvarint(), r.Uvarint()
	c.turns = r.Uvarint()
	level := r.Uvarint()
	if level >= uint64(len(ecm.Levels)) {
		return nil
	}
	if records {
		c.record = readRecord(r)
	} else {
		c.record = oldRecord(int(level), r.Uvarint())
	}
	c.record.words = c.words
	c.number = r.Uvarint()
	c.done = float64(r.Uvarint())
	count := r.Uvarint()
	if r.Bad || exp == 0 || exp > 8*wire.MaxBytes || fresh > 1 ||
		c.number > 1<<61 || count > uint64(len(r.B)) {
		return nil
	}
	c.exp, c.fresh, c.level = int(exp), fresh == 1, int(level)
	for range count {
		v := &curve{number: r.Uvarint()}
		level := r.Uvarint()
		v.at, v.from = r.Uvarint(), r.Uvarint()
		v.x = slices.Clone(r.Blob(len(c.bytes)))
		if r.Bad || level >= uint64(len(ecm.Levels)) || !v.sound(&ecm.Levels[level]) {
			return nil
		}
		if v.level = int(level); v.from >= ecm.Levels[level].Second(c.words) { // of a machine that goes farther
			c.record.add(Curves{B1: ecm.Levels[level].B1, Count: 1})
			continue
		}
		c.record.out[level]++
		c.under = append(c.under, v)
	}
	c.handed = c.done
	c.searches = int(pm1.Methods) * c.level
	if c.number > 0 {
		c.searches += int(pm1.Methods) // p-1 and p+1 come before curves, and are not in a checkpoint
	}
	solving := uint64(0)
	switch r.Byte() {
	case beforeSieve:
	case inAlgebra:
		if solving = r.Uvarint(); solving == 0 {
			return nil
		}
		fallthrough
	case inSieve:
		c.collection = siqs.ReadCollection(r, c.n)
		if c.collection == nil || solving > 0 && !c.collection.ResumeSolving(solving) {
			return nil
		}
	case noSieve:
		c.sieveless = true
	default:
		return nil
	}
	return c
}

// sound reports whether v is at a place of the level where work is left.
func (v *curve) sound(l *ecm.Level) bool {
	started := len(v.x) > 0
	return v.number <= 1<<61 && v.at <= l.B1+1 && started == (v.at > 0) &&
		v.from > l.B1 && v.from < l.MostSecond()
}
