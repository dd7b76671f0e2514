// Package journal is what a group of changes did to jobs, in about two bytes for each:
// what the events of a store are made from. It does not know where that is kept.
//
// Start reading at [Maker.Add].
package journal

import (
	"encoding/binary"

	"fairfactor"
)

// Entry is that a job reached a state: pending, when it was accepted or queued again,
// or a final one.
type Entry struct {
	Caller, Seq uint64
	State       fairfactor.State
}

// Maker writes the entries of one group. The zero value is ready.
type Maker struct {
	b    []byte
	n    int
	last Entry
}

// Reset forgets the entries, and what [Maker.Bytes] returned is not valid any more.
func (m *Maker) Reset() { m.b, m.n, m.last = m.b[:0], 0, Entry{} }

// Len is the number of entries.
func (m *Maker) Len() int { return m.n }

// Bytes are the entries.
func (m *Maker) Bytes() []byte { return m.b }

// stateBits are those of a state in an entry: 0 is pending, the others are how far the
// state is above running.
const stateBits = 2

// Add adds what a change that took effect did to its job.
func (m *Maker) Add(ch *fairfactor.Change) {
	switch ch.Op {
	case fairfactor.Accept, fairfactor.Requeue:
		m.add(ch.Job, fairfactor.Pending)
	case fairfactor.AcceptEnded:
		m.add(ch.Job, fairfactor.Pending)
		m.add(ch.Job, ch.Job.State)
	case fairfactor.Finish:
		m.add(ch.Job, ch.Job.State)
	}
}

func (m *Maker) add(j *fairfactor.Job, state fairfactor.State) {
	bits := uint64(0)
	if state.Final() {
		bits = uint64(state - fairfactor.Running)
	}
	m.b = binary.AppendUvarint(m.b, zigzag(int64(j.ID.Caller-m.last.Caller))<<stateBits|bits)
	m.b = binary.AppendVarint(m.b, int64(j.ID.Seq-m.last.Seq))
	m.last = Entry{j.ID.Caller, j.ID.Seq, state}
	m.n++
}

func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

// Read calls f with each entry, and its place among them, until f returns false. It
// reports whether the bytes are such as a [Maker] wrote.
func Read(b []byte, f func(i int, e Entry) bool) bool {
	var e Entry
	for i := 0; len(b) > 0; i++ {
		head, n := binary.Uvarint(b)
		if n <= 0 {
			return false
		}
		seq, k := binary.Varint(b[n:])
		if k <= 0 {
			return false
		}
		b = b[n+k:]
		caller := head >> stateBits
		e.Caller += caller>>1 ^ -(caller & 1)
		e.Seq += uint64(seq)
		if e.State = fairfactor.Pending; head&(1<<stateBits-1) != 0 {
			e.State = fairfactor.Running + fairfactor.State(head&(1<<stateBits-1))
		}
		if !f(i, e) {
			return true
		}
	}
	return true
}
