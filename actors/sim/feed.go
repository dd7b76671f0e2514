package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"fairfactor"
)

// happening is what an event tells of a job.
type happening struct {
	caller, seq uint64
	state       fairfactor.State
}

func (h happening) String() string {
	return fmt.Sprintf("job %d of caller %d is %v", h.seq, h.caller, h.state)
}

// happened notes what a change that is durable tells those who follow.
func (r *run) happened(ch *fairfactor.Change) {
	note := func(state fairfactor.State) {
		if ch.Caller == visitor {
			return // events of jobs that are deleted are left out
		}
		r.happenings = append(r.happenings, happening{ch.Job.ID.Caller, ch.Job.ID.Seq, state})
	}
	switch ch.Op {
	case fairfactor.Accept, fairfactor.Requeue:
		note(fairfactor.Pending)
	case fairfactor.AcceptEnded:
		note(fairfactor.Pending)
		note(ch.Job.State)
	case fairfactor.Finish:
		note(ch.Job.State)
	}
}

// follower reads what happens to jobs, page by page, at one node after the other, as one
// does that gets events over connections that break.
type follower struct {
	at   fairfactor.Position
	seen []happening
	head bool // it has read all that there was
}

// follow reads events until the run has ended.
func (r *run) follow(i int, f *follower) {
	rng := rand.New(rand.NewPCG(r.opts.Seed, uint64(i)+0xfeed))
	for !r.over {
		page, err := r.events(f.at, 1+rng.IntN(1+rng.IntN(40)))
		switch {
		case err != nil:
			r.w.sleep(100 * time.Millisecond)
			continue
		case page.Gap && !r.went:
			r.w.broke("follower %d hears of a gap at %v, and nothing was lost", i, f.at)
			return
		}
		events, next := page.Events, page.Next
		if f.head = next == page.Head; len(events) > 0 && rng.IntN(4) == 0 {
			events = events[:1+rng.IntN(len(events))] // the connection breaks, it goes on at another node
			next, f.head = events[len(events)-1].After, false
		}
		for j := range events {
			e := &events[j]
			if e.Job.Caller == visitor {
				continue
			}
			f.seen = append(f.seen, happening{e.Job.ID.Caller, e.Job.ID.Seq, e.State})
		}
		if f.at = next; f.head {
			r.w.sleep(time.Duration(rng.Int64N(int64(2 * time.Second))))
		}
	}
}

// events asks some node for a page of events.
func (r *run) events(after fairfactor.Position, limit int) (page fairfactor.EventPage, err error) {
	err = errDown
	if !r.ask(func(ctx context.Context, s *service) { page, err = s.Events(ctx, after, limit, nil) }).answered {
		err = errDown
	}
	return page, err
}

// caughtUp tells whether all followers have read all that there is.
func (r *run) caughtUp() bool {
	return !slices.ContainsFunc(r.followers, func(f *follower) bool { return !f.head || len(f.seen) < len(r.happenings) && !r.went })
}

// checkFeeds: each follower was told of all that happened, once, in the order in which it
// became durable.
func (r *run) checkFeeds() {
	for i, f := range r.followers {
		n := 0
		for n < min(len(f.seen), len(r.happenings)) && f.seen[n] == r.happenings[n] {
			n++
		}
		switch {
		case n < len(f.seen) && n < len(r.happenings):
			r.w.broke("follower %d was told as event %d that %v; in truth %v", i, n, f.seen[n], r.happenings[n])
		case n < len(f.seen):
			r.w.broke("follower %d was told as event %d that %v, which did not happen", i, n, f.seen[n])
		case n < len(r.happenings):
			r.w.broke("follower %d was not told of event %d: %v", i, n, r.happenings[n])
		}
	}
}
