package factor

import (
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// littleBytes is what a turn without a sieve needs at most, in bytes: proofs and the quick
// methods; see TestLittleTurns. The second stage of a curve keeps up to 2,880 multiples of a
// point, of three residues each while it makes them.
const (
	littleBytes = 1 << 20
	curveBytes  = 3 * 2880 // for each byte of the number
)

// Memory estimates the bytes that the machine will hold at most, with the tables of a
// runner that works for it, before it is done: as far as it knows what it has to split.
// Before the sieve of a number begins, it is what that will take. Zero stands for a
// machine that needs little.
func (m *Machine) Memory() (bytes int64) {
	for _, c := range m.rest {
		if c.collection != nil || c.sieves() && !c.fresh {
			n := c.n.BitLen()
			bytes += siqs.HeldBytes(n) + siqs.SieveBytes(n)
		}
	}
	return bytes
}

// Sieves reports whether what [Machine.Next] hands out next may be a turn of the sieve, or
// of what follows it: from then on the machine grows to what [Machine.Memory] says.
func (m *Machine) Sieves() bool {
	for _, c := range m.rest {
		if c.collection != nil || !c.fresh && c.sieving() {
			return true
		}
	}
	return false
}

// Tables is what the runner keeps for turns to come, in bytes.
func (r *Runner) Tables() int64 { return r.siqs.Tables() + r.ecm.Tables() }

// Needs estimates what the runner holds while it runs a turn, in bytes: what it keeps, and
// what it has to make for this one.
func (r *Runner) Needs(payload []byte) int64 {
	if r.siqs.Knows(payload) {
		return littleBytes + r.Tables()
	}
	return r.Tables() + TurnMemory(payload) - r.ecm.Known(payload)
}

// TurnMemory estimates the bytes that a runner needs for a turn, with the tables that it
// keeps for the next one.
func TurnMemory(payload []byte) int64 {
	if len(payload) < 2 || payload[0] != wire.Version {
		return littleBytes
	}
	switch payload[1] {
	case wire.KindSieve, wire.KindSolve, wire.KindFinish, wire.KindCycles, wire.KindColumns, wire.KindFilter, wire.KindRoot:
		return littleBytes + siqs.TurnBytes(payload)
	case wire.KindCurves:
		return littleBytes + curveBytes*int64(len(payload)) + ecm.TurnBytes(payload)
	}
	return littleBytes
}
