package postgres

import (
	"errors"
	"math"
	"time"

	"fairfactor"
	"fairfactor/store/journal"
	"fairfactor/store/rules"
)

// staging works out what a group of changes does, without a word to the
// database: what is stored of the callers and jobs concerned is put in, and what
// is to be written comes out. It decides about one change after the other, each
// standing on what those before it left; [rules.Decide] has the rules.
//
// What is stored is either known, because its rows are locked, or assumed: that a
// writer's epoch is the newest one, that its numbers are not in use, and that a job
// which it ends waits, without a checkpoint. Then the statements that write make
// sure of it.
type staging struct {
	accounts map[uint64]*account
	stored   map[jobKey]stored // what the database has; of no job in a zero entry
	assumed  bool
	since    uint64 // older epochs believe in what the database has lost

	jobs       map[jobKey]*staged
	order      []*staged // in the order in which they were first met
	keys       map[keyed]*fairfactor.Job
	journal    journal.Maker
	index      int64  // jobs accepted in the group
	dispatched uint64 // highest in the dispatch order
	missing    []jobKey
	learned    []fairfactor.Known
	deadly     map[string]*fairfactor.Deadly // numbers that have become deadly, nil for those that are no more
}

// jobKey names a job.
type jobKey struct{ caller, seq uint64 }

// keyed is an idempotency key of a caller.
type keyed struct {
	caller uint64
	key    string
}

// account is a row of callers as the group leaves it.
type account struct {
	rules.Account
	was      rules.Account // as it is stored, or its zero values if that is assumed
	first    uint64        // number that must be new, above all numbers if none
	changed  bool
	adjusted bool // a setting of it
}

// stored is what the database has of a job.
type stored struct {
	rules.Job
	accepted int64
}

// home is the table that has a job.
type home uint8

const (
	nowhere home = iota
	inQueue
	inJobs
)

// homeOf returns the table that has a job in that state.
func homeOf(j *rules.Job) home {
	switch {
	case j.State == 0:
		return nowhere
	case j.State.Final():
		return inJobs
	}
	return inQueue
}

// staged is a job as the group leaves it.
type staged struct {
	jobKey
	was, now   stored
	record     *fairfactor.Job // nil if the group does not change it
	checkpoint []byte          // of an unfinished job
	pieces     []fairfactor.Piece
	due, past  time.Time       // deadlines that the group brings and takes away, zero for none
	owes       *fairfactor.Job // ended with a callback
	disowned   bool            // was queued again, with a callback
}

// perGroup is how many jobs one group may accept: their places in the order of
// acceptance are the group's number, then the place within it. What is below it is
// the place within the group that is being written.
const perGroup = 1 << 20

// errMissing answers a change of a job that has not been looked up.
var errMissing = errors.New("not looked up")

// assume returns a staging of changes that suit what is stored, or false if some
// are of a kind that needs to know it.
func assume(changes []fairfactor.Change) (*staging, bool) {
	s := &staging{assumed: true}
	s.begin(nil)
	for i := range changes {
		ch := &changes[i]
		switch {
		case ch.Op != fairfactor.Accept && ch.Op != fairfactor.AcceptEnded && ch.Op != fairfactor.Finish,
			ch.Job == nil, ch.Number == 0, ch.Number > maxNumber, !storable(ch.Caller), ch.Epoch > math.MaxInt64:
			return nil, false
		}
		if s.accounts[ch.Number] == nil {
			a := &account{first: math.MaxInt64}
			a.Number, a.Name, a.Epoch = ch.Number, ch.Caller, ch.Epoch
			s.accounts[ch.Number] = a
		}
	}
	return s, true
}

// begin forgets what the group does, but not what is stored.
func (s *staging) begin(accounts []rules.Account) {
	s.accounts = make(map[uint64]*account, len(accounts))
	for i := range accounts {
		s.accounts[accounts[i].Number] = &account{Account: accounts[i], was: accounts[i], first: math.MaxInt64}
	}
	s.jobs, s.order, s.keys = make(map[jobKey]*staged), s.order[:0], nil
	s.dispatched, s.index, s.missing, s.learned, s.deadly = 0, 0, nil, nil, nil
	s.journal.Reset()
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
	if ch.Epoch < s.since {
		return fairfactor.ErrWentBack
	}
	a := s.accounts[ch.Number]
	if a == nil {
		return fairfactor.ErrFenced
	}
	effect, err := rules.Decide(ch, &a.Account, s)
	if err != nil {
		return err
	}
	if effect.Now.State != 0 {
		if err := s.take(a, ch, &effect); err != nil {
			return err
		}
	} else {
		a.adjusted = true
	}
	a.Take(&effect)
	if s.assumed && ch.Op == fairfactor.Finish {
		a.Last = max(a.Last, ch.Job.Order) // if the job waits, its numbers are in use
	}
	a.changed = true
	s.dispatched = max(s.dispatched, effect.Dispatched)
	return nil
}

// take notes what a change does to a job.
func (s *staging) take(a *account, ch *fairfactor.Change, e *rules.Effect) error {
	if len(ch.Job.Key) > maxKey || !storable(ch.Job.Key) {
		return fairfactor.Errorf(fairfactor.Invalid, "the idempotency key %.40q of job %s is too long or no text", ch.Job.Key, ch.Job.ID)
	}
	p := jobKey{ch.Number, ch.Job.ID.Seq}
	j := s.jobs[p]
	if j == nil {
		j = &staged{jobKey: p, was: s.stored[p]}
		if e.Was.State != 0 {
			j.was.Job = e.Was // also if it is assumed
		}
		j.now = j.was
		s.jobs[p] = j
		s.order = append(s.order, j)
	}
	switch ch.Op {
	case fairfactor.Accept, fairfactor.AcceptEnded:
		if s.index >= perGroup {
			return fairfactor.Errorf(fairfactor.Limit, "more than %d jobs are accepted at once", perGroup)
		}
		j.now.accepted = s.index
		s.index++
		a.first = min(a.first, ch.Job.Order)
		if ch.Job.Key != "" {
			if s.keys == nil {
				s.keys = make(map[keyed]*fairfactor.Job)
			}
			s.keys[keyed{ch.Number, ch.Job.Key}] = ch.Job
		}
	case fairfactor.Finish:
		j.checkpoint, j.pieces = nil, nil
	case fairfactor.Checkpoint:
		j.checkpoint, j.pieces = ch.Checkpoint, append(j.pieces, ch.Pieces...)
	}
	if k, ok := rules.Learned(ch); ok {
		s.learned = append(s.learned, k)
	}
	s.judge(ch)
	j.dueBy(ch)
	j.owedBy(ch)
	j.now.Job, j.record = e.Now, ch.Job
	s.journal.Add(ch)
	return nil
}

// Stored implements [rules.Jobs].
func (s *staging) Stored(ch *fairfactor.Change) (rules.Job, error) {
	p := jobKey{ch.Number, ch.Job.ID.Seq}
	if j := s.jobs[p]; j != nil {
		return j.now.Job, nil
	}
	if s.assumed {
		return rules.Job{State: fairfactor.Pending, Nonce: ch.Job.ID.Nonce, Seq: p.seq, Order: ch.Job.Order}, nil
	}
	was, known := s.stored[p]
	if !known {
		s.missing = append(s.missing, p)
		return rules.Job{}, errMissing
	}
	return was.Job, nil
}
