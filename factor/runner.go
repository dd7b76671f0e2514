package factor

import (
	"fmt"
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/ecpp"
	"fairfactor/factor/internal/forms"
	"fairfactor/factor/internal/pm1"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/qs"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// ErrStopped says that a turn was given up because its caller asked for it.
var ErrStopped = stop.ErrStopped

// Runner runs turns on one compute thread. It keeps tables between turns, at most
// about 100 megabytes, and few unless numbers above 70 digits are sieved. It is not
// safe for concurrent use.
type Runner struct {
	parts   []part  // of the number at hand, ascending
	slab    []byte  // that short results are cut from
	by      Methods // what found them
	shallow bool    // grade and take roots only, look for no factors
	proving bool    // a proof is under way: primes that need one stay probable
	trial   *trialTables
	poller  stop.Poller
	ecm     *ecm.Runner
	qs      qs.Sieve
	siqs    *siqs.Runner
	prover  *prime.Prover
	ecpp    ecpp.Prover
	forms   forms.Finder
	pm1     pm1.Runner
}

// NewRunner returns a Runner with empty tables.
func NewRunner() *Runner {
	r := &Runner{parts: make([]part, 0, 16), trial: newTrialTables()}
	r.forms, r.pm1 = forms.Finder{Poller: &r.poller}, pm1.Runner{Poller: &r.poller}
	r.ecpp = ecpp.Prover{Poller: &r.poller}
	r.ecm = &ecm.Runner{Poller: &r.poller}
	r.siqs = siqs.NewRunner(&r.poller, r.splitDouble)
	r.prover = &prime.Prover{Poller: &r.poller, Ecm: r.ecm, Divider: inProof{r}}
	return r
}

// Run executes a turn. It calls stop, which may be nil, at least every 5 ms of
// CPU or so and returns [ErrStopped] once it reports true. A damaged payload is
// [ErrTurn]. Every prime in the result has been tested, and proven if it is of at
// most 128 bits, and the parts have been multiplied out. The same turn always gives
// the same result; processors without AVX-512 may name another method for the same
// primes.
func (r *Runner) Run(t Turn, stop func() bool) (Result, error) {
	r.poller.Start(stop)
	data, err := r.run(t.Payload)
	if r.poller.Stopped() {
		err = ErrStopped
	}
	if err != nil {
		return Result{}, fmt.Errorf("factor: run turn %d: %w", t.ID, err)
	}
	return Result{ID: t.ID, Data: data}, nil
}

// RunFirst executes the first turn of n: it is [Runner.Run] of [First], without the
// turn in between.
func (r *Runner) RunFirst(n string, stop func() bool) (Result, error) {
	w, ok := arith.ParseUint128(n)
	if !ok || w.IsZero() {
		return r.Run(First(n), stop)
	}
	r.poller.Start(stop)
	data, err := r.runSplit128(w)
	if err != nil {
		return Result{}, fmt.Errorf("factor: run the first turn: %w", err)
	}
	return Result{Data: data}, nil
}

// run dispatches on the kind of payload.
func (r *Runner) run(payload []byte) ([]byte, error) {
	if len(payload) < 3 || payload[0] != wire.Version || len(payload) > 3*wire.MaxBytes && payload[1] < wire.KindSolve {
		return nil, ErrTurn
	}
	switch payload[1] {
	case wire.KindSplit:
		digits := payload[2:]
		if digits[0] == 0 || len(digits) > wire.MaxBytes {
			return nil, ErrTurn
		}
		return r.runSplit(digits)
	case wire.KindProve:
		return r.runProve(payload[2:])
	case wire.KindJacobi:
		return r.runPiece(payload[2:])
	case wire.KindSmooth:
		w, err := pm1.DecodeWork(payload)
		if err != nil {
			return nil, err
		}
		return r.runSmooth(w)
	case wire.KindCurves:
		c, err := ecm.DecodeWork(payload)
		if err != nil {
			return nil, err
		}
		return r.runCurves(c)
	}
	return r.siqs.Run(payload)
}

// runCurves runs a turn of curves.
func (r *Runner) runCurves(c *ecm.Work) ([]byte, error) {
	r.parts, r.by = r.parts[:0], 0
	n := new(big.Int).SetBytes(c.N)
	d, x := r.ecm.Run(n, c)
	if r.poller.Stopped() {
		return nil, ErrStopped
	}
	switch {
	case d != nil:
		r.by |= ByCurves
		return r.partsBy(n, d)
	case x != nil && c.Hi != 0 && c.To == 0:
		return wire.AppendBlob([]byte{wire.Version, wire.FoundPoint}, x.Bytes()), nil
	}
	return []byte{wire.Version, wire.FoundNothing}, nil
}

// partsBy returns the result that n has the proper factor d. No more is looked for.
func (r *Runner) partsBy(n, d *big.Int) ([]byte, error) {
	r.shallow = true
	r.finishBig(d, 1)
	r.finishBig(new(big.Int).Quo(n, d), 1)
	r.shallow = false
	if r.poller.Stopped() {
		return nil, ErrStopped
	}
	return r.encodeBig(n)
}

// runSplit runs the quick methods on the number with the given bytes.
func (r *Runner) runSplit(digits []byte) ([]byte, error) {
	if len(digits) <= 16 {
		return r.runSplit128(arith.Uint128Of(digits))
	}
	r.parts, r.by = r.parts[:0], 0
	n := new(big.Int).SetBytes(digits)
	r.splitBig(n)
	if r.poller.Stopped() {
		return nil, ErrStopped
	}
	r.dropMethods()
	return r.encodeBig(n)
}

// runSplit128 is runSplit up to 128 bits.
func (r *Runner) runSplit128(n arith.Uint128) ([]byte, error) {
	r.parts, r.by = r.parts[:0], 0
	r.split128(n)
	if r.poller.Stopped() {
		return nil, ErrStopped
	}
	r.dropMethods()
	return r.encode128(n)
}

// dropMethods forgets the methods if the number is in one piece still: then what
// trial division found is the number itself.
func (r *Runner) dropMethods() {
	if len(r.parts) == 1 && r.parts[0].exp == 1 {
		r.by = 0
	}
}

// encode128 multiplies the parts out and encodes them.
func (r *Runner) encode128(n arith.Uint128) ([]byte, error) {
	prod, ok := arith.Uint128{Lo: 1}, true
	for i := range r.parts {
		for range r.parts[i].exp {
			if prod, ok = prod.Mul(r.parts[i].w); !ok {
				return nil, ErrProduct
			}
		}
	}
	if prod != n {
		return nil, ErrProduct
	}
	return r.encodeParts(), nil
}

// slabSize is the size of the memory that short results are cut from: some 60 of
// them, so that one that is kept keeps little else.
const slabSize = 2048

// encodeParts returns the data of the result at hand.
func (r *Runner) encodeParts() []byte {
	size := partsSize(r.parts)
	if size > slabSize/16 {
		return encodeParts(r.parts, r.by)
	}
	if cap(r.slab)-len(r.slab) < size {
		r.slab = make([]byte, 0, slabSize)
	}
	from := len(r.slab)
	r.slab = appendParts(r.slab, r.parts, r.by)
	return r.slab[from:len(r.slab):len(r.slab)]
}

// encodeBig multiplies the parts out and encodes them.
func (r *Runner) encodeBig(n *big.Int) ([]byte, error) {
	if !multipliesTo(r.parts, n) {
		return nil, ErrProduct
	}
	return r.encodeParts(), nil
}
