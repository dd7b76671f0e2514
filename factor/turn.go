package factor

import (
	"encoding/binary"
	"errors"
	"math/big"
	"slices"
	"time"
)

// Turn is one bounded piece of work, 20 ms of CPU as a rule and at most about
// 100 ms, that any [Runner] anywhere can do.
type Turn struct {
	// ID is unique within the number's [Machine], ascending from 0.
	ID uint64
	// Payload is all that Run needs. It is opaque and self-contained.
	Payload []byte
	// Predict is the CPU that the turn will probably take.
	Predict time.Duration
}

// Result is what running a turn gave.
type Result struct {
	ID uint64
	// Data is opaque; [Decode] and [Machine.Apply] read it.
	Data []byte
}

// ErrTurn says that a payload or a result is damaged or of another version.
var ErrTurn = errors.New("factor: damaged turn or result")

// The first byte of payloads, results and checkpoints. A change of the layout
// changes the version, so that a cluster of mixed nodes refuses what it cannot
// read.
const version = 2

// Kinds of payloads, the second byte.
const (
	kindSplit   = 1  // the quick methods on one number
	kindCurves  = 2  // elliptic curves on one composite
	kindSieve   = 3  // polynomials of the quadratic sieve
	kindSolve   = 4  // linear algebra, some steps of it
	kindFinish  = 5  // all that follows the sieve
	kindCycles  = 6  // combinations of relations
	kindColumns = 7  // columns of the matrix
	kindFilter  = 8  // the matrix, pruned
	kindRoot    = 9  // the root of a square
	kindProve   = 10 // a proof of primality
)

// maxBytes bounds a number in a payload or result: 65,536 bits, 19,728 digits.
const maxBytes = 1 << 13

// First returns the first turn of n: trial division, perfect powers,
// primality, and the quick methods up to about 30 digits, where it answers
// almost everything. n is in canonical decimal digits; anything else gives a
// turn that fails. First is what [Machine.Next] hands out first for n.
func First(n string) Turn {
	t := Turn{Predict: Predict(len(n))}
	if w, ok := parseWide(n); ok {
		p := make([]byte, 2, 2+16)
		p[0], p[1] = version, kindSplit
		t.Payload = w.appendBytes(p)
		return t
	}
	if b, ok := parseBig(n); ok {
		t.Payload = splitPayload(b)
	}
	return t
}

// splitPayload is the payload of the quick methods on n.
func splitPayload(n *big.Int) []byte {
	return append([]byte{version, kindSplit}, n.Bytes()...)
}

// curves is the work of a turn of elliptic curves on the odd composite n: whole
// curves first to first+count-1 if the stage 1 range starts at 0 and nothing is
// left out, or a piece of the one curve first.
type curves struct {
	n            []byte // most significant byte first, no leading zeros
	seed         uint64 // chooses the family of curves
	first, count uint64 // numbers of the curves
	b1           uint64 // stage 1 bound
	lo, hi       uint64 // stage 1 covers the primes p, lo <= p < hi; hi = 0: none
	from, to     uint64 // stage 2 covers the primes p, from <= p < to; to = 0: none
	step         uint64 // giant step of stage 2
	x            []byte // x-coordinate reached, if the curve is under way
}

// Bounds of what a turn of curves may ask for; far above what a Machine makes.
const (
	maxCurves = 1 << 12
	maxBound  = 1 << 40
	maxSpan   = 1 << 32 // widest range of primes of one turn
)

// encode returns the payload of c.
func (c *curves) encode() []byte {
	p := make([]byte, 0, 80+len(c.n)+len(c.x))
	p = append(p, version, kindCurves)
	for _, v := range [...]uint64{c.seed, c.first, c.count, c.b1, c.lo, c.hi, c.from, c.to, c.step} {
		p = binary.AppendUvarint(p, v)
	}
	p = appendBlob(p, c.n)
	return appendBlob(p, c.x)
}

// decodeCurves reads what encode wrote.
func decodeCurves(p []byte) (*curves, error) {
	if len(p) < 2 || p[0] != version || p[1] != kindCurves {
		return nil, ErrTurn
	}
	r := reader{b: p[2:]}
	c := new(curves)
	for _, v := range [...]*uint64{&c.seed, &c.first, &c.count, &c.b1, &c.lo, &c.hi, &c.from, &c.to, &c.step} {
		*v = r.uvarint()
	}
	c.n, c.x = r.blob(maxBytes), r.blob(maxBytes)
	if r.bad || len(r.b) != 0 || !c.valid() {
		return nil, ErrTurn
	}
	return c, nil
}

// valid reports whether c is work that can be done in bounded memory.
func (c *curves) valid() bool {
	switch {
	case len(c.n) == 0 || c.n[0] == 0 || c.n[len(c.n)-1]&1 == 0 || len(c.n) == 1 && c.n[0] < 5:
		return false
	case c.count == 0 || c.count > maxCurves || c.first > 1<<62:
		return false
	case c.b1 < 2 || c.b1 > maxBound || c.hi > c.b1+1 || c.to > maxBound:
		return false
	case c.hi != 0 && (c.hi <= c.lo || c.hi-c.lo > maxSpan):
		return false
	case c.to != 0 && (c.to <= c.from || c.to-c.from > maxSpan):
		return false
	case c.hi == 0 && c.to == 0:
		return false
	case c.to != 0 && !slices.Contains(giantSteps[:], c.step):
		return false
	}
	whole := c.hi != 0 && c.lo == 0
	if whole != (len(c.x) == 0) || !whole && c.count != 1 {
		return false
	}
	return len(c.x) <= len(c.n)
}

// appendBlob appends the length of b and b.
func appendBlob(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// reader takes values off the front of b; once something is missing it is bad
// for good and gives zeros.
type reader struct {
	b    []byte
	bad  bool
	poll func() bool // of long input: asked now and then whether to give up; nil: never
}

// stopped asks poll; the reader is bad once it reports true.
func (r *reader) stopped() bool {
	if r.poll != nil && r.poll() {
		r.bad = true
	}
	return r.bad
}

func (r *reader) uvarint() uint64 {
	v, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[k:]
	return v
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// blob returns a slice of the input of at most most bytes.
func (r *reader) blob(most int) []byte {
	k := r.uvarint()
	if k > uint64(most) || k > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:k]
	r.b = r.b[k:]
	return v
}
