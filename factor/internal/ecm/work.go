package ecm

import (
	"encoding/binary"
	"slices"

	"fairfactor/factor/internal/fft"
	"fairfactor/factor/internal/wire"
)

// Work is the work of a turn of elliptic curves on the odd composite n: whole
// curves first to first+count-1 if the stage 1 range starts at 0 and nothing is
// left out, or a piece of the one curve first.
type Work struct {
	N            []byte // most significant byte first, no leading zeros
	Seed         uint64 // chooses the family of curves
	First, Count uint64 // numbers of the curves
	B1           uint64 // stage 1 bound
	Lo, Hi       uint64 // stage 1 covers the primes p, lo <= p < hi; hi = 0: none
	From, To     uint64 // stage 2 covers the primes p, from <= p < to; to = 0: none
	Step         uint64 // giant step of stage 2
	X            []byte // x-coordinate reached, if the curve is under way
}

// Bounds of what a turn of curves may ask for; far above what a Machine makes.
const (
	maxCurves = 1 << 12
	maxBound  = 1 << 40
	maxSpan   = 1 << 32 // widest range of primes of one turn

	maxMeeting = 96 << 20 // bytes of stage 2 with polynomials
)

// Encode returns the payload of c.
func (c *Work) Encode() []byte {
	p := make([]byte, 0, 80+len(c.N)+len(c.X))
	p = append(p, wire.Version, wire.KindCurves)
	for _, v := range [...]uint64{c.Seed, c.First, c.Count, c.B1, c.Lo, c.Hi, c.From, c.To, c.Step} {
		p = binary.AppendUvarint(p, v)
	}
	p = wire.AppendBlob(p, c.N)
	return wire.AppendBlob(p, c.X)
}

// DecodeWork reads what encode wrote.
func DecodeWork(p []byte) (*Work, error) {
	if len(p) < 2 || p[0] != wire.Version || p[1] != wire.KindCurves {
		return nil, wire.ErrTurn
	}
	r := wire.Reader{B: p[2:]}
	c := new(Work)
	for _, v := range [...]*uint64{&c.Seed, &c.First, &c.Count, &c.B1, &c.Lo, &c.Hi, &c.From, &c.To, &c.Step} {
		*v = r.Uvarint()
	}
	c.N, c.X = r.Blob(wire.MaxBytes), r.Blob(wire.MaxBytes)
	if r.Bad || len(r.B) != 0 || !c.valid() {
		return nil, wire.ErrTurn
	}
	return c, nil
}

// validStep reports whether the giant step is one that there is, and covers the primes of
// stage 2 if it does so at once, in memory that is bounded.
func (c *Work) validStep() bool {
	s := polyStepOf(c.Step)
	if s == nil {
		return slices.Contains(giantSteps[:], c.Step)
	}
	return 2*c.From >= s.D && c.To <= s.end(c.From) && fft.MeetBytes(s.points, (len(c.N)+7)/8, 8*len(c.N)) <= maxMeeting
}

// valid reports whether c is work that can be done in bounded memory.
func (c *Work) valid() bool {
	switch {
	case len(c.N) == 0 || c.N[0] == 0 || c.N[len(c.N)-1]&1 == 0 || len(c.N) == 1 && c.N[0] < 5:
		return false
	case c.Count == 0 || c.Count > maxCurves || c.First > 1<<62:
		return false
	case c.B1 < 2 || c.B1 > maxBound || c.Hi > c.B1+1 || c.To > maxBound:
		return false
	case c.Hi != 0 && (c.Hi <= c.Lo || c.Hi-c.Lo > maxSpan):
		return false
	case c.To != 0 && (c.To <= c.From || c.To-c.From > maxSpan):
		return false
	case c.Hi == 0 && c.To == 0:
		return false
	case c.To != 0 && !c.validStep():
		return false
	}
	whole := c.Hi != 0 && c.Lo == 0
	if whole != (len(c.X) == 0) || !whole && c.Count != 1 {
		return false
	}
	return len(c.X) <= len(c.N)
}
