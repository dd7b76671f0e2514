package pebble

import (
	"container/heap"
	"sync"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"
)

// agenda says which hosts may be owed a delivery that is due, so that a claim looks at
// these only, however many others wait. It is in memory: the first claim reads it from the
// entries by time, one look for each host, and commits keep it. A host may be in it too
// early, never too late.
type agenda struct {
	mu    sync.Mutex
	hosts []*appointment          // guarded by mu: a heap
	at    map[string]*appointment // guarded by mu: the same, by host
	read  bool                    // guarded by deliveries.mu
}

// appointment is when to look at a host.
type appointment struct {
	host  string
	due   time.Time
	index int // in the heap
}

// put has a host looked at from a time on, or earlier if it is so already.
func (a *agenda) put(host string, due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x := a.at[host]; x == nil {
		if a.at == nil {
			a.at = map[string]*appointment{}
		}
		x = &appointment{host: host, due: due}
		a.at[host] = x
		heap.Push((*appointments)(&a.hosts), x)
	} else if due.Before(x.due) {
		x.due = due
		heap.Fix((*appointments)(&a.hosts), x.index)
	}
}

// take removes and returns the hosts to look at now, the earliest first, at most limit.
func (a *agenda) take(now time.Time, limit int) (due []*appointment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.hosts) > 0 && len(due) < limit && !a.hosts[0].due.After(now) {
		x := heap.Pop((*appointments)(&a.hosts)).(*appointment)
		delete(a.at, x.host)
		due = append(due, x)
	}
	return due
}

// back puts hosts in, or back.
func (a *agenda) back(hosts []*appointment) {
	for _, x := range hosts {
		a.put(x.host, x.due)
	}
}

// fill reads the first entry of each host, once.
func (a *agenda) fill(db *pebbledb.DB) error {
	if a.read {
		return nil
	}
	it, err := db.NewIter(iterBounds(kindBounds(kindDue)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; {
		host := hostOf(it.Key())
		a.put(host, dueOf(it.Key()))
		ok = it.SeekGE(afterHost(host))
	}
	a.read = it.Error() == nil
	return readError(it.Error())
}

// appointments implement [heap.Interface].
type appointments []*appointment

func (h appointments) Len() int           { return len(h) }
func (h appointments) Less(i, j int) bool { return h[i].due.Before(h[j].due) }

func (h appointments) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *appointments) Push(x any) {
	one := x.(*appointment)
	one.index = len(*h)
	*h = append(*h, one)
}

func (h *appointments) Pop() any {
	last := len(*h) - 1
	one := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return one
}
