package sim

import (
	"context"

	"github.com/anishathalye/porcupine"

	"fairfactor"
)

// The model of one job, as clients see it. Linearizability is local (Herlihy and Wing
// 1990, theorem 1), so the histories of the jobs are checked each on its own; a list
// is a look at each job of its caller.
//
// A job is absent, open (pending or running: which of them is not checked), completed,
// failed or cancelled. It may end by itself at any moment after it was accepted. No
// request shows that moment, so the model has a job that is open end at the first
// answer that says so. A conflict says only that it has ended: then it is ended, and
// the next answer says how. An operation on all jobs of a caller says of none of them what
// it did: one that was open is swept then, ended or cancelled.
//
//	submit   absent -> open, or any state by a replay
//	get      shows the state; open may have become completed or failed
//	cancel   open -> cancelled; conflict if it has ended
//	retry    failed -> open; conflict if it has not failed
//	all      cancels or retries it if that can be done, between request and end of the operation
//
// A request without an answer may take effect at any time after it was made, or never.
const (
	absent modelState = iota
	open
	completed
	failed
	cancelled
	ended    // completed or failed
	swept    // ended or cancelled
	anything // but absent
)

type modelState int

// question is a request about one job, with its answer.
type question struct {
	verb    verb
	state   fairfactor.State
	code    fairfactor.Code
	unknown bool
	again   bool
}

var model = porcupine.Model{
	Init: func() any { return absent },
	Step: func(state, input, _ any) (bool, any) {
		ok, next := step(state.(modelState), input.(question))
		return ok, next
	},
}

// step says whether a job in a state can give that answer, and the state after it.
func step(s modelState, q question) (bool, modelState) {
	switch q.verb {
	case submit:
		return stepSubmit(s, q)
	case get:
		return stepGet(s, q)
	case cancel:
		return stepCancel(s, q)
	case cancelAll, retryAll:
		return stepAll(s, q)
	}
	return stepRetry(s, q)
}

// stepAll: an operation comes to each job that was there when it was accepted.
func stepAll(s modelState, q question) (bool, modelState) {
	next := s
	switch {
	case q.verb == cancelAll && (s == open || s == anything):
		next = swept
	case q.verb == retryAll && (s == failed || s == ended || q.unknown && s == swept):
		next = open
	case q.verb == retryAll && s == swept:
		next = anything
	}
	return q.unknown || s != absent, next
}

func stepSubmit(s modelState, q question) (bool, modelState) {
	if s == absent {
		s = open
	}
	if q.unknown || q.again || q.state == fairfactor.Pending {
		return true, s // it may have been accepted by one try, and its state read by the next
	}
	return stepGet(s, q)
}

func stepGet(s modelState, q question) (bool, modelState) {
	if q.code != "" {
		return s == absent, s
	}
	switch q.state {
	case fairfactor.Completed:
		return s == completed || s.mayEnd(), completed
	case fairfactor.Failed:
		return s == failed || s.mayEnd(), failed
	case fairfactor.Cancelled:
		return s.mayBeCancelled(), cancelled
	}
	return s == open || s == anything, open
}

// mayEnd tells whether a job can have ended by itself without an answer that said how.
func (s modelState) mayEnd() bool { return s == open || s == ended || s == swept || s == anything }

func (s modelState) mayBeCancelled() bool { return s == cancelled || s == swept || s == anything }

func stepCancel(s modelState, q question) (bool, modelState) {
	switch {
	case q.unknown:
		if s == open || s == anything {
			s = cancelled
		}
		return true, s
	case q.code == fairfactor.NotFound:
		return s == absent, s
	case q.code != "":
		switch s {
		case open:
			s = ended
		case anything:
			s = swept
		}
		return s > open, s
	}
	return s == open || s == anything || s.mayBeCancelled() && q.again, cancelled
}

func stepRetry(s modelState, q question) (bool, modelState) {
	switch {
	case q.unknown:
		if s == failed || s == ended || s == swept || s == anything {
			s = open
		}
		return true, s
	case q.code == fairfactor.NotFound:
		return s == absent, s
	case q.code != "":
		switch s {
		case failed, absent:
			return false, s
		case ended:
			s = completed
		}
		return true, s
	}
	if q.again && s != absent {
		return true, open
	}
	return s == failed || s.mayEnd(), open
}

var ctxNone = context.Background()
