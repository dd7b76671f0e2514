package memory

import (
	"bytes"
	"context"

	"fairfactor"
	"fairfactor/store/journal"
	"fairfactor/store/rules"
)

// Apply implements [fairfactor.Store].
func (s *Store) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	s.events = append(s.events, journal.Maker{})
	defer s.tell()
	for i := range changes {
		if err := s.apply(&changes[i]); err != nil {
			if errs == nil {
				errs = make([]error, len(changes))
			}
			errs[i] = err
		}
	}
	return errs, nil
}

// apply makes one change or says why not.
func (s *Store) apply(ch *fairfactor.Change) error {
	c := s.callers[ch.Caller]
	if c == nil {
		c = &caller{}
	}
	effect, err := rules.Decide(ch, &c.account, c)
	if err != nil {
		return err
	}
	if !c.account.Known && !s.makeRoom(c) {
		return fairfactor.ErrTooManyCallers
	}
	switch ch.Op {
	case fairfactor.Accept, fairfactor.AcceptEnded:
		s.add(c, ch.Job)
	case fairfactor.Finish:
		j := c.jobs[ch.Job.ID.Seq]
		j.saved, j.pieces = nil, nil
	case fairfactor.Checkpoint:
		c.jobs[ch.Job.ID.Seq].save(ch)
	}
	if effect.Now.State != 0 {
		j := c.jobs[ch.Job.ID.Seq]
		j.Job, j.claim = rules.Row(ch.Job, effect.Now.State), 0
		if j.Callback != nil && j.State.Final() {
			s.owe()
		}
	}
	if k, ok := rules.Learned(ch); ok {
		s.learn(k)
	}
	s.judge(ch)
	c.account.Take(&effect)
	c.written = c.account.Epoch
	s.events[len(s.events)-1].Add(ch)
	s.dispatched = max(s.dispatched, effect.Dispatched)
	return nil
}

// Stored implements [rules.Jobs].
func (c *caller) Stored(ch *fairfactor.Change) (rules.Job, error) {
	j := c.jobs[ch.Job.ID.Seq]
	if j == nil {
		return rules.Job{}, nil
	}
	return rules.Job{
		State: j.State, Saved: j.saved != nil, Nonce: j.ID.Nonce, Seq: j.ID.Seq, Order: j.Order, CPU: j.CPU, Turns: j.Turns,
	}, nil
}

// add adds a new job, yet without its row.
func (s *Store) add(c *caller, in *fairfactor.Job) {
	j := &job{}
	s.order = append(s.order, j)
	c.jobs[in.ID.Seq] = j
	if in.Key != "" {
		c.keys[in.Key] = j
	}
}

// save keeps the progress of an unfinished job.
func (j *job) save(ch *fairfactor.Change) {
	j.saved = append([]byte(nil), ch.Checkpoint...)
	for _, p := range ch.Pieces {
		if j.pieces == nil {
			j.pieces = map[uint32][]byte{}
		}
		j.pieces[p.Number] = bytes.Clone(p.Data)
	}
}
