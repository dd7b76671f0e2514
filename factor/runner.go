package factor

import (
	"fmt"
	"math/big"
)

// ErrStopped says that a turn was given up because its caller asked for it.
var ErrStopped = errStopped

// Runner runs turns on one compute thread. It keeps tables between turns, at most
// about 100 megabytes, and few unless numbers above 70 digits are sieved. It is not
// safe for concurrent use.
type Runner struct {
	parts   []part  // of the number at hand, ascending
	by      Methods // what found them
	shallow bool    // grade and take roots only, look for no factors
	proving bool    // a proof is under way: primes that need one stay probable
	poller  poller
	ecm     *ecmRunner
	qs      quadratic
	siqs    *siqsRunner
	prover  *prover
}

// NewRunner returns a Runner with empty tables.
func NewRunner() *Runner {
	r := &Runner{parts: make([]part, 0, 16)}
	r.ecm = &ecmRunner{poller: &r.poller}
	r.siqs = newSiqsRunner(&r.poller, r.split64)
	r.prover = &prover{poller: &r.poller, ecm: r.ecm, divider: inProof{r}}
	return r
}

// Run executes a turn. It calls stop, which may be nil, at least every 5 ms of
// CPU or so and returns [ErrStopped] once it reports true. A damaged payload is
// [ErrTurn]. Every prime in the result has been tested, and proven if it is of at
// most 128 bits, and the parts have been multiplied out. The same turn always gives
// the same result; processors without AVX-512 may name another method for the same
// primes.
func (r *Runner) Run(t Turn, stop func() bool) (Result, error) {
	r.poller.start(stop)
	data, err := r.run(t.Payload)
	if r.poller.stopped() {
		err = ErrStopped
	}
	if err != nil {
		return Result{}, fmt.Errorf("factor: run turn %d: %w", t.ID, err)
	}
	return Result{ID: t.ID, Data: data}, nil
}

// run dispatches on the kind of payload.
func (r *Runner) run(payload []byte) ([]byte, error) {
	if len(payload) < 3 || payload[0] != version || len(payload) > 3*maxBytes && payload[1] < kindSolve {
		return nil, ErrTurn
	}
	switch payload[1] {
	case kindSplit:
		digits := payload[2:]
		if digits[0] == 0 || len(digits) > maxBytes {
			return nil, ErrTurn
		}
		return r.runSplit(digits)
	case kindProve:
		return r.runProve(payload[2:])
	case kindCurves:
		c, err := decodeCurves(payload)
		if err != nil {
			return nil, err
		}
		return r.runCurves(c)
	}
	return r.siqs.run(payload)
}

// runCurves runs a turn of curves.
func (r *Runner) runCurves(c *curves) ([]byte, error) {
	r.parts, r.by = r.parts[:0], 0
	n := new(big.Int).SetBytes(c.n)
	d, x := r.ecm.run(n, c)
	if r.poller.stopped() {
		return nil, ErrStopped
	}
	switch {
	case d != nil:
		r.by |= ByCurves
		r.shallow = true
		r.finishBig(d, 1)
		r.finishBig(new(big.Int).Quo(n, d), 1)
		r.shallow = false
		if r.poller.stopped() {
			return nil, ErrStopped
		}
		return r.encodeBig(n)
	case x != nil && c.hi != 0 && c.to == 0:
		return appendBlob([]byte{version, foundPoint}, x.Bytes()), nil
	}
	return []byte{version, foundNothing}, nil
}

// runSplit runs the quick methods on the number with the given bytes.
func (r *Runner) runSplit(digits []byte) ([]byte, error) {
	r.parts, r.by = r.parts[:0], 0
	if len(digits) <= 16 {
		n := wideOf(digits)
		r.splitWide(n)
		if r.poller.stopped() {
			return nil, ErrStopped
		}
		r.dropMethods()
		return r.encodeWide(n)
	}
	n := new(big.Int).SetBytes(digits)
	r.splitBig(n)
	if r.poller.stopped() {
		return nil, ErrStopped
	}
	r.dropMethods()
	return r.encodeBig(n)
}

// dropMethods forgets the methods if the number is in one piece still: then what
// trial division found is the number itself.
func (r *Runner) dropMethods() {
	if len(r.parts) == 1 && r.parts[0].exp == 1 {
		r.by = 0
	}
}

// encodeWide multiplies the parts out and encodes them.
func (r *Runner) encodeWide(n wide) ([]byte, error) {
	prod, ok := wide{0, 1}, true
	for i := range r.parts {
		for range r.parts[i].exp {
			if prod, ok = prod.mul(r.parts[i].w); !ok {
				return nil, ErrProduct
			}
		}
	}
	if prod != n {
		return nil, ErrProduct
	}
	return encodeParts(r.parts, r.by), nil
}

// encodeBig multiplies the parts out and encodes them.
func (r *Runner) encodeBig(n *big.Int) ([]byte, error) {
	if !multipliesTo(r.parts, n) {
		return nil, ErrProduct
	}
	return encodeParts(r.parts, r.by), nil
}
