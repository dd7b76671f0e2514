package siqs

import (
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// Runner runs the turns of the sieve and of what follows it. It keeps tables
// between turns.
type Runner struct {
	*stop.Poller
	split  func(v uint64) uint64 // returns a proper factor of an odd composite
	sieves []*siever             // of the numbers sieved last, the last one first
	base   *Base                 // of the number whose relations were looked at last
	kept   *keptMatrix           // the matrix of the linear algebra that ran last
}

// NewRunner returns a runner without tables. split returns a proper factor of an
// odd composite.
func NewRunner(stop *stop.Poller, split func(v uint64) uint64) *Runner {
	return &Runner{Poller: stop, split: split}
}

// Run runs a turn of the sieve, or of what follows it, and returns the data of its
// result.
func (r *Runner) Run(payload []byte) ([]byte, error) {
	data, err := r.dispatch(payload)
	if r.Stopped() {
		return nil, stop.ErrStopped
	}
	return data, err
}

// dispatch is run, but for a damaged result if the turn was stopped.
func (r *Runner) dispatch(payload []byte) ([]byte, error) {
	switch payload[1] {
	case wire.KindSieve:
		w, err := DecodeWork(payload)
		if err != nil {
			return nil, err
		}
		return r.runSieve(w)
	case wire.KindSolve:
		return r.runSolve(payload)
	case wire.KindFinish:
		return r.runFinish(payload)
	case wire.KindCycles:
		return r.runCycles(payload)
	case wire.KindColumns:
		return r.runColumns(payload)
	case wire.KindFilter:
		return r.runFilter(payload)
	case wire.KindRoot:
		return r.runRoot(payload)
	}
	return nil, wire.ErrTurn
}
