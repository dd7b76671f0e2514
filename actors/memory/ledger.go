// Package memory shares a node's memory for work, --work-memory, among jobs and turns: a
// large number holds megabytes for as long as it is worked on, and a turn needs tables
// while it runs. What is booked here are estimates, made before anything is allocated.
//
// A job holds what its machine will come to, from the moment when its sieve begins until
// the job ends. All jobs together may hold three quarters of the whole. The rest is for
// turns, and so is what jobs leave free; package actors sees to turns.
//
// Who may hold how much is the rule of dynamic thresholds for a shared buffer (Choudhury
// and Hahne, "Dynamic queue length thresholds for shared-memory packet switches",
// IEEE/ACM Transactions on Networking 6 (1998)): a caller that holds something gets more
// only while it then holds no more than is free now. So one alone gets half, each of n that
// want all that they can get an (n+1)th, and a caller that holds nothing usually finds
// room at once. Callers of a group count as one.
//
// Those that wait for room come in the order in which they asked. A large job at the head
// is waited for: nothing that asked later takes what becomes free, except small
// jobs, which have an eighth for themselves. So a large one does not starve, and small
// ones wait for small ones only. How long a large one waits depends on how long those
// before it take; --max-cpu bounds that.
//
// The package has no clock and no goroutine. Start reading at [Holder.Reserve].
package memory

import (
	"sync"
	"sync/atomic"
)

// Parts of the whole, as divisors.
const (
	turnsPart = 4  // of the whole: jobs leave so much for turns
	smallPart = 8  // of what jobs may hold: large ones leave so much for small ones
	smallJob  = 64 // of what jobs may hold: the most that a small one holds
	// looks is how many shares whose jobs wait because they hold much already are looked at
	// when memory becomes free; the others come next time.
	looks = 16
)

// Ledger is the memory of one node. All of its methods may be called from many
// goroutines.
type Ledger struct {
	whole, most int64        // bytes: of all, and of jobs
	turns       atomic.Int64 // bytes that turns may use: what is not held

	mu     sync.Mutex
	held   int64             // guarded by mu, as all below: by jobs
	little int64             // of that, by small ones
	shares map[string]*share // by caller or group, those that hold or want something
	large  []*request        // those that wait for room, in order
	small  []*request        // likewise
	eager  []*share          // those with requests that wait because they hold much
	waits  int               // requests that wait
	freed  func()            // not guarded: called when turns may have more room
}

// share is what the callers of a group hold together.
type share struct {
	held     int64
	requests int        // of them, granted or waiting
	over     []*request // those that wait until the share holds less, or more is free
	eager    bool       // it is in the ledger's list
}

// request is what one job holds or waits for.
type request struct {
	holder *Holder
	job    uint64
	bytes  int64
	small  bool // when it was asked for
	state  state
}

type state int

// States of a request.

const (
	waiting state = iota
	granted
	gone // it is released, though it may be in a queue still
)

// New returns the ledger for that many bytes, nil for zero. freed is called when turns may
// have more room, with no lock of the ledger held.
func New(bytes int64, freed func()) *Ledger {
	if bytes <= 0 {
		return nil
	}
	l := &Ledger{whole: bytes, most: bytes - bytes/turnsPart, shares: map[string]*share{}, freed: freed}
	l.turns.Store(bytes)
	return l
}

// Most is what one job may hold.
func (l *Ledger) Most() int64 { return l.most - l.most/smallPart }

// Holder is one activation of a caller.
type Holder struct {
	ledger *Ledger
	share  string
	wake   func()
	jobs   map[uint64]*request // guarded by ledger.mu
	closed bool                // guarded by ledger.mu
}

// Holder returns a holder for the jobs of a caller that has nothing yet. share is its
// group, or its own name. wake is called from any goroutine, with no lock held, when a job
// that waits has been granted what it wants.
func (l *Ledger) Holder(share string, wake func()) *Holder {
	return &Holder{ledger: l, share: share, wake: wake, jobs: map[uint64]*request{}}
}

// Most is what one job may hold.
func (h *Holder) Most() int64 { return h.ledger.Most() }

// Reserve asks for memory for a job, in all: what it has already counts. It reports whether
// the job has it. One that waits keeps its place however often it asks, and its holder is
// woken; one that wants more than Most does not wait.
func (h *Holder) Reserve(job uint64, bytes int64) bool {
	l := h.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	r := h.jobs[job]
	switch {
	case bytes > l.Most() || h.closed:
		return false
	case r == nil:
		r = &request{holder: h, job: job, bytes: bytes, small: bytes <= l.most/smallJob}
		h.jobs[job] = r
		l.shareOf(h.share).requests++
		l.waits++
		return l.enter(r)
	case r.state == granted && bytes > r.bytes:
		// It has found out more of its number. To wait now it would keep what it has.
		l.book(r, bytes-r.bytes)
		r.bytes = bytes
	}
	return r.state == granted
}

// enter grants a request that does not wait yet, or lets it wait.
func (l *Ledger) enter(r *request) (now bool) {
	queue := l.queueOf(r)
	switch {
	case l.over(r):
		l.setAside(r)
	case len(*queue) > 0 || !l.fits(r):
		*queue = append(*queue, r)
	default:
		l.grant(r)
		return true
	}
	return false
}

// setAside has a request wait for its share.
func (l *Ledger) setAside(r *request) {
	s := l.shares[r.holder.share]
	s.over = append(s.over, r)
	if !s.eager {
		s.eager = true
		l.eager = append(l.eager, s)
	}
}

func (l *Ledger) queueOf(r *request) *[]*request {
	if r.small {
		return &l.small
	}
	return &l.large
}

func (l *Ledger) shareOf(name string) *share {
	s := l.shares[name]
	if s == nil {
		s = &share{}
		l.shares[name] = s
	}
	return s
}

// over reports whether what is held by the share of a request is the reason why it waits.
func (l *Ledger) over(r *request) bool {
	held := l.shares[r.holder.share].held
	return held > 0 && held+r.bytes > l.most-l.held
}

// fits reports whether there is room for a request. Small ones keep to their own part while
// a large one waits for room.
func (l *Ledger) fits(r *request) bool {
	if !r.small {
		return l.held-l.little+r.bytes <= l.Most() && l.held+r.bytes <= l.most
	}
	own := l.little+r.bytes <= l.most/smallPart
	return l.held+r.bytes <= l.most && (own || len(l.large) == 0)
}

func (l *Ledger) grant(r *request) {
	r.state = granted
	l.waits--
	l.book(r, r.bytes)
}

// book adds to what a request holds.
func (l *Ledger) book(r *request, bytes int64) {
	l.held += bytes
	l.turns.Store(l.whole - l.held)
	if r.small {
		l.little += bytes
	}
	l.shares[r.holder.share].held += bytes
}

// Release gives back what a job holds, or what it waits for.
func (h *Holder) Release(job uint64) {
	h.ledger.free(h, func() { h.drop(job) })
}

// Close gives back everything. What is asked for later is not granted.
func (h *Holder) Close() {
	h.ledger.free(h, func() {
		for job := range h.jobs {
			h.drop(job)
		}
		h.closed = true
	})
}

// drop takes a request out.
func (h *Holder) drop(job uint64) {
	r, l := h.jobs[job], h.ledger
	if r == nil {
		return
	}
	delete(h.jobs, job)
	s := l.shares[h.share]
	if r.state == granted {
		l.book(r, -r.bytes)
	} else {
		l.waits--
	}
	r.state = gone
	if s.requests--; s.requests == 0 {
		delete(l.shares, h.share)
	}
}

// free gives something back that belongs to a holder, and tells those whom it helps.
func (l *Ledger) free(from *Holder, drop func()) {
	l.mu.Lock()
	drop()
	var woken []*Holder
	if s := l.shares[from.share]; s != nil {
		l.reconsider(s, &woken)
	}
	for range min(looks, len(l.eager)) {
		s := l.eager[0]
		l.eager[0] = nil
		l.eager = l.eager[1:]
		if s.eager = l.reconsider(s, &woken); s.eager {
			l.eager = append(l.eager, s)
		}
	}
	l.admit(&l.large, &woken)
	l.admit(&l.small, &woken)
	l.mu.Unlock()
	for _, h := range woken {
		h.wake()
	}
	if l.freed != nil {
		l.freed()
	}
}

// reconsider lets requests of a share wait for room that waited for the share, or grants
// them. It reports whether some wait for the share still.
func (l *Ledger) reconsider(s *share, woken *[]*Holder) bool {
	for len(s.over) > 0 {
		r := s.over[0]
		if r.state != gone && l.over(r) {
			return true
		}
		s.over[0] = nil
		s.over = s.over[1:]
		if r.state != gone && l.enter(r) {
			*woken = append(*woken, r.holder)
		}
	}
	s.over = nil
	return false
}

// admit grants what those in a queue wait for, in order, until one does not fit. One whose
// share holds too much by now is no reason for the others to wait.
func (l *Ledger) admit(queue *[]*request, woken *[]*Holder) {
	for len(*queue) > 0 {
		r := (*queue)[0]
		switch {
		case r.state == gone:
		case l.over(r):
			l.setAside(r)
		case l.fits(r):
			l.grant(r)
			*woken = append(*woken, r.holder)
		default:
			return
		}
		(*queue)[0] = nil
		*queue = (*queue)[1:]
	}
	*queue = nil
}
