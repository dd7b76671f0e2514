package factor

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/big"
	"slices"
)

// Checkpoint returns the state of the machine without its open turns, which are
// lost when it is restored, and without what is in the given number of pieces that
// go with it: see [Machine.Cut]. It starts with a version, ends with a check sum and
// takes some 30 KB at 100 digits.
func (m *Machine) Checkpoint(pieces int) []byte {
	b := []byte{version, 0}
	if m.begun {
		b[1] = 1
	}
	b = binary.AppendUvarint(b, m.next)
	b = binary.AppendUvarint(b, m.applied)
	b = binary.AppendUvarint(b, uint64(pieces))
	b = appendBlob(b, encodeParts(m.parts, m.methods))
	b = binary.AppendUvarint(b, uint64(len(m.rest)))
	for _, c := range m.rest {
		b = c.appendState(b, m.underWay(c))
	}
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

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
	b = appendBlob(b, c.bytes)
	fresh := uint64(0)
	if c.fresh {
		fresh = 1
	}
	for _, v := range [...]uint64{uint64(c.exp), fresh, c.turns, uint64(c.level), c.given, c.number, uint64(c.done)} {
		b = binary.AppendUvarint(b, v)
	}
	b = binary.AppendUvarint(b, uint64(len(under)))
	for _, v := range under {
		for _, w := range [...]uint64{v.number, uint64(v.level), v.at, v.from} {
			b = binary.AppendUvarint(b, w)
		}
		b = appendBlob(b, v.x)
	}
	switch {
	case c.sieveless:
		return append(b, noSieve)
	case c.harvest == nil:
		return append(b, beforeSieve)
	}
	return c.harvest.appendState(append(b, inSieve))
}

// Where a cofactor is with its sieve.
const (
	beforeSieve = iota
	inSieve
	noSieve // it has failed
)

// Restore returns the machine of n as [Machine.Checkpoint] wrote it, with no
// open turns. [Machine.Missing] says which pieces it still lacks. A checkpoint that is damaged, of another version or of another
// number is an error.
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
	if len(b) < 8 || b[0] != version || b[1] > 1 ||
		crc32.ChecksumIEEE(b[:len(b)-4]) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return ErrTurn
	}
	r := reader{b: b[2 : len(b)-4]}
	m.begun = b[1] == 1
	m.next, m.applied = r.uvarint(), r.uvarint()
	pieces := r.uvarint()
	if r.bad || pieces > maxPieces {
		return ErrTurn
	}
	m.saves, m.missing = make([]save, pieces), int(pieces)
	found := Result{Data: r.blob(len(b))}
	parts, err := decodeParts(found.Data)
	if err != nil {
		return err
	}
	m.parts, m.methods = parts, found.Methods()
	all := slices.Clone(parts)
	for range min(r.uvarint(), uint64(len(b))) {
		c := readCofactor(&r)
		if c == nil {
			return ErrTurn
		}
		m.rest = append(m.rest, c)
		all = append(all, partOf(c.n, c.exp, composite))
	}
	if r.bad || len(r.b) != 0 {
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

// readCofactor reads what appendState wrote, nil if it is not sound.
func readCofactor(r *reader) *cofactor {
	digits := r.blob(maxBytes)
	if len(digits) == 0 || digits[0] == 0 || len(digits) == 1 && digits[0] < 4 {
		return nil
	}
	c := newCofactor(new(big.Int).SetBytes(digits), 0, false)
	exp, fresh := r.uvarint(), r.uvarint()
	c.turns = r.uvarint()
	level := r.uvarint()
	c.given, c.number = r.uvarint(), r.uvarint()
	c.done = float64(r.uvarint())
	count := r.uvarint()
	if r.bad || exp == 0 || exp > 8*maxBytes || fresh > 1 || level >= uint64(len(levels)) ||
		c.number > 1<<61 || count > uint64(len(r.b)) {
		return nil
	}
	c.exp, c.fresh, c.level = int(exp), fresh == 1, int(level)
	for range count {
		v := &curve{number: r.uvarint()}
		level := r.uvarint()
		v.at, v.from = r.uvarint(), r.uvarint()
		v.x = slices.Clone(r.blob(len(c.bytes)))
		if r.bad || level >= uint64(len(levels)) || !v.sound(&levels[level]) {
			return nil
		}
		v.level = int(level)
		c.under = append(c.under, v)
	}
	c.handed = c.done
	switch r.byte() {
	case beforeSieve:
	case inSieve:
		c.harvest = readHarvest(r, c.n)
		if c.harvest == nil {
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
func (v *curve) sound(l *level) bool {
	started := len(v.x) > 0
	return v.number <= 1<<61 && v.at <= l.b1+1 && started == (v.at > 0) &&
		v.from > l.b1 && v.from < l.b2
}
