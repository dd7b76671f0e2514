package sim

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"fairfactor"
)

// check compares what clients were told with what the store has, when all has ended.
func (r *run) check() {
	all := r.stored()
	if !r.went {
		r.checkCopies(all)
	}
	jobs := slices.DeleteFunc(all, func(j fairfactor.Job) bool { return j.Caller == visitor || strings.HasPrefix(j.Caller, copiesOf) })
	byNumber := map[string][]*fairfactor.Job{}
	byKey := map[string][]*fairfactor.Job{}
	byID := map[fairfactor.ID]*fairfactor.Job{}
	for i := range jobs {
		job := &jobs[i]
		byID[job.ID] = job
		byNumber[job.Caller+" "+job.Number] = append(byNumber[job.Caller+" "+job.Number], job)
		if job.Key != "" {
			byKey[job.Caller+" "+job.Key] = append(byKey[job.Caller+" "+job.Key], job)
		}
		r.checkEnd(job)
		r.checkDeaths(job, func(process string) bool { p := r.c.byID[process]; return p != nil && p.dead })
	}
	for _, name := range sorted(byKey) {
		if n := len(byKey[name]); n > 1 && !r.clockWentFar() {
			r.w.broke("key %s has %d jobs", name, n)
		}
	}
	r.checkAccounts(jobs)
	if r.went {
		return // what was said may be lost
	}
	r.checkFeeds()
	r.checkSweeps(jobs)
	r.checkSubmissions(byNumber, byID)
	r.checkOrder()
	r.linearizable(jobs)
}

// clockWentFar tells whether a key may have been forgotten, by a clock that was set by
// more than its life.
func (r *run) clockWentFar() bool {
	return slices.ContainsFunc(r.opts.Faults, func(f Fault) bool { return f.Kind == Clock && f.Jump.Abs() >= fairfactor.KeyLife })
}

// checkEnd looks at a job that has ended.
func (r *run) checkEnd(job *fairfactor.Job) {
	if job.State != fairfactor.Completed {
		return
	}
	product := big.NewInt(1)
	for _, f := range job.Factors {
		p, _ := new(big.Int).SetString(f.Prime, 10)
		for range f.Exponent {
			product.Mul(product, p)
		}
	}
	if product.String() != job.Number {
		r.w.broke("job %d of %s: the factors of %s multiply to %v", job.ID.Seq, job.Caller, job.Number, product)
	}
}

// checkSubmissions: what was accepted is there, what was refused is not, and each
// submission is one job.
func (r *run) checkSubmissions(byNumber map[string][]*fairfactor.Job, byID map[fairfactor.ID]*fairfactor.Job) {
	submissions := map[string]int{}
	maybe := map[string]bool{}
	for _, o := range r.history {
		if o.verb != submit {
			continue
		}
		name := o.caller + " " + o.number
		submissions[name]++
		maybe[name] = maybe[name] || o.unknown || o.code == ""
		if o.code != "" || o.unknown {
			continue
		}
		job := byID[o.id]
		switch {
		case job == nil:
			r.w.broke("job %d of %s was accepted and is lost: %v", o.id.Seq, o.caller, o)
		case job.Number != o.number || job.Key != o.key || job.Caller != o.caller:
			r.w.broke("%v is job %d of %s with number %s and key %q", o, job.ID.Seq, job.Caller, job.Number, job.Key)
		}
	}
	for _, name := range sorted(byNumber) {
		jobs := byNumber[name]
		switch {
		case submissions[name] == 0:
			r.w.broke("job %d of %s was never submitted", jobs[0].ID.Seq, jobs[0].Caller)
		case !maybe[name]:
			r.w.broke("the submission of %s was refused, and it is job %d", name, jobs[0].ID.Seq)
		case jobs[0].Key == "" && len(jobs) > submissions[name]:
			r.w.broke("%s was submitted %d times and is %d jobs", name, submissions[name], len(jobs))
		}
	}
}

// checkAccounts: the counts of each caller are those of its jobs.
func (r *run) checkAccounts(jobs []fairfactor.Job) {
	counts := map[string]map[fairfactor.State]uint64{}
	for _, job := range jobs {
		if counts[job.Caller] == nil {
			counts[job.Caller] = map[fairfactor.State]uint64{}
		}
		counts[job.Caller][job.State]++
	}
	for _, name := range sorted(counts) {
		have, err := r.store.Caller(ctxNone, name)
		n := counts[name]
		if err != nil || have.Queued != 0 || have.Completed != n[fairfactor.Completed] || have.Failed != n[fairfactor.Failed] || have.Cancelled != n[fairfactor.Cancelled] {
			r.w.broke("the account of %s is %+v, %v; its jobs are %v", name, have, err, n)
		}
	}
}

// checkOrder: what a caller submitted after the answer to something else comes after
// that in its queue.
func (r *run) checkOrder() {
	var accepted []*op
	for _, o := range r.history {
		if o.verb == submit && !o.unknown && o.code == "" && !o.replay && o.key == "" {
			accepted = append(accepted, o)
		}
	}
	for _, a := range accepted {
		for _, b := range accepted {
			if a.caller == b.caller && a.end < b.call && a.id.Seq >= b.id.Seq {
				r.w.broke("%v was accepted before %v was submitted", a, b)
			}
		}
	}
}

// linearizable checks the answers about each job against the model.
func (r *run) linearizable(jobs []fairfactor.Job) {
	for i := range jobs {
		job := &jobs[i]
		if job.Key != "" && r.clockWentFar() {
			continue // a try of the same submission may have made another job of the key
		}
		var ops []porcupine.Operation
		for _, o := range r.history {
			if in, ok := r.about(o, job); ok {
				end := o.end
				if in.unknown {
					end = math.MaxInt64
				}
				ops = append(ops, porcupine.Operation{ClientId: o.client, Input: in, Call: o.call, Return: end})
			}
		}
		final := question{verb: get, state: job.State}
		ops = append(ops, porcupine.Operation{ClientId: r.opts.Clients, Input: final, Call: r.ticks + 1, Return: r.ticks + 2})
		if !porcupine.CheckOperations(model, ops) {
			r.w.broke("what was said of job %d of %s can't have happened:\n%s", job.ID.Seq, job.Caller, r.said(job))
		}
	}
}

// said prints the answers about a job.
func (r *run) said(job *fairfactor.Job) (text string) {
	for _, o := range r.history {
		if in, ok := r.about(o, job); ok {
			text += fmt.Sprintf("\t%d-%d %v, %v\n", o.call, o.end, o, in)
		}
	}
	return text + fmt.Sprintf("\tin the end: %v", job.State)
}

// about is what a request says of a job.
func (r *run) about(o *op, job *fairfactor.Job) (question, bool) {
	q := question{verb: o.verb, state: o.state, code: o.code, unknown: o.unknown, again: o.again}
	switch {
	case o.caller != job.Caller:
		return q, false
	case o.verb == submit:
		if o.unknown {
			return q, o.number == job.Number && o.key == job.Key // which it may have made, or not
		}
		return q, o.code == "" && o.id == job.ID
	case o.verb == list:
		if o.unknown || o.code != "" {
			return q, false
		}
		q.verb, q.state = get, o.jobs[job.ID]
		if q.state == 0 {
			q.code = fairfactor.NotFound
		}
		return q, true
	case o.sweep != nil:
		return r.aboutAll(o, job, q)
	case o.id != job.ID:
		return q, false
	case o.verb == get || o.verb == await:
		q.verb = get
		return q, !o.unknown && (o.code == "" || o.code == fairfactor.NotFound)
	}
	return q, o.unknown || o.code == "" || o.code == fairfactor.Conflict || o.code == fairfactor.NotFound
}
