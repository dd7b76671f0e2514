package sim

import (
	"context"
	"fmt"
	"time"

	"fairfactor"
)

// sweep is a request to cancel or to retry all jobs of a caller, as one was told of it.
type sweep struct {
	retry bool
	op    fairfactor.Operation // as it was seen last
}

// polling is how often a client asks for an operation.
const polling = 300 * time.Millisecond

// sweep asks for an operation on all jobs of a caller, and waits until it is done.
func (r *run) sweep(o *op, retries bool) {
	o.sweep, o.call = &sweep{retry: retries}, r.count()
	if o.verb = cancelAll; retries {
		o.verb = retryAll
	}
	var got fairfactor.Operation
	var err error
	reply := r.ask(func(ctx context.Context, s *service) {
		if retries {
			got, err = s.RetryAll(ctx, fairfactor.Query{Caller: o.caller})
		} else {
			got, err = s.CancelAll(ctx, fairfactor.Query{Caller: o.caller})
		}
	})
	r.classify(o, reply, err)
	if reply.sent && o.code == fairfactor.Unavailable { // the store may have it, and its answer be lost
		o.code, o.unknown = "", true
	}
	if o.code == "" && !o.unknown {
		o.sweep.op = got
		o.unknown = !r.watch(o)
	}
	o.end = r.count()
	r.note(o)
}

// watch waits until an operation is done. It is false if it is lost with what the store
// lost.
func (r *run) watch(o *op) bool {
	for o.sweep.op.Finished.IsZero() {
		r.w.sleep(polling)
		var now fairfactor.Operation
		var err error
		answered := r.ask(func(ctx context.Context, s *service) { now, err = s.Operation(ctx, o.sweep.op.ID) }).answered
		was := &o.sweep.op
		switch {
		case !answered || fairfactor.CodeOf(err) == fairfactor.Unavailable:
		case fairfactor.CodeOf(err) == fairfactor.NotFound && r.went:
			return false
		case err != nil:
			r.w.broke("the operation %s of %s: %v", was.ID, o.caller, err)
			return false
		case !r.went && (now.Done < was.Done || now.Skipped < was.Skipped || now.Matched < now.Done+now.Skipped):
			r.w.broke("the operation %s of %s has done %d of %d and skipped %d, after %d and %d", was.ID, o.caller, now.Done, now.Matched, now.Skipped, was.Done, was.Skipped)
			return false
		default:
			*was = now
		}
	}
	return true
}

func (s *sweep) String() string {
	return fmt.Sprintf("jobs up to %d: %d done, %d skipped", s.op.Top, s.op.Done, s.op.Skipped)
}

// aboutAll is what an operation says of one job. The jobs that it is about are those that
// were there when it was accepted.
func (r *run) aboutAll(o *op, job *fairfactor.Job, q question) (question, bool) {
	switch {
	case o.code != "":
		return q, false
	case !o.unknown && job.ID.Seq > o.sweep.op.Top:
		return q, false
	case o.verb == retryAll && (r.opts.Queue < plenty || len(r.fatal[job.ID]) > 0):
		q.unknown = true // there may be no room for it, and what is quarantined is left alone
	}
	return q, true
}

// checkSweeps: an operation counts each job that it has changed, and no other.
func (r *run) checkSweeps(jobs []fairfactor.Job) {
	for _, o := range r.history {
		if o.sweep == nil || o.sweep.retry || o.unknown || o.code != "" {
			continue
		}
		most, least := uint64(0), uint64(0)
		for i := range jobs {
			job := &jobs[i]
			if job.Caller != o.caller || job.ID.Seq > o.sweep.op.Top || job.State != fairfactor.Cancelled {
				continue
			}
			if most++; !r.othersMayCancel(o, job) {
				least++
			}
		}
		if done := o.sweep.op.Done; done > most || done < least && !r.clockWasSet() {
			r.w.broke("%v: of the jobs that it is about, %d are cancelled, and %d of them by nothing else", o, most, least)
		}
	}
	for i := range jobs {
		job := &jobs[i]
		if n, most, sure := r.requeued[job.ID], 0, true; n > 0 {
			if most, sure = r.retriesOf(job); sure && n > most {
				r.w.broke("job %d of %s was put back into its queue %d times, for %d requests", job.ID.Seq, job.Caller, n, most)
			}
		}
	}
}

// othersMayCancel tells whether something else than an operation may have cancelled a job.
func (r *run) othersMayCancel(sweep *op, job *fairfactor.Job) bool {
	for _, o := range r.history {
		switch {
		case o == sweep || o.caller != job.Caller || o.code != "" && !o.unknown:
		case o.verb == cancel && o.id == job.ID:
			return true
		case o.verb == cancelAll && (o.unknown || job.ID.Seq <= o.sweep.op.Top):
			return true
		}
	}
	return false
}

// clockWasSet tells whether times of the store and of an operation may not compare.
func (r *run) clockWasSet() bool {
	for _, f := range r.opts.Faults {
		if f.Kind == Clock {
			return true
		}
	}
	return false
}

// retriesOf is how often a job may have been put back into its queue, by what clients have
// asked for. It is not sure of those that were sent again.
func (r *run) retriesOf(job *fairfactor.Job) (n int, sure bool) {
	for _, o := range r.history {
		switch {
		case o.code != "" && !o.unknown:
		case o.verb == retry && o.id == job.ID:
			if n++; o.again || o.unknown {
				return n, false
			}
		case o.verb == retryAll && o.caller == job.Caller && (o.unknown || job.ID.Seq <= o.sweep.op.Top):
			n++
		}
	}
	return n, true
}
