// Package rules decides what a change does to a job and to the account of its
// caller. Every store asks it: the store reads the rows that a change concerns,
// [Decide] checks the change and says what becomes of them, and the store writes
// that. So each check, and each sentence of a refusal, stands once.
//
// The package holds no state, does no I/O and allocates nothing unless it
// refuses. It does not know how rows are kept, what an expired job leaves behind,
// or when a change is durable.
//
// Start reading at [Decide].
package rules

import (
	"time"

	"fairfactor"
)

// Bounds of the numbers in a change.
const (
	MaxNumber = 1<<40 - 1 // of a caller, a sequence number or an order
	MaxNonce  = 1<<48 - 1 // of an id
)

// Account is a caller's row.
type Account struct {
	Name   string
	Group  string             // empty for none
	Number uint64             // from 1
	Epoch  uint64             // of the last activation
	Last   uint64             // highest sequence or order number in use, 0 if none
	Weight int                // 1 to [fairfactor.MaxWeight]
	Known  bool               // a change of the caller took effect
	Paused bool               // it gets no turns
	Placed bool               // an operator has chosen its group, which may be none
	Bounds *fairfactor.Bounds // nil for none; what it points to is never changed

	Queued    uint64 // unfinished jobs
	Completed uint64
	Failed    uint64
	Cancelled uint64
	CPU       time.Duration // used by jobs, as far as it was stored
	Turns     uint64        // likewise
}

// Job is what the rules need to know of a stored job, the head of its row.
type Job struct {
	State fairfactor.State // zero for a job that does not exist
	Saved bool             // it has a checkpoint; a store that does not know says true
	Nonce uint64
	Seq   uint64
	Order uint64
	CPU   time.Duration
	Turns uint64
}

// Jobs is where a rule finds the job that a change goes on from.
type Jobs interface {
	// Stored returns the job at the caller and the sequence number of ch.Job.ID as
	// the changes before this one left it, the zero Job if it does not exist. Its error
	// becomes that of the change.
	Stored(ch *fairfactor.Change) (Job, error)
}

// Effect is what a change does. Differences are to be added to the account.
type Effect struct {
	Op fairfactor.Op

	Was Job // the job before, zero if it is new or the change has none
	Now Job // the job from now on: its row is that of Change.Job in this state

	// Last is the caller's highest sequence or order number in use from now on.
	Last uint64
	// Differences of the tallies.
	Queued, Completed, Failed, Cancelled int
	CPU                                  time.Duration // not negative
	Turns                                uint64

	Weight     int                // Weigh only: the new one
	Group      string             // Regroup only: the new one
	Placed     bool               // Regroup only: an operator has chosen it
	Paused     bool               // Pause only
	Bounds     *fairfactor.Bounds // Bound only: nil for none
	Dispatched uint64             // dispatch number that the job says; zero if it has no turn yet
}

// Decide says what a change does, or why it is refused. account is the caller's
// row as the changes before this one left it, nil if it does not exist. The account
// stays as it is: [Account.Take] brings it up to date.
func Decide(ch *fairfactor.Change, account *Account, jobs Jobs) (Effect, error) {
	if account == nil || account.Number != ch.Number || account.Epoch != ch.Epoch || account.Name != ch.Caller {
		return Effect{}, fairfactor.ErrFenced
	}
	e := Effect{Op: ch.Op, Last: account.Last}
	switch ch.Op {
	case fairfactor.Weigh:
		e.Weight = ch.Weight
		return e, fairfactor.CheckWeight(ch.Weight)
	case fairfactor.Regroup:
		e.Group, e.Placed = ch.Group, account.Placed || !ch.Enrol
		return e, fairfactor.CheckGroup(ch.Group)
	case fairfactor.Pause:
		e.Paused = ch.Paused
		return e, nil
	case fairfactor.Bound:
		if ch.Bounds == nil {
			return Effect{}, fairfactor.Errorf(fairfactor.Invalid, "the change has no bounds of caller %q", ch.Caller)
		}
		if ch.Bounds.Set() {
			e.Bounds = ch.Bounds
		}
		return e, fairfactor.CheckBounds(*ch.Bounds)
	}
	j := ch.Job
	if j == nil || j.ID.Caller != ch.Number || j.ID.Seq == 0 || j.ID.Seq > MaxNumber || j.Order > MaxNumber || j.ID.Nonce > MaxNonce {
		return Effect{}, fairfactor.Errorf(fairfactor.Invalid, "the change has no job of caller %q", ch.Caller)
	}
	if err := e.decide(ch, account, jobs); err != nil {
		return Effect{}, err
	}
	e.Dispatched = j.Turn
	return e, nil
}

// decide is Decide for a change of a job.
func (e *Effect) decide(ch *fairfactor.Change, a *Account, jobs Jobs) error {
	switch ch.Op {
	case fairfactor.Accept:
		if ch.Job.State.Final() {
			return fairfactor.Errorf(fairfactor.Invalid, "a job can't be accepted as %s", ch.Job.State)
		}
		return e.add(ch.Job, a, fairfactor.Pending)
	case fairfactor.AcceptEnded:
		if err := checkEnd(ch.Job); err != nil {
			return err
		}
		return e.add(ch.Job, a, ch.Job.State)
	case fairfactor.Finish:
		if err := checkEnd(ch.Job); err != nil {
			return err
		}
		return e.advance(ch, jobs, ch.Job.State)
	case fairfactor.Checkpoint:
		return e.advance(ch, jobs, fairfactor.Pending)
	case fairfactor.Requeue:
		return e.requeue(ch, a, jobs)
	}
	return fairfactor.Errorf(fairfactor.Invalid, "there is no operation %d", ch.Op)
}

// add adds a new job in a state.
func (e *Effect) add(j *fairfactor.Job, a *Account, state fairfactor.State) error {
	if j.Order != j.ID.Seq || j.Order <= a.Last {
		return fairfactor.Errorf(fairfactor.Conflict, "sequence number %d of job %s is in use", j.ID.Seq, j.ID)
	}
	if err := checkDigits(j); err != nil {
		return err
	}
	e.Last = j.Order
	e.become(j, state, false)
	e.count(state, 1)
	e.spend()
	return nil
}

// advance stores an unfinished job again, in a state that may be final.
func (e *Effect) advance(ch *fairfactor.Change, jobs Jobs, state fairfactor.State) error {
	j := ch.Job
	if err := e.find(ch, jobs); err != nil {
		return err
	}
	if e.Was.State.Final() || e.Was.Order != j.Order {
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", j.ID)
	}
	if err := checkDigits(j); err != nil {
		return err
	}
	e.become(j, state, !state.Final())
	e.count(fairfactor.Pending, -1)
	e.count(state, 1)
	e.spend()
	return nil
}

// requeue puts a failed job back at the end of its caller's queue.
func (e *Effect) requeue(ch *fairfactor.Change, a *Account, jobs Jobs) error {
	j := ch.Job
	if err := e.find(ch, jobs); err != nil {
		return err
	}
	if e.Was.State != fairfactor.Failed {
		return fairfactor.Errorf(fairfactor.Conflict, "job %s has not failed", j.ID)
	}
	if j.Order <= a.Last {
		return fairfactor.Errorf(fairfactor.Conflict, "order %d of job %s is in use", j.Order, j.ID)
	}
	if err := checkDigits(j); err != nil {
		return err
	}
	e.Last = j.Order
	e.become(j, fairfactor.Pending, false)
	e.count(fairfactor.Failed, -1)
	e.count(fairfactor.Pending, 1)
	return nil
}

// find looks up the job that the change goes on from.
func (e *Effect) find(ch *fairfactor.Change, jobs Jobs) (err error) {
	if e.Was, err = jobs.Stored(ch); err != nil {
		return err
	}
	if e.Was.State == 0 || e.Was.Nonce != ch.Job.ID.Nonce {
		return fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", ch.Job.ID)
	}
	return nil
}

// become sets what the job is from now on.
func (e *Effect) become(j *fairfactor.Job, state fairfactor.State, saved bool) {
	e.Now = Job{State: state, Saved: saved, Nonce: j.ID.Nonce, Seq: j.ID.Seq, Order: j.Order, CPU: j.CPU, Turns: j.Turns}
}

// spend counts what the job used since it was last stored.
func (e *Effect) spend() {
	e.CPU = max(e.Now.CPU-e.Was.CPU, 0)
	e.Turns = max(e.Now.Turns, e.Was.Turns) - e.Was.Turns
}

// count adds to the tally of a state.
func (e *Effect) count(state fairfactor.State, n int) {
	switch state {
	case fairfactor.Completed:
		e.Completed += n
	case fairfactor.Failed:
		e.Failed += n
	case fairfactor.Cancelled:
		e.Cancelled += n
	default:
		e.Queued += n
	}
}

// Take brings the account up to date with a change that took effect.
func (a *Account) Take(e *Effect) {
	a.Known = true
	switch e.Op {
	case fairfactor.Weigh:
		a.Weight = e.Weight
		return
	case fairfactor.Regroup:
		a.Group, a.Placed = e.Group, e.Placed
		return
	case fairfactor.Pause:
		a.Paused = e.Paused
		return
	case fairfactor.Bound:
		a.Bounds = e.Bounds
		return
	}
	a.Last = e.Last
	a.Queued += uint64(e.Queued) // a negative one wraps to what it should be
	a.Completed += uint64(e.Completed)
	a.Failed += uint64(e.Failed)
	a.Cancelled += uint64(e.Cancelled)
	a.CPU += e.CPU
	a.Turns += e.Turns
}

// Plain reports whether nothing is set for the caller that has to be kept when it has no
// jobs.
func (a *Account) Plain() bool {
	return a.Weight == 1 && !a.Paused && !a.Placed && a.Bounds == nil
}

// Caller returns the account as a store shows it, without the age of the oldest
// job and what runs.
func (a *Account) Caller() fairfactor.Caller {
	c := fairfactor.Caller{
		Name: a.Name, Group: a.Group, Weight: a.Weight, Paused: a.Paused, Queued: a.Queued,
		Completed: a.Completed, Failed: a.Failed, Cancelled: a.Cancelled, CPU: a.CPU, Turns: a.Turns,
	}
	if a.Bounds != nil {
		c.Bounds = *a.Bounds
	}
	return c
}

// checkEnd refuses the end of a job that is in no final state.
func checkEnd(j *fairfactor.Job) error {
	if !j.State.Final() {
		return fairfactor.Errorf(fairfactor.Invalid, "a job can't end as %s", j.State)
	}
	return nil
}

// checkDigits refuses a job whose number or primes are not decimal.
func checkDigits(j *fairfactor.Job) error {
	if !Decimal(j.Number) {
		return fairfactor.Errorf(fairfactor.Invalid, "number %.40q of job %s is not a string of decimal digits", j.Number, j.ID)
	}
	for i := range j.Factors {
		if !Decimal(j.Factors[i].Prime) {
			return fairfactor.Errorf(fairfactor.Invalid, "prime %.40q of job %s is not a string of decimal digits", j.Factors[i].Prime, j.ID)
		}
	}
	return nil
}

// Decimal reports whether a text has no byte but decimal digits.
func Decimal(text string) bool {
	for i := range len(text) {
		if text[i]-'0' > 9 {
			return false
		}
	}
	return true
}
