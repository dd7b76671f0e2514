package caller

import (
	"log/slog"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/share"
)

// Host is what a caller needs of the world around it. Its methods do not block and
// do not call back.
type Host interface {
	// Now is the time. It is given to others, so it must not run far ahead of that of
	// other nodes.
	Now() time.Time
	// Offer tells the scheduler of turns, which are good until it returns; Withdraw
	// takes those of a job back.
	Offer(Offer)
	Withdraw(seq uint64)
	// Answer brings who asked an answer: [*Receipts], [Jobs], [Account] or an error.
	Answer(to Asker, answer any)
	// Read begins a read of the store or a claim; [Caller.Done] is called with its
	// results.
	Read(*Read)
	// Want tells the actor of a number what the caller wants of it.
	Want(share.Want)
	// Commit says that [Caller.Steps] has steps to take, see package commit.
	Commit(*Steps)
	// Hold has [Steps.Release] called after a time, once.
	Hold(s *Steps, d time.Duration)
	// Arrived says, from any goroutine, that the results of steps are there:
	// [Caller.Written] must be called soon.
	Arrived()
	// Progress shows what long jobs are doing to those who list jobs; nil is nothing.
	Progress(running []fairfactor.Job, cpu time.Duration, turns uint64)
	// Log is for what a person should know.
	Log() *slog.Logger
}

// Asker stands for the one that waits for an answer, nil if no one does.
type Asker any

// Offer gives the scheduler turns of a caller; More says that there are others.
type Offer struct {
	Group  string
	Known  int           // jobs that ended without a turn since the last offer
	Charge time.Duration // the caller's part in turns that others ran for it, since then
	Epoch  uint64        // of the activation
	Weight int
	Turns  []backlog.Turn
	More   bool
	Again  bool // some of the turns may have been offered before
	// Jobs is how many jobs of the caller are unfinished, Work the CPU that they
	// probably take, and Oldest since when the first one waits that is not in Turns and
	// was not offered before, zero if all were.
	Jobs   uint64
	Work   time.Duration
	Oldest time.Time
}

// Submit asks for jobs. It is answered with [*Receipts], which are a part of it: until
// then it is the caller's, and afterwards whose it was before.
type Submit struct {
	Submissions []Submission
	Group       string // of the caller if it is new
	Repeated    bool   // an earlier try may have been accepted
	Far         bool   // the answer may get lost: the submission may be repeated

	asker   Asker
	missing int      // receipts
	answer  Receipts // complete when none is missing
}

// Reset empties a message that was answered, so that it can be used again.
func (m *Submit) Reset() {
	clear(m.Submissions)
	clear(m.answer.Receipts)
	*m = Submit{Submissions: m.Submissions[:0], answer: Receipts{m.answer.Receipts[:0]}}
}

// Submission is a number to factor.
type Submission struct {
	Number string
	Key    string // idempotency key, empty for none
	Nonce  uint64 // of the job's id; the same when it is repeated
	Wait   bool   // who submits waits for the end, not for the receipt
	// Known are primes of the number, which were checked; nil for most.
	Known *fairfactor.Known
	// Curves are those that were run on the number elsewhere, nil for most.
	Curves []fairfactor.Curves
	// Callback is whom to tell of the job's end, nil for most.
	Callback *fairfactor.Callback
	// Trace is where the job belongs in the submitter's trace, nil for most.
	Trace *fairfactor.Trace
	// Deadline is when the job is cancelled if it has not ended, zero for never.
	Deadline time.Time
}

// Receipts answers a [Submit], one for each submission.
type Receipts struct{ Receipts []fairfactor.Receipt }

// Jobs answers with jobs as they are now; none if they are not in memory: the store
// knows.
type Jobs struct{ Jobs []fairfactor.Job }

// LeftWork answers an [AskLeft].
type LeftWork struct {
	Found bool                // something is left
	Given []fairfactor.Factor // primes of the number, which the checkpoint is without
	Data  []byte              // the checkpoint, or a piece
}

// Account answers with what the store does not know of a caller.
type Account struct {
	Weight  int
	Group   string
	Running uint64
	CPU     time.Duration // of finished turns that no checkpoint has booked yet
	Turns   uint64        // these turns
}

// Outcomes brings what came of turns that this activation offered.
type Outcomes struct{ Outcomes []Outcome }

// Outcome is what came of a turn.
type Outcome struct {
	Epoch uint64 // of the activation that offered it
	backlog.Outcome
}

// ErrMoved is said to those who wait for an activation that stops: what they asked
// for left no trace, and the next activation takes it. The node that asked repeats
// it, so a person hears of it only if that takes too long.
var ErrMoved = &fairfactor.Error{
	Code: fairfactor.Unavailable, Message: "the caller's queue is moving to another node: try again", Retry: time.Second,
}

// What is read, see [Read].
const (
	ReadClaim   ReadKind = iota + 1 // the claim of an epoch: Group -> Claim
	ReadPage                        // unfinished jobs: After -> Page
	ReadPiece                       // of a checkpoint: Order, Number, or Digits, From, Number -> Piece
	ReadKeys                        // jobs of idempotency keys: Keys, Since -> Keyed
	ReadJob                         // Job.ID -> Job
	ReadEarlier                     // newest jobs: Since -> Earlier
	ReadKnown                       // what is known of a number: Digits, Own -> Known, Factors, Found
	ReadJobs                        // Many.IDs -> Jobs
	ReadLeft                        // what another caller's job has left of a number: Digits, From -> Left, Known
)

// ReadKind says what a [Read] reads.
type ReadKind uint8

// Read is a question to the store and its answer.
type Read struct {
	Kind   ReadKind
	Wait   time.Duration // before it is begun
	Group  string
	After  uint64
	Order  uint64
	Number int
	Keys   []string
	Since  time.Time
	Digits string
	Own    bool // also the large primes of the caller's own jobs, unless all of the number is known
	Many   *Many
	From   string // another caller that has it, empty for the store

	Claim   fairfactor.Claim
	Page    []fairfactor.Waiting
	Piece   []byte
	Keyed   map[string]fairfactor.Job
	Job     fairfactor.Job
	Jobs    []fairfactor.Job           // each at the place of its id
	Earlier map[uint64]*fairfactor.Job // by nonce
	Known   *fairfactor.Known          // nil if nothing is, or it can't be read
	Factors []fairfactor.Factor        // of at least [DivisorDigits] digits, of the newest [DivisorJobs] that ended, newest first
	Found   bool                       // Factors could be read
	Left    LeftWork
	Err     error

	purpose purpose      // what a job is read for
	asker   Asker        // who wants that
	subs    []Submission // that have the keys, in order
	died    backlog.Died // of the job
}

// purpose is what a job is read for.
type purpose uint8

const (
	toWake   purpose = iota + 1 // those who wait for its end
	toCancel                    // for asker
	toRetry                     // for asker
	toExpire                    // for asker, if its deadline has passed
	toMourn                     // for asker, because a process died with it
)
