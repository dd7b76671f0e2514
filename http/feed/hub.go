package feed

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"fairfactor"
)

// Source is where a hub learns what happens.
type Source interface {
	// Events, Changed and Stored are as in [fairfactor.Store], the last one as Jobs there.
	Events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (fairfactor.EventPage, error)
	Changed() <-chan struct{}
	Stored(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error)
	// Running returns the jobs that run now.
	Running(ctx context.Context) []fairfactor.Job
}

// Options of a hub.
type Options struct {
	Source Source
	Logger *slog.Logger
	// Render makes the text of a message.
	Render func(kind Kind, job *fairfactor.Job, at fairfactor.Position) []byte
	// Heartbeat is after how long without another message a subscriber gets one.
	Heartbeat time.Duration
	// Look is the time between two looks at what runs, Poll between two looks for what
	// other processes have written, and Pace the least between any two.
	Look, Poll, Pace time.Duration
	// Messages, Bytes and Budget bound the queues, see [maxQueued]; zero for the default.
	Messages, Bytes int
	Budget          int64
}

// Bounds of the hub's work.
const (
	pageEvents = 256 // at once, so that subscribers come to take them in between
	askLimit   = 10 * time.Second
	retryPause = 250 * time.Millisecond
	beatParts  = 5 // of a heartbeat's interval, between two looks at who has to get one
	maxNames   = 1 << 16
	replays    = 8 // subscribers that catch up at the same time
)

// Hub reads events for all subscribers.
type Hub struct {
	opts     Options
	commands chan func()
	stopped  chan struct{} // closed when Run has returned
	ready    chan struct{} // always closed
	budget   budget
	limits   struct {
		messages, bytes int
		budget          int64
	}
	// Told and Slow count messages that were put into queues, and subscriptions that ended
	// because their queue was full.
	Told, Slow atomic.Uint64
	replaying  chan struct{} // a token for each subscriber that catches up

	// The fields below belong to the goroutine of Run.
	at      fairfactor.Position // up to here everything was delivered
	all     map[*Subscription]bool
	callers map[string]map[*Subscription]bool
	jobs    map[fairfactor.ID]map[*Subscription]bool
	places  map[place]int // subscribers of jobs, by what an event has of them
	count   int
	names   map[uint64]string // of callers, as far as they were met
	live    live
}

// place is what an event in the store has of its job.
type place struct{ caller, seq uint64 }

// New returns a hub that does nothing before [Hub.Run].
func New(opts Options) *Hub {
	h := &Hub{
		opts: opts, commands: make(chan func()), stopped: make(chan struct{}), ready: make(chan struct{}), replaying: make(chan struct{}, replays),
		all: map[*Subscription]bool{}, callers: map[string]map[*Subscription]bool{}, jobs: map[fairfactor.ID]map[*Subscription]bool{},
		places: map[place]int{}, names: map[uint64]string{},
	}
	h.limits.messages, h.limits.bytes, h.limits.budget = maxQueued, maxBytes, budgetBytes
	if opts.Messages > 0 {
		h.limits.messages = opts.Messages
	}
	if opts.Bytes > 0 {
		h.limits.bytes = opts.Bytes
	}
	if opts.Budget > 0 {
		h.limits.budget = opts.Budget
	}
	close(h.ready)
	h.live.begin()
	return h
}

// Run serves subscribers until ctx ends; then all subscriptions are over.
func (h *Hub) Run(ctx context.Context) {
	defer close(h.stopped)
	defer h.endAll()
	for ctx.Err() == nil {
		if h.count > 0 {
			h.serve(ctx)
			continue
		}
		select {
		case do := <-h.commands:
			do()
		case <-ctx.Done():
		}
	}
}

// serve reads and delivers events as long as there are subscribers.
func (h *Hub) serve(ctx context.Context) {
	look, beat, poll := time.NewTicker(h.opts.Look), time.NewTicker(h.opts.Heartbeat/beatParts), time.NewTicker(h.opts.Poll)
	defer look.Stop()
	defer beat.Stop()
	defer poll.Stop()
	defer h.live.forget()
	for h.count > 0 && ctx.Err() == nil {
		changed := h.opts.Source.Changed()
		var atOnce chan struct{} // ready if there is more to read
		if h.step(ctx) {
			atOnce = h.ready
		}
		pace := time.NewTimer(h.opts.Pace)
		for waiting := true; waiting; {
			select {
			case <-atOnce:
				waiting = false
			case <-changed:
				<-pace.C // commits come in quick succession
				waiting = false
			case <-poll.C:
				waiting = false
			case do := <-h.commands:
				do()
				waiting = h.count > 0
			case <-look.C:
				h.lookAround(ctx)
			case found := <-h.live.found:
				h.verify(ctx, found)
				waiting = false
			case <-beat.C:
				h.beat()
			case <-ctx.Done():
				waiting = false
			}
		}
		pace.Stop()
	}
}

// step reads and delivers one page. It reports whether there is more.
func (h *Hub) step(ctx context.Context) (more bool) {
	bounded, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	looked := 0 // at events, wanted or not
	page, err := h.opts.Source.Events(bounded, h.at, pageEvents, func(caller, seq uint64) bool {
		looked++
		return h.wanted(caller, seq)
	})
	if err != nil {
		if ctx.Err() == nil {
			h.opts.Logger.Warn("events can't be read, trying again", "err", err)
			pause(ctx, retryPause)
		}
		return false
	}
	moved := page.Next.Compare(h.at) > 0
	if page.Gap {
		h.tellAll(h.gap(&page))
	}
	for i := range page.Events {
		h.deliver(&page.Events[i])
	}
	h.at = page.Next
	h.tellRunning(page.Head)
	return moved && page.Next.Compare(page.Head) < 0 && (len(page.Events) > 0 || looked >= pageEvents)
}

// wanted tells whether anyone may want the events of a job.
func (h *Hub) wanted(caller, seq uint64) bool {
	if len(h.all) > 0 || h.places[place{caller, seq}] > 0 {
		return true
	}
	if len(h.callers) == 0 {
		return false
	}
	name, known := h.names[caller]
	return !known || len(h.callers[name]) > 0
}

// deliver gives an event to those that want it.
func (h *Hub) deliver(e *fairfactor.Event) {
	h.remember(&e.Job)
	h.live.ended(e)
	if h.heard(&e.Job) {
		h.tell(h.message(kindOf(e.State), &e.Job, e.State, e.After), &e.Job)
	}
}

// kindOf is the kind of message for an event of the store.
func kindOf(state fairfactor.State) Kind {
	if state.Final() {
		return Ended
	}
	return Accepted
}

// message makes a message. The job of an acceptance is shown as it was accepted, also if
// it has gone on since; that of an end as it is now, but in the state in which it ended.
func (h *Hub) message(kind Kind, job *fairfactor.Job, state fairfactor.State, at fairfactor.Position) *Message {
	shown := *job
	if state == fairfactor.Pending {
		shown = fairfactor.Job{
			ID: job.ID, Caller: job.Caller, Number: job.Number, Key: job.Key, Order: job.Order, State: fairfactor.Pending, Submitted: job.Submitted,
		}
		if !job.State.Final() {
			shown.Started, shown.Attempts, shown.Turn, shown.CPU, shown.Turns = job.Started, job.Attempts, job.Turn, job.CPU, job.Turns
		}
	} else if state.Final() {
		shown.State = state
	}
	return &Message{Kind: kind, Job: job.ID, At: at, Text: h.opts.Render(kind, &shown, at)}
}

// heard tells whether there are subscribers for a job's events.
func (h *Hub) heard(job *fairfactor.Job) bool {
	return len(h.all) > 0 || len(h.callers[job.Caller]) > 0 || len(h.jobs[job.ID]) > 0
}

// tell puts a message into the queues of those that want it. Those that are full leave.
func (h *Hub) tell(m *Message, job *fairfactor.Job) {
	for _, set := range []map[*Subscription]bool{h.all, h.callers[job.Caller], h.jobs[job.ID]} {
		for s := range set {
			if !s.push(m) {
				h.remove(s)
			}
		}
	}
}

// gap makes the message that something is missing before a page. Its position is the one
// before the page's first event: who goes on from there misses nothing else.
func (h *Hub) gap(page *fairfactor.EventPage) *Message {
	at := page.Next
	if len(page.Events) > 0 {
		at = page.Events[0].After
		at.Index--
	}
	return &Message{Kind: Gap, At: at, Text: h.opts.Render(Gap, nil, at)}
}

// tellAll puts a message into all queues.
func (h *Hub) tellAll(m *Message) {
	h.each(func(s *Subscription) {
		if !s.push(m) {
			h.remove(s)
		}
	})
}

// heartbeat makes the message that nothing has happened up to a position.
func (h *Hub) heartbeat(at fairfactor.Position) *Message {
	return &Message{Kind: Heartbeat, At: at, Text: h.opts.Render(Heartbeat, nil, at)}
}

// beat gives a heartbeat to those that have heard nothing.
func (h *Hub) beat() {
	m := h.heartbeat(h.at)
	h.each(func(s *Subscription) {
		if !s.beat(m) {
			h.remove(s)
		}
	})
}

// remember notes a caller's name, so that events of callers without subscribers need no
// look at their jobs.
func (h *Hub) remember(job *fairfactor.Job) {
	if len(h.names) >= maxNames {
		clear(h.names)
	}
	h.names[job.ID.Caller] = job.Caller
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
