package factor

// siqsRunner runs the turns of the sieve and of what follows it. It keeps tables
// between turns.
type siqsRunner struct {
	*poller
	split  func(v uint64) uint64 // returns a proper factor of an odd composite
	sieves []*siqs               // of the numbers sieved last, the last one first
	base   *siqsBase             // of the number whose relations were looked at last
	solved *solved               // the matrix of the linear algebra that ran last
}

// newSiqsRunner returns a runner without tables. split returns a proper factor of an
// odd composite.
func newSiqsRunner(stop *poller, split func(v uint64) uint64) *siqsRunner {
	return &siqsRunner{poller: stop, split: split}
}

// run runs a turn of the sieve, or of what follows it, and returns the data of its
// result.
func (r *siqsRunner) run(payload []byte) ([]byte, error) {
	switch payload[1] {
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
