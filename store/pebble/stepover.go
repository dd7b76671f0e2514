package pebble

import (
	"sync"

	"fairfactor"
)

// maxReported bounds how many damaged records are remembered that were reported.
const maxReported = 1000

// reported are the damaged records that were reported since the start: what walks over
// records again and again reports each once.
type reported struct {
	mu   sync.Mutex
	keys map[string]bool // guarded by mu
}

// stepOver reports a record that is damaged, which is left as it is and holds up no other.
// Any other error it returns.
func (s *Store) stepOver(what string, key []byte, err error) error {
	if err == nil || fairfactor.CodeOf(err) != fairfactor.Internal {
		return err
	}
	r := &s.reported
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys[string(key)] {
		return nil
	}
	if r.keys == nil {
		r.keys = map[string]bool{}
	}
	if len(r.keys) < maxReported {
		r.keys[string(key)] = true
	}
	s.log.Error(what+": it is stepped over", "err", err)
	return nil
}
