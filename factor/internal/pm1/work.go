package pm1

import (
	"encoding/binary"
	"math"
	"time"

	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// Work is a piece of the search for one factor of N.
type Work struct {
	N        []byte // the number, most significant byte first
	Method   Method
	B1       uint64 // bound of prime powers in stage 1
	Lo, Hi   uint64 // stage 1 with the primes Lo <= p < Hi; Hi 0: none
	From, To uint64 // stage 2 with the primes From <= p < To; To 0: none
	X        []byte // the residue reached; empty at the start
}

// Method is p-1, or p+1 with one of two sequences: each finds p for half of all primes.
type Method byte

// The methods.
const (
	Minus   Method = iota
	Plus           // p+1 for p = 2 modulo 3
	Plus4          // p+1 for p = 3 modulo 4
	Methods        // how many there are
)

// String returns the name of the method, p-1 or p+1.
func (m Method) String() string {
	if m == Minus {
		return "p-1"
	}
	return "p+1"
}

// Bounds are how far both stages go.
type Bounds struct{ B1, B2 uint64 }

// ratio is B2 as a multiple of B1: both stages then take about the same time.
const ratio = 30

// least is the smallest B1 that is worth a start.
const least = 64

// Plan returns the bounds that fill a budget in nanoseconds modulo a number of that many
// words, zero if it is too small for any.
func Plan(m Method, words int, budget float64) Bounds {
	b1 := uint64(budget / nanosPerB1(m, words))
	if b1 < least {
		return Bounds{}
	}
	return BoundsOf(min(b1, 1<<32))
}

// BoundsOf returns the bounds with that B1.
func BoundsOf(b1 uint64) Bounds { return Bounds{b1, ratio * b1} }

// nanosPerB1 is about the time of both stages for each unit of B1.
func nanosPerB1(m Method, words int) float64 {
	return stage1Nanos(m, words) + ratio*stage2Muls(1e5)*mulNanos(words)
}

// mostWords is the size up to which numbers are multiplied by MontN, above by math/big,
// which has assembly, as far as it goes.
const mostWords = 16

// mulNanos is the time of one multiplication modulo a number of k words by MontN, in
// nanoseconds (Zen 4, Go 1.26).
func mulNanos(k int) float64 { return 10 + 1.9*float64(k)*float64(k) }

// stage1Nanos is the time of stage 1 for each unit of the range of primes: log2(e) bits.
func stage1Nanos(m Method, k int) float64 {
	const bitsPerUnit = 1.4427
	switch {
	case m != Minus:
		return bitsPerUnit * 2 * mulNanos(k)
	case k > mostWords:
		return bitsPerUnit * 1.25 * 1.05 * float64(k) * float64(k)
	}
	return bitsPerUnit * 1.2 * mulNanos(k)
}

// stage2Muls is the multiplications of stage 2 for each unit of a range of primes about q.
func stage2Muls(q float64) float64 { return 0.85 / math.Log(q) }

// Nanos is the predicted time of w modulo k words.
func (w *Work) Nanos(k int) time.Duration {
	nanos := 5000.0
	if w.Hi != 0 {
		nanos += stage1Nanos(w.Method, k) * float64(w.Hi-w.Lo)
	}
	if w.To != 0 {
		d := stepFor(w.From, w.To)
		nanos += mulNanos(k) * (float64(d)/4 + float64(w.To-w.From)*(1/float64(d)+stage2Muls(float64(w.To))))
	}
	return time.Duration(nanos)
}

// Stage1Span is the width of a range of primes that fills a turn modulo k words.
func Stage1Span(m Method, k int) uint64 {
	return uint64(max(4, stop.TurnNanos/stage1Nanos(m, k)))
}

// Stage2Span is the width of a range of primes about q that fills a turn modulo k words.
func Stage2Span(q uint64, k int) uint64 {
	const setup = 0.2 // of a turn
	return uint64(max(1<<10, (1-setup)*stop.TurnNanos/(mulNanos(k)*(stage2Muls(float64(q))+1e-3))))
}

// Whole is the work of both stages at once with these bounds.
func (b Bounds) Whole(n []byte, m Method) Work {
	return Work{N: n, Method: m, B1: b.B1, Hi: b.B1 + 1, From: b.B1 + 1, To: b.B2}
}

// Encode returns the payload.
func (w *Work) Encode() []byte {
	b := []byte{wire.Version, wire.KindSmooth, byte(w.Method)}
	for _, v := range [...]uint64{w.B1, w.Lo, w.Hi, w.From, w.To} {
		b = binary.AppendUvarint(b, v)
	}
	b = wire.AppendBlob(b, w.N)
	return wire.AppendBlob(b, w.X)
}

// maxBound bounds the bounds of work that comes from elsewhere, and maxSpan the ranges.
const (
	maxBound = 1 << 40
	maxSpan  = 1 << 32
)

// DecodeWork reads what Encode wrote.
func DecodeWork(payload []byte) (*Work, error) {
	r := wire.Reader{B: payload[2:]}
	w := &Work{Method: Method(r.Byte()), B1: r.Uvarint(), Lo: r.Uvarint(), Hi: r.Uvarint(), From: r.Uvarint(), To: r.Uvarint()}
	w.N, w.X = r.Blob(wire.MaxBytes), r.Blob(wire.MaxBytes)
	switch {
	case r.Bad || len(r.B) != 0 || w.Method >= Methods,
		len(w.N) < 8 || w.N[0] == 0 || w.N[len(w.N)-1]&1 == 0,
		w.B1 > maxBound || w.Hi > maxBound || w.To > maxBound,
		w.Hi == 0 && w.To == 0,
		w.Hi != 0 && (w.Lo >= w.Hi || w.Hi-w.Lo > maxSpan || w.Hi > w.B1+1),
		w.To != 0 && (w.From >= w.To || w.To-w.From > maxSpan || w.From <= w.B1 || w.From < least),
		(len(w.X) == 0) != (w.Hi != 0 && w.Lo == 0):
		return nil, wire.ErrTurn
	}
	return w, nil
}
