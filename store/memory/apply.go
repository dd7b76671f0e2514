package memory

import (
	"bytes"
	"context"
	"time"

	"fairfactor"
)

// Apply implements [fairfactor.Store].
func (s *Store) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for i := range changes {
		err := s.apply(&changes[i])
		if err == nil {
			s.callers[changes[i].Caller].known = true
		} else {
			if errs == nil {
				errs = make([]error, len(changes))
			}
			errs[i] = err
		}
	}
	return errs, nil
}

// Bounds of the numbers in an id.
const (
	maxNumber = 1<<40 - 1
	maxNonce  = 1<<48 - 1
)

// apply makes one change or says why not.
func (s *Store) apply(ch *fairfactor.Change) error {
	c := s.callers[ch.Caller]
	if c == nil || c.number != ch.Number || c.epoch != ch.Epoch {
		return fairfactor.ErrFenced
	}
	if ch.Op == fairfactor.Weigh {
		if ch.Weight < 1 || ch.Weight > fairfactor.MaxWeight {
			return fairfactor.Errorf(fairfactor.Invalid, "weight is %d: it must be between 1 and %d", ch.Weight, fairfactor.MaxWeight)
		}
		c.account.Weight = ch.Weight
		return nil
	}
	if ch.Op == fairfactor.Regroup {
		if err := fairfactor.CheckGroup(ch.Group); err != nil {
			return err
		}
		c.account.Group = ch.Group
		return nil
	}
	j := ch.Job
	if j == nil || j.ID.Caller != ch.Number || j.ID.Seq == 0 || j.ID.Seq > maxNumber || j.Order > maxNumber || j.ID.Nonce > maxNonce {
		return fairfactor.Errorf(fairfactor.Invalid, "the change has no job of caller %q", ch.Caller)
	}
	if err := s.step(c, ch); err != nil {
		return err
	}
	s.place = max(s.place, j.Turn)
	return nil
}

// step makes a change of a job.
func (s *Store) step(c *caller, ch *fairfactor.Change) error {
	switch ch.Op {
	case fairfactor.Accept:
		return s.accept(c, ch.Job)
	case fairfactor.AcceptEnded:
		return s.acceptEnded(c, ch.Job)
	case fairfactor.Finish:
		return c.finish(ch.Job)
	case fairfactor.Checkpoint:
		return c.checkpoint(ch.Job, ch.Checkpoint, ch.Pieces)
	case fairfactor.Requeue:
		return c.requeue(ch.Job)
	}
	return fairfactor.Errorf(fairfactor.Invalid, "there is no operation %d", ch.Op)
}

// accept adds a job.
func (s *Store) accept(c *caller, in *fairfactor.Job) error {
	if in.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't be accepted as %s", in.State)
	}
	if err := s.add(c, in, fairfactor.Pending); err != nil {
		return err
	}
	c.account.Queued++
	return nil
}

// acceptEnded adds a job that has ended already.
func (s *Store) acceptEnded(c *caller, in *fairfactor.Job) error {
	if !in.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't end as %s", in.State)
	}
	if err := s.add(c, in, in.State); err != nil {
		return err
	}
	c.spend(fairfactor.Job{}, in)
	*c.tally(in.State)++
	return nil
}

// add adds a new job in a state.
func (s *Store) add(c *caller, in *fairfactor.Job, state fairfactor.State) error {
	if in.Order != in.ID.Seq || in.Order <= c.last {
		return fairfactor.Errorf(fairfactor.Conflict, "sequence number %d of job %s is in use", in.ID.Seq, in.ID)
	}
	j := &job{}
	if err := j.set(in, state); err != nil {
		return err
	}
	s.order = append(s.order, j)
	c.jobs[in.ID.Seq] = j
	if in.Key != "" {
		c.keys[in.Key] = j
	}
	c.last = in.Order
	return nil
}

// finish ends an unfinished job.
func (c *caller) finish(in *fairfactor.Job) error {
	if !in.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't end as %s", in.State)
	}
	if err := c.advance(in, in.State); err != nil {
		return err
	}
	c.jobs[in.ID.Seq].saved, c.jobs[in.ID.Seq].pieces = nil, nil
	c.account.Queued--
	*c.tally(in.State)++
	return nil
}

// checkpoint saves the progress of an unfinished job.
func (c *caller) checkpoint(in *fairfactor.Job, saved []byte, pieces []fairfactor.Piece) error {
	if err := c.advance(in, fairfactor.Pending); err != nil {
		return err
	}
	j := c.jobs[in.ID.Seq]
	j.saved = append([]byte(nil), saved...)
	for _, p := range pieces {
		if j.pieces == nil {
			j.pieces = map[uint32][]byte{}
		}
		j.pieces[p.Number] = bytes.Clone(p.Data)
	}
	return nil
}

// advance replaces the record of an unfinished job.
func (c *caller) advance(in *fairfactor.Job, state fairfactor.State) error {
	have, err := c.job(in.ID)
	if err != nil {
		return err
	}
	if have.State.Final() || have.Order != in.Order {
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", in.ID)
	}
	before := have.Job
	if err := have.set(in, state); err != nil {
		return err
	}
	c.spend(before, in)
	return nil
}

// requeue puts a failed job back at the end of the queue.
func (c *caller) requeue(in *fairfactor.Job) error {
	have, err := c.job(in.ID)
	if err != nil {
		return err
	}
	if have.State != fairfactor.Failed {
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has not failed", in.ID)
	}
	if in.Order <= c.last {
		return fairfactor.Errorf(fairfactor.Conflict, "order %d of job %s is in use", in.Order, in.ID)
	}
	if err := have.set(in, fairfactor.Pending); err != nil {
		return err
	}
	c.last = in.Order
	c.account.Failed--
	c.account.Queued++
	return nil
}

// job returns a job of the caller, or not_found.
func (c *caller) job(id fairfactor.ID) (*job, error) {
	if j := c.jobs[id.Seq]; j != nil && j.ID == id {
		return j, nil
	}
	return nil, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
}

// spend adds what a job used since it was last stored.
func (c *caller) spend(have fairfactor.Job, now *fairfactor.Job) {
	c.account.CPU += max(now.CPU-have.CPU, 0)
	if now.Turns > have.Turns {
		c.account.Turns += now.Turns - have.Turns
	}
}

// tally returns the count of the caller's jobs that ended in a state.
func (c *caller) tally(state fairfactor.State) *uint64 {
	switch state {
	case fairfactor.Completed:
		return &c.account.Completed
	case fairfactor.Failed:
		return &c.account.Failed
	}
	return &c.account.Cancelled
}

// set replaces the job's record, if its number and primes are decimal.
func (j *job) set(in *fairfactor.Job, state fairfactor.State) error {
	if !decimal(in.Number) {
		return fairfactor.Errorf(fairfactor.Invalid, "number %.40q of job %s is not a string of decimal digits", in.Number, in.ID)
	}
	for _, f := range in.Factors {
		if !decimal(f.Prime) {
			return fairfactor.Errorf(fairfactor.Invalid, "prime %.40q of job %s is not a string of decimal digits", f.Prime, in.ID)
		}
	}
	j.Job = *in
	j.State = state
	j.Progress = nil
	if !state.Final() {
		j.Finished = time.Time{}
	}
	j.Factors = append([]fairfactor.Factor(nil), in.Factors...)
	for _, t := range []*time.Time{&j.Submitted, &j.Started, &j.Finished} {
		*t = kept(*t)
	}
	return nil
}

func decimal(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// kept returns a time as every store keeps it: in microseconds, in UTC.
func kept(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}
