package factor

import (
	"errors"
	"fmt"
	"math/big"
)

// ErrStopped says that a turn was given up because its caller asked for it.
var ErrStopped = errors.New("factor: stopped")

// Runner runs turns on one compute thread. It keeps tables between turns, at most
// about 100 megabytes, and few unless numbers above 70 digits are sieved. It is not
// safe for concurrent use.
type Runner struct {
	parts   []part      // of the number at hand, ascending
	by      Methods     // what found them
	stop    func() bool // of the turn at hand, may be nil
	halted  bool        // stop has reported true
	shallow bool        // grade and take roots only, look for no factors
	proving bool        // a proof is under way: primes that need one stay probable
	tables  tables
	qs      quadratic
	sieves  []*siqs    // of the numbers sieved last, the last one first
	base    *siqsBase  // of the number whose relations were looked at last
	solved  *solved    // the matrix of the linear algebra that ran last
	points  []point128 // of stage 2
	eight   *eight
	prefix  []wide // products in normalise
}

// NewRunner returns a Runner with empty tables.
func NewRunner() *Runner {
	return &Runner{parts: make([]part, 0, 16)}
}

// Run executes a turn. It calls stop, which may be nil, at least every 5 ms of
// CPU or so and returns [ErrStopped] once it reports true. A damaged payload is
// [ErrTurn]. Every prime in the result has been tested, and proven if it is of at
// most 128 bits, and the parts have been multiplied out. The same turn always gives
// the same result; processors without AVX-512 may name another method for the same
// primes.
func (r *Runner) Run(t Turn, stop func() bool) (Result, error) {
	r.stop, r.halted = stop, false
	data, err := r.run(t.Payload)
	if r.halted {
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
	case kindSieve:
		w, err := decodeSieving(payload)
		if err != nil {
			return nil, err
		}
		return r.runSieve(w)
	case kindSolve:
		return r.runSolve(payload)
	case kindFinish:
		return r.runFinish(payload)
	case kindCycles:
		return r.runCycles(payload)
	case kindColumns:
		return r.runColumns(payload)
	case kindFilter:
		return r.runFilter(payload)
	case kindRoot:
		return r.runRoot(payload)
	}
	return nil, ErrTurn
}

// runSplit runs the quick methods on the number with the given bytes.
func (r *Runner) runSplit(digits []byte) ([]byte, error) {
	r.parts, r.by = r.parts[:0], 0
	if len(digits) <= 16 {
		n := wideOf(digits)
		r.splitWide(n)
		if r.halted {
			return nil, ErrStopped
		}
		r.dropMethods()
		return r.encodeWide(n)
	}
	n := new(big.Int).SetBytes(digits)
	r.splitBig(n)
	if r.halted {
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

// poll asks stop and reports whether to give up.
func (r *Runner) poll() bool {
	if !r.halted && r.stop != nil && r.stop() {
		r.halted = true
	}
	return r.halted
}
