package factor

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/pm1"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/wire"
)

// Curves says that so many elliptic curves with a first bound were run on a number and
// found nothing, in all programs together.
type Curves = ecm.Curves

// Bounds of a record of curves.
const (
	MaxCurveBounds = 32  // different first bounds
	MinCurveB1     = 100 // a first bound
	MaxCurveB1     = 1_000_000_000_000
	MaxCurveCount  = 1_000_000_000 // curves with one of them
)

// record is the curves that were run on a cofactor, or on a multiple of it: what they
// did not find there is not in the cofactor either.
type record struct {
	words int                      // of the cofactor
	done  []Curves                 // ascending by B1
	worth [len(ecm.Levels)]float64 // that in curves of each level
	out   [len(ecm.Levels)]uint64  // curves of each level that are handed out
}

// clone returns the record as a cofactor's part inherits it.
func (r *record) clone() record { return record{done: slices.Clone(r.done), worth: r.worth} }

// add takes in curves that were run. A record that is full keeps those that it has.
func (r *record) add(c Curves) {
	i, found := slices.BinarySearchFunc(r.done, c.B1, func(d Curves, B1 uint64) int { return cmp.Compare(d.B1, B1) })
	switch {
	case c.Count == 0:
		return
	case found:
		c.Count = min(c.Count, math.MaxInt64-r.done[i].Count)
		r.done[i].Count += c.Count
	case len(r.done) >= MaxCurveBounds+len(ecm.Levels):
		return
	default:
		r.done = slices.Insert(r.done, i, c)
	}
	for level, w := range ecm.Worth(c.B1) {
		r.worth[level] += w * float64(c.Count)
	}
}

// goal is how many curves of a level there are to be.
func (r *record) goal(level int) uint64 { return ecm.Levels[level].Goal(r.words) }

// missing is how many curves of a level are still to be handed out.
func (r *record) missing(level int) uint64 {
	goal := r.goal(level)
	if goal == math.MaxUint64 {
		return goal
	}
	need := math.Ceil(float64(goal)-r.worth[level]-1e-6) - float64(r.out[level])
	return uint64(max(0, need))
}

// level is the first level, from the given one on, that has curves to hand out.
func (r *record) level(from int) int {
	for from+1 < len(ecm.Levels) && r.missing(from) == 0 {
		from++
	}
	return from
}

// least keeps of the record what other has too.
func least(a, b []Curves) (both []Curves) {
	for _, c := range a {
		if i := slices.IndexFunc(b, func(d Curves) bool { return d.B1 == c.B1 }); i >= 0 {
			both = append(both, Curves{B1: c.B1, Count: min(c.Count, b[i].Count)})
		}
	}
	return both
}

// Credit tells a machine of curves that were run on its number before; it has no effect
// after the first result. Those that are out of bounds are left out.
func (m *Machine) Credit(done []Curves) {
	if m.begun {
		return
	}
	m.record = record{}
	for _, c := range done {
		if c.B1 >= MinCurveB1 && c.B1 <= MaxCurveB1 {
			m.record.add(Curves{B1: c.B1, Count: min(c.Count, MaxCurveCount)})
		}
	}
}

// Curves returns how many curves were run on what is left of the number, here and
// elsewhere, by first bound, ascending: of several cofactors, what was run on each. When
// nothing is left, it is what was run before the last factor was found.
func (m *Machine) Curves() []Curves {
	if len(m.rest) == 0 {
		return slices.Clone(m.record.done)
	}
	done := slices.Clone(m.rest[0].record.done)
	for _, c := range m.rest[1:] {
		done = least(done, c.record.done)
	}
	return done
}

// inherit has a new cofactor begin where those are whose part it is. Curves that were run on
// the whole count as if they had been run on the part, whose sieve takes less time than that of
// the whole: what the whole has spent besides, on p-1 for its own sieve, is not the part's.
func (c *cofactor) inherit(from *record, searches int) {
	c.record = from.clone()
	c.record.words = c.words
	c.level = c.record.level(0)
	c.searches = searches
	c.done = c.credited()
	c.handed = c.done
}

// credited is what curves took that were run elsewhere or on a multiple, as if they had been run
// here.
func (c *cofactor) credited() (nanos float64) {
	for _, d := range c.record.done {
		level := 0
		for level+1 < len(ecm.Levels) && ecm.Levels[level+1].B1 <= d.B1 {
			level++
		}
		nanos += ecm.Levels[level].WholeNanos(c.words) * float64(d.Count) * float64(d.B1) / float64(ecm.Levels[level].B1)
	}
	return nanos
}

// begin has a cofactor of the first result begin where the credit ends. p-1 and p+1 are
// taken to have been tried with curves.
func (c *cofactor) begin(credit *record) {
	c.inherit(credit, 0)
	if c.level > 0 {
		c.searches = int(pm1.Methods) * c.level
	}
}

// appendRecord appends what readRecord reads.
func appendRecord(b []byte, done []Curves) []byte {
	b = binary.AppendUvarint(b, uint64(len(done)))
	for _, c := range done {
		b = binary.AppendUvarint(binary.AppendUvarint(b, c.B1), c.Count)
	}
	return b
}

// readRecord reads a record; one that is not sound makes the reader bad.
func readRecord(r *wire.Reader) (rec record) {
	count, last := r.Uvarint(), uint64(0)
	if count > MaxCurveBounds+uint64(len(ecm.Levels)) {
		r.Bad = true
		return rec
	}
	for range count {
		c := Curves{B1: r.Uvarint(), Count: r.Uvarint()}
		if r.Bad || c.B1 <= last || c.B1 < MinCurveB1 || c.B1 > MaxCurveB1 || c.Count == 0 || c.Count > math.MaxInt64 {
			r.Bad = true
			return rec
		}
		last = c.B1
		rec.add(c)
	}
	return rec
}

// oldRecord is the record of a cofactor in a checkpoint without records: all curves of the
// levels before the one it is at, and those that were handed out there.
func oldRecord(level int, given uint64) (rec record) {
	for i := range level {
		rec.add(Curves{B1: ecm.Levels[i].B1, Count: ecm.Levels[i].Curves})
	}
	rec.add(Curves{B1: ecm.Levels[level].B1, Count: min(given, MaxCurveCount)})
	return rec
}

// Divide tells a machine of divisors of its number, in decimal digits, prime or not; it has
// no effect after the first result. Those that do not divide the number do no harm.
func (m *Machine) Divide(divisors []string) {
	if m.begun {
		return
	}
	m.known = nil
	for _, text := range divisors {
		if d, ok := parseBig(text); ok {
			m.known = append(m.known, d)
		}
	}
}

// divide splits the cofactors by the divisors that are known. The turns of the quick
// methods tell which parts are prime.
func (m *Machine) divide() {
	known := m.known
	m.known = nil
	for _, d := range known {
		for _, c := range slices.Clone(m.rest) {
			g := new(big.Int).GCD(nil, nil, d, c.n)
			if g.Cmp(arith.One) == 0 || g.Cmp(c.n) == 0 {
				continue
			}
			m.remove(c)
			for _, v := range [...]*big.Int{g, new(big.Int).Quo(c.n, g)} {
				m.put(partOf(v, 1, prime.Composite), c.exp, true, c)
			}
		}
	}
}
