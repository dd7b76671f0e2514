package storetest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"fairfactor"
)

// Bounds of the numbers in an id.
const (
	maxNumber = 1<<40 - 1
	maxNonce  = 1<<48 - 1
)

func (m *model) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := make([]error, len(changes))
	some := false
	for i := range changes {
		errs[i] = m.do(&changes[i])
		some = some || errs[i] != nil
	}
	if !some {
		return nil, nil
	}
	return errs, nil
}

// do makes one change or says why not; one that takes effect makes its caller known.
func (m *model) do(ch *fairfactor.Change) error {
	c := m.called(ch.Caller)
	full := c != nil && !c.known && m.full() && m.spare(c) == nil
	if full && c.number == ch.Number && c.epoch == ch.Epoch {
		return fairfactor.ErrTooManyCallers // whatever else is wrong with it
	}
	err := m.change(ch)
	if err == nil && !c.known && m.full() {
		m.remove(m.spare(c))
	}
	if err == nil {
		c := m.called(ch.Caller)
		c.known, c.wrote = true, c.epoch
		m.learnFrom(ch)
		m.judge(ch)
		m.happened(ch)
	}
	return err
}

// change is do, without what it makes known.
func (m *model) change(ch *fairfactor.Change) error {
	c := m.called(ch.Caller)
	if c == nil || c.number != ch.Number || c.epoch != ch.Epoch || c.epoch == 0 { // zero: not claimed in this process
		return fairfactor.ErrFenced
	}
	if ch.Op == fairfactor.Weigh {
		if ch.Weight < 1 || ch.Weight > fairfactor.MaxWeight {
			return fairfactor.Errorf(fairfactor.Invalid, "weight is %d", ch.Weight)
		}
		c.weight = ch.Weight
		return nil
	}
	if ch.Op == fairfactor.Regroup {
		if err := fairfactor.CheckGroup(ch.Group); err != nil {
			return err
		}
		c.group, c.placed = ch.Group, c.placed || !ch.Enrol
		return nil
	}
	if ch.Op == fairfactor.Pause {
		c.paused = ch.Paused
		return nil
	}
	if ch.Op == fairfactor.Bound {
		if ch.Bounds == nil || ch.Bounds.MaxRate > fairfactor.MaxRateBound {
			return fairfactor.Errorf(fairfactor.Invalid, "bounds are %v", ch.Bounds)
		}
		if c.bounds = *ch.Bounds; c.bounds.MaxQueue+c.bounds.MaxRate+c.bounds.MaxDigits+uint64(c.bounds.MaxCPU) == 0 {
			c.bounds = fairfactor.Bounds{}
		}
		return nil
	}
	if j := ch.Job; j == nil || j.ID.Caller != c.number || j.ID.Seq < 1 || j.ID.Seq > maxNumber || j.Order > maxNumber || j.ID.Nonce > maxNonce {
		return fairfactor.Errorf(fairfactor.Invalid, "the change has no job of caller %q", c.name)
	}
	if err := m.step(c, ch); err != nil {
		return err
	}
	m.place = max(m.place, ch.Job.Turn)
	return nil
}

// step makes a change of a job.
func (m *model) step(c *modelCaller, ch *fairfactor.Change) error {
	switch ch.Op {
	case fairfactor.Accept:
		return m.accept(c, ch.Job)
	case fairfactor.AcceptEnded:
		return m.acceptEnded(c, ch.Job)
	case fairfactor.Finish, fairfactor.Checkpoint:
		if ch.Op == fairfactor.Finish && !ch.Job.State.Final() {
			return fairfactor.Errorf(fairfactor.Invalid, "a job can't end as %s", ch.Job.State)
		}
		return m.advance(ch)
	case fairfactor.Requeue:
		return m.requeue(c, ch.Job)
	}
	return fairfactor.Errorf(fairfactor.Invalid, "there is no operation %d", ch.Op)
}

func (m *model) accept(c *modelCaller, in *fairfactor.Job) error {
	switch {
	case in.State.Final():
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't be accepted as %s", in.State)
	case in.Order != in.ID.Seq || in.Order <= m.last(c):
		return fairfactor.Errorf(fairfactor.Conflict, "sequence number %d is in use", in.ID.Seq)
	case !digitsOnly(in):
		return fairfactor.Errorf(fairfactor.Invalid, "not decimal digits")
	}
	j := &modelJob{orders: []uint64{in.Order}}
	j.spend(in)
	j.set(in, fairfactor.Pending)
	m.jobs = append(m.jobs, j)
	return nil
}

// acceptEnded is Accept of the job as it was before, and Finish of it.
func (m *model) acceptEnded(c *modelCaller, in *fairfactor.Job) error {
	if !in.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't end as %s", in.State)
	}
	before := *in
	before.State, before.CPU, before.Turns = fairfactor.Pending, 0, 0
	if err := m.accept(c, &before); err != nil {
		return err
	}
	return m.advance(&fairfactor.Change{Op: fairfactor.Finish, Job: in})
}

// advance saves the progress of an unfinished job, or its end.
func (m *model) advance(ch *fairfactor.Change) error {
	j := m.stored(ch.Job.ID)
	switch {
	case j == nil:
		return fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", ch.Job.ID)
	case j.State.Final() || j.Order != ch.Job.Order:
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", ch.Job.ID)
	case !digitsOnly(ch.Job):
		return fairfactor.Errorf(fairfactor.Invalid, "not decimal digits")
	}
	j.spend(ch.Job)
	if ch.Op == fairfactor.Finish {
		j.set(ch.Job, ch.Job.State)
		j.checkpoint, j.pieces = nil, nil
		return nil
	}
	for _, p := range ch.Pieces {
		if j.pieces == nil {
			j.pieces = map[uint32][]byte{}
		}
		j.pieces[p.Number] = p.Data
	}
	j.set(ch.Job, fairfactor.Pending)
	j.checkpoint = nil
	if len(ch.Checkpoint) > 0 {
		j.checkpoint = bytes.Clone(ch.Checkpoint)
	}
	return nil
}

func (m *model) requeue(c *modelCaller, in *fairfactor.Job) error {
	j := m.stored(in.ID)
	switch {
	case j == nil:
		return fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", in.ID)
	case j.State != fairfactor.Failed:
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has not failed", in.ID)
	case in.Order <= m.last(c):
		return fairfactor.Errorf(fairfactor.Conflict, "order %d is in use", in.Order)
	case !digitsOnly(in):
		return fairfactor.Errorf(fairfactor.Invalid, "not decimal digits")
	}
	j.orders = append(j.orders, in.Order)
	j.set(in, fairfactor.Pending)
	return nil
}

// spend adds what the job used since it was last stored.
func (j *modelJob) spend(now *fairfactor.Job) {
	j.cpu += max(0, now.CPU-j.CPU)
	j.turns += max(j.Turns, now.Turns) - j.Turns
}

// set replaces the job's record.
func (j *modelJob) set(in *fairfactor.Job, state fairfactor.State) {
	j.Job = *in
	j.State, j.Progress = state, nil
	if !state.Final() {
		j.Finished = time.Time{}
	}
	j.Submitted, j.Started, j.Finished = asStored(j.Submitted), asStored(j.Started), asStored(j.Finished)
	j.Deadline = asStored(j.Deadline)
	j.claim = 0
	if in.Callback != nil {
		j.Callback = &fairfactor.Callback{URL: in.Callback.URL}
		if state.Final() {
			j.Callback.State, j.Callback.Next = fairfactor.DeliveryPending, asStored(in.Finished)
		}
	}
	j.Factors, j.Curves = nil, nil
	if len(in.Factors) > 0 {
		j.Factors = slices.Clone(in.Factors)
	}
	if len(in.Curves) > 0 {
		j.Curves = slices.Clone(in.Curves)
	}
}

// digitsOnly reports whether the number and the primes of a job are decimal.
func digitsOnly(j *fairfactor.Job) bool {
	text := j.Number
	for _, f := range j.Factors {
		text += f.Prime
	}
	return strings.Trim(text, "0123456789") == "" // only digits are trimmed from the ends
}
