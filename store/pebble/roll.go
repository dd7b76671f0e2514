package pebble

import "encoding/binary"

// jobKey names a job of the store: its caller and its sequence number.
type jobKey struct{ caller, seq uint64 }

// rollMaker builds a roll: the list of jobs that one group accepted, or
// finished. Jobs of one caller that follow one another cost two bytes each.
type rollMaker struct {
	b    []byte
	n    uint64
	last jobKey
}

func (m *rollMaker) reset() { m.b, m.n, m.last = m.b[:0], 0, jobKey{} }

func (m *rollMaker) add(p jobKey) {
	m.b = binary.AppendVarint(m.b, int64(p.caller-m.last.caller))
	m.b = binary.AppendVarint(m.b, int64(p.seq-m.last.seq))
	m.n++
	m.last = p
}

// append appends the roll's value without a seal: how many of its jobs are
// still stored, how many it lists, the list.
func (m *rollMaker) append(b []byte) []byte { return appendRoll(b, m.n, m.n, m.b) }

func appendRoll(b []byte, kept, n uint64, list []byte) []byte {
	b = binary.AppendUvarint(b, kept)
	b = binary.AppendUvarint(b, n)
	return append(b, list...)
}

// roll is a roll as it is stored.
type roll struct {
	kept  uint64
	keys  []jobKey
	list  []byte // as it is stored
	stamp        // of a roll of accepted jobs
}

// decodeAccepted returns the roll of accepted jobs stored under key.
func decodeAccepted(key, value []byte) (roll, error) {
	value, err := unseal(key, value)
	if err != nil {
		return roll{}, err
	}
	r := reader{b: value}
	at := readStamp(&r)
	out, err := readRoll(key, &r)
	out.stamp = at
	return out, err
}

// decodeRoll returns the roll of finished jobs stored under key.
func decodeRoll(key, value []byte) (roll, error) {
	value, err := unseal(key, value)
	if err != nil {
		return roll{}, err
	}
	return readRoll(key, &reader{b: value})
}

func readRoll(key []byte, r *reader) (roll, error) {
	out := roll{kept: r.uvarint()}
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		return roll{}, damaged(key, "the roll has an unknown form")
	}
	out.list = append(out.list, r.b...)
	out.keys = make([]jobKey, n)
	var p jobKey
	for i := range out.keys {
		p.caller += uint64(r.varint())
		p.seq += uint64(r.varint())
		out.keys[i] = p
	}
	if r.bad || len(r.b) != 0 {
		return roll{}, damaged(key, "the roll has an unknown form")
	}
	return out, nil
}
