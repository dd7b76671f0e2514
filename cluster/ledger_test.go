package cluster_test

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// ledger notes what actors see, over all nodes and processes of a test.
type ledger struct {
	mu      sync.Mutex
	entries []entry
}

type entry struct {
	at                    int64 // ns since 1970, one clock for all processes
	event, identity, node string
}

func (l *ledger) see(event, identity, node string) {
	l.note(entry{time.Now().UnixNano(), event, identity, node})
}

func (l *ledger) note(e entry) {
	l.mu.Lock()
	l.entries = append(l.entries, e)
	l.mu.Unlock()
}

// all returns what was noted, in order of time.
func (l *ledger) all() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Clone(l.entries)
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	return all
}

// of returns the events of one identity.
func (l *ledger) of(identity string) []string {
	var events []string
	for _, e := range l.all() {
		if e.identity == identity {
			events = append(events, e.event)
		}
	}
	return events
}

func (l *ledger) matching(identity, event string) int {
	n := 0
	for _, e := range l.of(identity) {
		if e == event {
			n++
		}
	}
	return n
}

func (l *ledger) starts(identity string) int { return l.matching(identity, "started") }

// alive returns where each identity is active, and how often one was activated
// while it was active elsewhere. The activations of a node end with the event
// "killed" of that node.
func (l *ledger) alive() (at map[string]string, double []entry) {
	at = make(map[string]string)
	for _, e := range l.all() {
		switch e.event {
		case "started":
			if at[e.identity] != "" {
				double = append(double, e)
			}
			at[e.identity] = e.node
		case "stopped":
			if at[e.identity] == e.node {
				delete(at, e.identity)
			}
		case "killed":
			for identity, node := range at {
				if node == e.node {
					delete(at, identity)
				}
			}
		}
	}
	return at, double
}
