package http

import (
	"sync"
	"time"
)

// owners are the names of callers by their numbers, which are in the ids of their
// jobs. They are forgotten after a while: a database that is restored from a backup
// may give the number of a caller that it has lost to another one.
type owners struct {
	mu    sync.RWMutex // guards what follows
	since time.Time    // of the first name
	names map[uint64]string
}

const (
	ownersLife = 10 * time.Second
	maxOwners  = 4096
)

func (o *owners) name(number uint64, now time.Time) (string, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if now.Sub(o.since) >= ownersLife {
		return "", false
	}
	name, ok := o.names[number]
	return name, ok
}

func (o *owners) remember(number uint64, name string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil || len(o.names) >= maxOwners || now.Sub(o.since) >= ownersLife {
		o.names, o.since = map[uint64]string{}, now
	}
	o.names[number] = name
}
