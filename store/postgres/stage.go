package postgres

import (
	"errors"
	"time"

	"fairfactor"
)

// staging works out what a group of changes does, without a word to the
// database: what is stored of the callers and jobs concerned is put in, and what
// is to be written comes out. It decides about one change after the other, each
// standing on what those before it left.
type staging struct {
	callers map[uint64]*account
	stored  map[place]stored // what the database has; entries without a home: nothing
	group   int64            // number of the group
	index   int64            // jobs accepted in it

	jobs    map[place]*staged
	order   []*staged // in the order in which they were first met
	keys    map[keyed]*fairfactor.Job
	place   uint64 // highest in the dispatch order
	missing []place
}

// place names a job.
type place struct{ caller, seq uint64 }

// keyed is an idempotency key of a caller.
type keyed struct {
	caller uint64
	key    string
}

// account is a row of callers.
type account struct {
	number, epoch, last                  uint64
	name                                 string
	weight                               int64
	queued, completed, failed, cancelled uint64
	cpu                                  time.Duration
	turns                                uint64
	changed                              bool
}

// home is the table that has a job.
type home uint8

const (
	nowhere home = iota
	inQueue
	inJobs
)

// stored is what deciding about a change needs to know of a job.
type stored struct {
	home     home
	state    fairfactor.State
	ord      uint64
	nonce    uint64
	accepted int64
	cpu      time.Duration
	turns    uint64
}

// staged is a job as the group leaves it.
type staged struct {
	place
	was        stored
	now        stored
	record     *fairfactor.Job // nil if the group does not change it
	checkpoint []byte          // of an unfinished job
	pieces     []fairfactor.Piece
}

// perGroup is how many jobs one group may accept: their places in the order of
// acceptance are the group's number, then the place within it.
const perGroup = 1 << 20

// errMissing answers a change of a job of which is not known what is stored.
var errMissing = errors.New("not looked up")

// begin forgets what the group does, but not what is stored.
func (s *staging) begin(accounts []account) {
	s.callers = make(map[uint64]*account, len(accounts))
	for i := range accounts {
		a := accounts[i]
		s.callers[a.number] = &a
	}
	s.jobs, s.order, s.keys = make(map[place]*staged), s.order[:0], nil
	s.place, s.index, s.missing = 0, 0, nil
}

// run decides about all changes. Nil is for a group in which none is refused.
func (s *staging) run(changes []fairfactor.Change) (errs []error) {
	for i := range changes {
		if err := s.change(&changes[i]); err != nil {
			if errs == nil {
				errs = make([]error, len(changes))
			}
			errs[i] = err
		}
	}
	return errs
}

// change makes one change or says why not.
func (s *staging) change(ch *fairfactor.Change) error {
	a := s.callers[ch.Number]
	if a == nil || a.name != ch.Caller || a.epoch != ch.Epoch {
		return fairfactor.ErrFenced
	}
	if ch.Op == fairfactor.Weigh {
		if ch.Weight < 1 || ch.Weight > fairfactor.MaxWeight {
			return fairfactor.Errorf(fairfactor.Invalid, "weight is %d: it must be between 1 and %d", ch.Weight, fairfactor.MaxWeight)
		}
		a.weight, a.changed = int64(ch.Weight), true
		return nil
	}
	j := ch.Job
	if j == nil || j.ID.Caller != ch.Number || j.ID.Seq == 0 || j.ID.Seq > maxNumber || j.Order > maxNumber || j.ID.Nonce > maxNonce {
		return fairfactor.Errorf(fairfactor.Invalid, "the change has no job of caller %q", ch.Caller)
	}
	if err := s.step(a, ch); err != nil {
		return err
	}
	a.changed = true
	s.place = max(s.place, j.Turn)
	return nil
}

// step makes a change of a job.
func (s *staging) step(a *account, ch *fairfactor.Change) error {
	switch ch.Op {
	case fairfactor.Accept:
		return s.accept(a, ch.Job)
	case fairfactor.Finish:
		return s.finish(a, ch.Job)
	case fairfactor.Checkpoint:
		return s.advance(a, ch.Job, ch.Checkpoint, ch.Pieces)
	case fairfactor.Requeue:
		return s.requeue(a, ch.Job)
	}
	return fairfactor.Errorf(fairfactor.Invalid, "there is no operation %d", ch.Op)
}

// accept adds a job.
func (s *staging) accept(a *account, in *fairfactor.Job) error {
	if in.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't be accepted as %s", in.State)
	}
	if in.Order != in.ID.Seq || in.Order <= a.last {
		return fairfactor.Errorf(fairfactor.Conflict, "sequence number %d of job %s is in use", in.ID.Seq, in.ID)
	}
	if err := checkTexts(in); err != nil {
		return err
	}
	if s.index >= perGroup {
		return fairfactor.Errorf(fairfactor.Limit, "more than %d jobs are accepted at once", perGroup)
	}
	j := &staged{place: place{a.number, in.ID.Seq}}
	j.now = stored{home: inQueue, ord: in.Order, nonce: in.ID.Nonce, accepted: s.group*perGroup + s.index}
	s.index++
	s.jobs[j.place] = j
	s.order = append(s.order, j)
	a.spend(&j.now, in)
	j.set(in, fairfactor.Pending)
	if in.Key != "" {
		if s.keys == nil {
			s.keys = make(map[keyed]*fairfactor.Job)
		}
		s.keys[keyed{a.number, in.Key}] = in
	}
	a.last = in.Order
	a.queued++
	return nil
}

// finish ends an unfinished job.
func (s *staging) finish(a *account, in *fairfactor.Job) error {
	if !in.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't end as %s", in.State)
	}
	j, err := s.unfinished(in)
	if err != nil {
		return err
	}
	a.spend(&j.now, in)
	j.set(in, in.State)
	j.now.home, j.checkpoint, j.pieces = inJobs, nil, nil
	a.queued--
	*a.tally(in.State)++
	return nil
}

// advance saves the progress of an unfinished job.
func (s *staging) advance(a *account, in *fairfactor.Job, checkpoint []byte, pieces []fairfactor.Piece) error {
	j, err := s.unfinished(in)
	if err != nil {
		return err
	}
	a.spend(&j.now, in)
	j.set(in, fairfactor.Pending)
	j.checkpoint, j.pieces = checkpoint, append(j.pieces, pieces...)
	return nil
}

// requeue puts a failed job back at the end of the queue.
func (s *staging) requeue(a *account, in *fairfactor.Job) error {
	j, err := s.job(in.ID)
	if err != nil {
		return err
	}
	if j.now.state != fairfactor.Failed {
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has not failed", in.ID)
	}
	if in.Order <= a.last {
		return fairfactor.Errorf(fairfactor.Conflict, "order %d of job %s is in use", in.Order, in.ID)
	}
	if err := checkTexts(in); err != nil {
		return err
	}
	j.now.home, j.now.ord = inQueue, in.Order
	j.set(in, fairfactor.Pending)
	a.last = in.Order
	a.failed--
	a.queued++
	return nil
}

// unfinished returns the job that a change goes on from, if it has not ended.
func (s *staging) unfinished(in *fairfactor.Job) (*staged, error) {
	j, err := s.job(in.ID)
	if err != nil {
		return nil, err
	}
	if j.now.state.Final() || j.now.ord != in.Order {
		return nil, fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", in.ID)
	}
	return j, checkTexts(in)
}

// job returns a job as the changes before left it.
func (s *staging) job(id fairfactor.ID) (*staged, error) {
	p := place{id.Caller, id.Seq}
	j := s.jobs[p]
	if j == nil {
		was, known := s.stored[p]
		if !known {
			s.missing = append(s.missing, p)
			return nil, errMissing
		}
		j = &staged{place: p, was: was, now: was}
		s.jobs[p] = j
		s.order = append(s.order, j)
	}
	if j.now.home == nowhere || j.now.nonce != id.Nonce {
		return nil, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
	}
	return j, nil
}

// set replaces the record of a job.
func (j *staged) set(in *fairfactor.Job, state fairfactor.State) {
	j.record = in
	j.now.state, j.now.cpu, j.now.turns = state, in.CPU, in.Turns
}

// spend adds what a job used since it was last stored.
func (a *account) spend(was *stored, now *fairfactor.Job) {
	a.cpu += max(now.CPU-was.cpu, 0)
	if now.Turns > was.turns {
		a.turns += now.Turns - was.turns
	}
}

// tally returns the count of the caller's jobs that ended in a state.
func (a *account) tally(state fairfactor.State) *uint64 {
	switch state {
	case fairfactor.Completed:
		return &a.completed
	case fairfactor.Failed:
		return &a.failed
	}
	return &a.cancelled
}

// checkTexts refuses a job whose texts are not what they should be.
func checkTexts(j *fairfactor.Job) error {
	if !digits(j.Number) {
		return fairfactor.Errorf(fairfactor.Invalid, "number %.40q of job %s is not a string of decimal digits", j.Number, j.ID)
	}
	for _, f := range j.Factors {
		if !digits(f.Prime) {
			return fairfactor.Errorf(fairfactor.Invalid, "prime %.40q of job %s is not a string of decimal digits", f.Prime, j.ID)
		}
	}
	if len(j.Key) > maxKey || !storable(j.Key) {
		return fairfactor.Errorf(fairfactor.Invalid, "the idempotency key %.40q of job %s is too long or no text", j.Key, j.ID)
	}
	return nil
}
