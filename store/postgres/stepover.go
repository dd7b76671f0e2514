package postgres

import (
	"sync"

	"fairfactor"
)

// maxReported bounds how many damaged rows are remembered that were reported.
const maxReported = 1000

// reported are the damaged rows that were reported since the start: what reads rows again
// and again reports each once.
type reported struct {
	mu   sync.Mutex
	rows map[any]bool // guarded by mu
}

// report reports a row that can't be read, which is left as it is and holds up no other.
func (s *Store) report(what string, row any, err error) {
	r := &s.reported
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rows[row] {
		return
	}
	if r.rows == nil {
		r.rows = map[any]bool{}
	}
	if len(r.rows) < maxReported {
		r.rows[row] = true
	}
	s.log.Error(what+": it is stepped over", "err", err)
}

// stepOver reports a job that can't be read.
func (s *Store) stepOver(r *jobRow, err error) {
	s.report("a job can't be read", fairfactor.ID{Nonce: uint64(r.nonce), Caller: uint64(r.caller), Seq: uint64(r.seq)}, err)
}
