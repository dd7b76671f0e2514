package feed

import (
	"context"
	"sync"
	"sync/atomic"

	"fairfactor"
)

// Filter says which events a subscriber wants: those of one job, of one caller, or, if
// it is zero, all.
type Filter struct {
	Job    fairfactor.ID
	Caller string
}

// one tells whether the filter is for one job.
func (f *Filter) one() bool { return f.Job != fairfactor.ID{} }

// wants tells whether an event of a job is wanted.
func (f *Filter) wants(j *fairfactor.Job) bool {
	switch {
	case f.one():
		return j.ID == f.Job
	case f.Caller != "":
		return j.Caller == f.Caller
	}
	return true
}

// Kind is what a message says.
type Kind uint8

// Kinds of messages.
const (
	Accepted Kind = iota + 1
	Running
	Progress
	Ended     // the state of the job says how
	Heartbeat // nothing has happened for a while
	Gap       // what happened before the position is not known, or a part of it
)

// Message is one thing to tell a subscriber, the same for all who want it.
type Message struct {
	Kind Kind
	Job  fairfactor.ID // zero of a heartbeat and a gap
	At   fairfactor.Position
	Text []byte // as [Options.Render] made it
}

// End is why a subscription is over.
type End uint8

// Reasons for the end of a subscription; zero means that it goes on.
const (
	Slow    End = iota + 1 // it did not take its messages
	Stopped                // the hub does not run any more
)

// Subscription is one subscriber. Its methods belong to one goroutine.
type Subscription struct {
	hub    *Hub
	filter Filter
	// Start is where the queue begins: what is before it the subscriber has, or reads.
	Start fairfactor.Position
	// has is up to where the subscriber has everything, if that is beyond Start: it may have
	// read further than the hub, here or on another node. It belongs to the hub's goroutine.
	has fairfactor.Position

	mu    sync.Mutex // guards what follows
	queue []*Message
	bytes int
	end   End
	quiet int // heartbeats of the hub since the last message

	wake chan struct{} // holds a token when there is something to take
}

// Bounds of queues.
const (
	maxQueued   = 8192     // messages of one subscriber
	maxBytes    = 2 << 20  // of their texts
	smallBytes  = 16 << 10 // what each may have, however much all have
	budgetBytes = 256 << 20
)

// budget is what the queues of all subscribers hold together, in bytes; a text that is in
// several counts as often.
type budget struct{ used atomic.Int64 }

// push puts a message into the queue, unless the subscriber has it, and reports what put does.
func (s *Subscription) push(m *Message) bool { return s.had(m) || s.put(m) }

// put puts a message into the queue. It reports false if that is full: then the
// subscription is over.
func (s *Subscription) put(m *Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != 0 {
		return false
	}
	s.quiet = 0
	size := s.bytes + len(m.Text)
	crowded := size > smallBytes && s.hub.budget.used.Load() > s.hub.limits.budget
	if len(s.queue) > 0 && (len(s.queue) >= s.hub.limits.messages || size > s.hub.limits.bytes || crowded) {
		s.finish(Slow)
		s.hub.Slow.Add(1)
		return false
	}
	s.queue, s.bytes = append(s.queue, m), size
	s.hub.budget.used.Add(int64(len(m.Text)))
	s.hub.Told.Add(1)
	s.ring()
	return true
}

// had tells whether a message is before what the subscriber has. Where something is missing,
// another database may have taken over: its positions say nothing about earlier ones.
func (s *Subscription) had(m *Message) bool {
	if m.Kind != Gap && m.At.Line == s.has.Line && m.At.Compare(s.has) <= 0 {
		return true
	}
	s.has = fairfactor.Position{}
	return false
}

// finish ends the subscription. s.mu is held.
func (s *Subscription) finish(end End) {
	s.hub.budget.used.Add(-int64(s.bytes))
	s.queue, s.bytes, s.end = nil, 0, end
	s.ring()
}

func (s *Subscription) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// beat is called each heartbeat interval divided by [beatParts]: a subscriber that has
// heard nothing for the whole of it gets a heartbeat, which does not name an earlier position
// than it has.
func (s *Subscription) beat(m *Message) bool {
	if s.had(m) {
		m = s.hub.heartbeat(s.has)
	}
	s.mu.Lock()
	due := s.quiet+1 >= beatParts && len(s.queue) == 0
	if !due {
		s.quiet++
	}
	s.mu.Unlock()
	return !due || s.put(m)
}

// Ready is a channel that has something when there is something to take.
func (s *Subscription) Ready() <-chan struct{} { return s.wake }

// Take returns what is in the queue, and why there will be nothing more, if so. It
// reuses into.
func (s *Subscription) Take(into []*Message) ([]*Message, End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	into = append(into[:0], s.queue...)
	clear(s.queue)
	if cap(s.queue) > keptQueue {
		s.queue = nil
	}
	s.queue = s.queue[:0]
	s.hub.budget.used.Add(-int64(s.bytes))
	s.bytes = 0
	return into, s.end
}

// keptQueue is the largest queue whose memory is kept while it is empty.
const keptQueue = 16

// Close ends the subscription.
func (s *Subscription) Close() {
	s.mu.Lock()
	s.finish(Stopped)
	s.mu.Unlock()
	s.hub.leave(s)
}

// CatchUp reads the events between a position and [Subscription.Start] and hands them to
// send, page by page.
func (s *Subscription) CatchUp(ctx context.Context, from fairfactor.Position, send func([]*Message) error) error {
	r := replay{hub: s.hub, filter: &s.filter, at: from, names: map[uint64]bool{}}
	for r.at.Compare(s.Start) < 0 {
		before := r.at
		if _, err := r.page(ctx, s.Start, send); err != nil {
			return err
		}
		if r.at == before { // a standby that has taken over is not that far yet
			pause(ctx, retryPause)
		}
	}
	return nil
}
