package caller

import (
	"slices"
	"time"

	"fairfactor"
)

// slot is the place of a receipt.
type slot struct {
	of *Submit
	at int
}

// keyed is an idempotency key whose job is not durable yet, with those who sent it
// again meanwhile.
type keyed struct {
	number string
	first  slot
	again  []slot
}

// Submit accepts numbers, in order. What has no reason to wait is begun at once.
func (c *Caller) Submit(asker Asker, m *Submit) {
	m.asker, m.missing = asker, len(m.Submissions)
	m.answer.Receipts = slices.Grow(m.answer.Receipts[:0], m.missing)[:m.missing]
	if m.missing == 0 {
		c.answer(asker, &m.answer)
		return
	}
	c.visits++
	c.enrol(m.Group)
	var fresh []Submission // with keys that are not being looked up
	for i := range m.Submissions {
		sub, to := &m.Submissions[i], slot{m, i}
		switch {
		case sub.Key != "":
			if c.acceptKeyed(sub, to) {
				fresh = append(fresh, *sub)
			}
		case m.Repeated || c.repeats.find(sub.Nonce) != nil: // the first copy can come last
			c.acceptRepeated(sub, to)
		case m.Far && c.fresh(): // it may be the first copy, and a later one was taken elsewhere
			c.acceptRepeated(sub, to)
		case m.Far: // its answer may get lost
			c.acceptFar(sub, to)
		default:
			c.accept(sub, to)
		}
	}
	c.readKeys(fresh)
}

// enrol puts a caller that is not known yet into the group that its first
// submission names, if something else than a submission came before it.
func (c *Caller) enrol(group string) {
	if group != "" && c.group == "" && c.last == 0 && c.claim.Caller.Group == "" && c.queued == 0 && c.steps.count() == 0 && !c.known() {
		c.group = group
		c.add(step{op: fairfactor.Regroup, group: group, enrol: true})
	}
}

// known reports whether the claim found that jobs or settings of the caller exist.
func (c *Caller) known() bool {
	a := c.claim.Caller
	return c.claim.Last > 0 || a.Weight > 1 || a.Completed+a.Failed+a.Cancelled > 0
}

// fill puts a receipt in its place and answers when it was the last one.
func (c *Caller) fill(to slot, r fairfactor.Receipt) {
	m := to.of
	if m == nil {
		return
	}
	m.answer.Receipts[to.at] = r
	if m.missing--; m.missing == 0 {
		c.answer(m.asker, &m.answer)
	}
}

// refuse answers a submission that left no trace.
func (c *Caller) refuse(to slot, err error) {
	c.cfg.Counters.Refused.Add(1)
	c.fill(to, fairfactor.Receipt{Err: err})
}

// accept gives a job its place in the queue, puts it on its way to the store, and
// lets it begin.
func (c *Caller) accept(sub *Submission, to slot) {
	if err := c.enqueue(sub, to); err != nil {
		c.refuse(to, err)
	}
}

// enqueue is accept without an answer to a refusal.
func (c *Caller) enqueue(sub *Submission, to slot) error {
	if err := c.room(); err != nil {
		return err
	}
	if c.allowed != nil {
		if err := c.within(sub); err != nil {
			return err
		}
	}
	c.last++
	c.queued++
	p := newStep()
	p.own = fairfactor.Job{
		ID:     fairfactor.ID{Nonce: sub.Nonce, Caller: c.claim.Number, Seq: c.last},
		Caller: c.cfg.Name, Number: sub.Number, Key: sub.Key, Order: c.last,
		State: fairfactor.Pending, Submitted: c.host.Now().UTC().Truncate(time.Microsecond), Deadline: sub.Deadline, Callback: sub.Callback, Curves: sub.Curves, Trace: sub.Trace,
	}
	p.op, p.job, p.to, p.wait = fairfactor.Accept, &p.own, to, sub.Wait
	c.load.add(p.job)
	if sub.Known != nil && sub.Known.Deadly != nil && c.cfg.Deadly != nil {
		c.cfg.Deadly.Add(*sub.Known.Deadly)
	}
	switch {
	case sub.Known != nil && c.recall(p, sub.Known), c.condemn(p):
	case c.wary:
		c.backlog.Defer()
	default:
		p.admitted = c.backlog.Admit(p.job)
	}
	c.cfg.Room.taken.Add(1) // settleAccept gives it back
	c.put(p)
	c.accepts = append(c.accepts, p)
	c.expect(sub.Deadline)
	return nil
}

// add puts a step on its way.
func (c *Caller) add(s step) {
	p := newStep()
	*p = s
	c.put(p)
}

// put puts a step on its way. One that comes after the end of the activation is
// answered at once.
func (c *Caller) put(p *step) {
	if c.stopped {
		p.err = ErrMoved
		c.settle(p)
		return
	}
	c.steps.add(p)
}

// room refuses a job when the caller's queue is full.
func (c *Caller) room() error {
	switch {
	case c.stopped:
		return ErrMoved
	case c.queued >= c.queueLimit():
		e := fairfactor.Errorf(fairfactor.Limit, "the queue of caller %s is full with %d unfinished jobs: wait until some are done", c.cfg.Name, c.queued)
		e.Retry = time.Second
		e.Quota = &fairfactor.Quota{Name: "queue", Unit: "jobs", Limit: c.queueLimit()}
		return e
	case len(c.accepts) >= maxUncommitted || c.steps.count() >= 2*maxUncommitted:
		return c.tooFast()
	case c.cfg.Room.taken.Load() >= c.cfg.Room.Limit:
		return errFull
	}
	return nil
}

// errFull refuses a job while too many of all callers are on their way.
var errFull = &fairfactor.Error{
	Code: fairfactor.Unavailable, Retry: time.Second, Message: "too many changes are waiting to be written: try again in a moment",
}

func (c *Caller) tooFast() error {
	e := fairfactor.Errorf(fairfactor.Limit, "caller %s submits faster than jobs can be stored: slow down", c.cfg.Name)
	e.Retry = time.Second
	return e
}

// acceptKeyed gives the job that was submitted with the same key before, or accepts
// a new one. It reports whether the store has to be asked for the key.
func (c *Caller) acceptKeyed(sub *Submission, to slot) bool {
	if k := c.keys[sub.Key]; k != nil {
		if k.number != sub.Number {
			c.refuse(to, keyConflict(sub.Key, k.number))
			return false
		}
		k.again = append(k.again, to)
		return false
	}
	if len(c.keys) >= maxUncommitted {
		c.refuse(to, c.tooFast())
		return false
	}
	if c.keys == nil {
		c.keys = map[string]*keyed{}
	}
	c.keys[sub.Key] = &keyed{number: sub.Number, first: to}
	return true
}

// readKeys asks the store for the keys of submissions, all at once: so their jobs
// come in order.
func (c *Caller) readKeys(subs []Submission) {
	if len(subs) == 0 {
		return
	}
	r := Read{Kind: ReadKeys, Keys: make([]string, len(subs)), Since: c.host.Now().Add(-fairfactor.KeyLife), subs: subs}
	for i := range subs {
		r.Keys[i] = subs[i].Key
	}
	c.read(r)
}

// keysRead brings the jobs that the store has for keys, and accepts the others.
func (c *Caller) keysRead(r *Read) {
	for i := range r.subs {
		sub := &r.subs[i]
		job, found := r.Keyed[sub.Key]
		err := r.Err
		switch {
		case err != nil:
		case !found:
			err = c.enqueue(sub, slot{}) // which has the key resolved when it is durable
		case job.Number != sub.Number:
			err = keyConflict(sub.Key, job.Number)
		default:
			c.resolve(sub.Key, fairfactor.Receipt{Job: job, Replay: true})
		}
		if err != nil {
			c.cfg.Counters.Refused.Add(1)
			c.resolve(sub.Key, fairfactor.Receipt{Err: err})
		}
	}
}

// resolve answers all who sent a key.
func (c *Caller) resolve(key string, r fairfactor.Receipt) {
	k := c.keys[key]
	if k == nil {
		return
	}
	delete(c.keys, key)
	c.fill(k.first, r)
	r.Replay = r.Err == nil
	for _, to := range k.again {
		c.fill(to, r)
	}
}

func keyConflict(key, number string) error {
	return fairfactor.Errorf(fairfactor.Invalid, "the idempotency key %q was used for the number %.40s before: use a new key for another number", key, number)
}
