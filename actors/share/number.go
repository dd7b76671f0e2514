// Package share lets callers that want the same number have it factored once. A
// [Number] is what the actor of one number knows: which callers have jobs for it, and
// which of them may run one. It gives the right to run to one at a time, in the order
// in which they came, and tells the others to wait, and when they need not any more.
//
// The right is a matter of thrift, not of safety: two jobs that run are a waste, but
// each is right by itself, and the store takes the end of each from its own caller
// only. So messages may be lost and the actor may begin again with nothing: callers
// repeat what they want every [Every]. A right that is not used moves on: when its
// holder was silent for [Lease], or when its job has used no CPU for [Stuck]. A job
// that runs waits for no other, so there is no circle of waiting.
//
// The machine has no I/O, clock, goroutine or lock: time comes in with each call.
package share

import (
	"slices"
	"time"
)

const (
	// Every is how often a caller repeats what it wants.
	Every = 2 * time.Second
	// Lease is how long a caller is believed to be there after it was heard.
	Lease = 10 * time.Second
	// Stuck is how long a job with the right may use no CPU before another caller gets
	// it too: the first may have much else to do.
	Stuck = 30 * time.Second
	// Settle is how long an actor that has just begun lets those wait who have waited
	// before: a job may run that it has not heard of yet.
	Settle = 2*Every + time.Second
	// MaxCallers bounds the callers of one number; more of them run by themselves.
	MaxCallers = 100_000
)

// Want says that jobs of a caller need the factors of a number.
type Want struct {
	Number string
	Caller string
	Jobs   int           // how many, from 1
	Runs   bool          // one of them may run
	Waits  bool          // they wait: the caller has said what it wants before
	Over   bool          // they do not need them any more
	Known  bool          // over: what was found is in the store
	Leaves bool          // over: the caller has the work of the job that ran
	CPU    time.Duration // that the job which runs has used
}

// Shared answers a [Want]: one of the caller's jobs may run; or all of them have to
// wait, if nothing is set; or what another one found is in the store.
type Shared struct {
	Number string
	Run    bool
	Known  bool
	From   string        // run: the caller that has the work of the job that ran before, empty for none
	Cost   time.Duration // known: the caller's part in what it took
}

// Answer is what a caller is told.
type Answer struct {
	Caller string
	Shared
}

// Number is what is known of those who want one number. It is not safe for concurrent
// use.
type Number struct {
	number  string
	began   time.Time
	heard   time.Time
	swept   time.Time
	callers []*sharer // in the order in which they came
	byName  map[string]*sharer
	// left is the caller that has the work of the last job that ran, since leftAt; empty
	// if none has, or the next job has it.
	left   string
	leftAt time.Time
}

// sharer is a caller that wants the number.
type sharer struct {
	name     string
	jobs     int
	heard    time.Time
	runs     bool          // has the right
	cpu      time.Duration // of its job
	advanced time.Time     // when that grew, or the right was given
}

// New returns a number that no one is known to want.
func New(number string, now time.Time) *Number {
	return &Number{number: number, began: now, heard: now, swept: now, byName: map[string]*sharer{}}
}

// Want takes in what a caller wants and returns who is to be told what.
func (n *Number) Want(now time.Time, w Want) []Answer {
	n.heard = now
	n.sweep(now)
	if w.Over {
		return n.over(now, w)
	}
	s := n.byName[w.Caller]
	if s == nil {
		if len(n.callers) >= MaxCallers {
			return []Answer{n.answer(w.Caller, Shared{Run: true})}
		}
		s = &sharer{name: w.Caller}
		n.callers, n.byName[w.Caller] = append(n.callers, s), s
	}
	s.heard, s.jobs = now, max(w.Jobs, 1)
	if w.Runs {
		if !s.runs || w.CPU > s.cpu {
			s.advanced = now
		}
		s.runs, s.cpu, n.left = true, w.CPU, ""
		return nil
	}
	if s.runs { // it did not hear of it, or it is a new activation
		return []Answer{n.run(now, s.name)}
	}
	var answers []Answer
	if !w.Waits || now.Sub(n.began) >= Settle {
		answers = n.grant(now)
	}
	if !s.runs {
		answers = append(answers, n.answer(s.name, Shared{}))
	}
	return answers
}

// over takes a caller away. What it found is for all others, who share what it took;
// the caller whose job ran has paid its turns already.
func (n *Number) over(now time.Time, w Want) (answers []Answer) {
	if s := n.byName[w.Caller]; s != nil {
		n.drop(func(other *sharer) bool { return other == s })
	}
	if !w.Known {
		if w.Leaves {
			n.left, n.leftAt = w.Caller, now
		}
		return n.grant(now)
	}
	all := max(w.Jobs, 1)
	for _, s := range n.callers {
		all += s.jobs
	}
	for _, s := range n.callers {
		cost := time.Duration(float64(w.CPU) * float64(s.jobs) / float64(all))
		answers = append(answers, n.answer(s.name, Shared{Known: true, Cost: cost}))
	}
	n.drop(func(*sharer) bool { return true })
	return answers
}

// grant gives the right to the caller that has waited longest, if no one has it and
// uses it.
func (n *Number) grant(now time.Time) []Answer {
	var next *sharer
	for _, s := range n.callers {
		switch {
		case s.runs && now.Sub(s.advanced) < Stuck:
			return nil
		case !s.runs && next == nil:
			next = s
		}
	}
	if next == nil {
		return nil
	}
	next.runs, next.cpu, next.advanced = true, 0, now
	return []Answer{n.run(now, next.name)}
}

// run tells a caller that one of its jobs may run, and who has work for it.
func (n *Number) run(now time.Time, caller string) Answer {
	s := Shared{Run: true}
	if now.Sub(n.leftAt) < Lease {
		s.From = n.left
	}
	return n.answer(caller, s)
}

func (n *Number) answer(caller string, s Shared) Answer {
	s.Number = n.number
	return Answer{caller, s}
}

// sweep drops callers that were silent for too long, at most once a second.
func (n *Number) sweep(now time.Time) {
	if now.Sub(n.swept) < time.Second {
		return
	}
	n.swept = now
	n.drop(func(s *sharer) bool { return now.Sub(s.heard) >= Lease })
}

func (n *Number) drop(gone func(*sharer) bool) {
	n.callers = slices.DeleteFunc(n.callers, func(s *sharer) bool {
		if gone(s) {
			delete(n.byName, s.name)
			return true
		}
		return false
	})
}

// Idle is when the actor may stop, if nothing comes until then.
func (n *Number) Idle() time.Time { return n.heard.Add(Lease) }
