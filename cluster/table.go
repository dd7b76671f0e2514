package cluster

import "sync"

// key names a virtual actor.
type key struct{ kind, identity string }

// shards of a table: more than the cores of any likely machine.
const shards = 64

// table holds the activations of this node.
type table struct {
	shards [shards]shard
}

type shard struct {
	mu   sync.RWMutex
	live map[key]*activation // guarded by mu
	_    [32]byte            // one cache line each
}

func newTable() *table {
	t := &table{}
	for i := range t.shards {
		t.shards[i].live = make(map[key]*activation)
	}
	return t
}

func (t *table) shard(h uint64) *shard { return &t.shards[h%shards] }

// get returns the activation of an identity with hash h, or nil.
func (t *table) get(h uint64, kind, identity string) *activation {
	s := t.shard(h)
	s.mu.RLock()
	a := s.live[key{kind, identity}]
	s.mu.RUnlock()
	return a
}

// remove removes a, unless there is another activation under its key.
func (t *table) remove(a *activation) {
	s := t.shard(a.hash)
	s.mu.Lock()
	if s.live[a.key] == a {
		delete(s.live, a.key)
	}
	s.mu.Unlock()
}

// collect returns the activations that pick chooses.
func (t *table) collect(pick func(*activation) bool) []*activation {
	var picked []*activation
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		for _, a := range s.live {
			if pick(a) {
				picked = append(picked, a)
			}
		}
		s.mu.RUnlock()
	}
	return picked
}

// len returns how many activations there are, by kind.
func (t *table) len() map[string]int {
	n := make(map[string]int)
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		for k := range s.live {
			n[k.kind]++
		}
		s.mu.RUnlock()
	}
	return n
}
