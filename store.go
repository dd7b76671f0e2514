package fairfactor

import (
	"context"
	"time"
)

// Store keeps what must survive a crash: jobs, callers, epochs. Only a caller's
// current activation writes that caller's jobs. Every write carries the epoch of the
// activation; the store refuses a write with an older epoch than the last one
// claimed with conflict.
//
// Errors are [*Error]: unavailable if the store can't be reached or written,
// internal if it holds data that it can't read (which is reported, never
// served). All methods may be called from many goroutines at once.
type Store interface {
	AccountStore
	KnownStore
	DeadlyStore
	DeadlineStore
	DeliveryStore
	// ClaimCaller opens a new epoch for a caller, which fences all earlier ones
	// from now on, and returns the caller's account. The claim itself need not be
	// durable: a store that one process owns may keep it in memory until a change
	// of the caller is written, because no activation outlives the process. group
	// is the group of a caller that is not known yet, empty for none; the group of
	// a known one stays.
	//
	// A caller is known once a change of it took effect. Until then no other method
	// shows it, and its number and epoch are valid for this claim only.
	ClaimCaller(ctx context.Context, name, group string) (Claim, error)
	// ClaimScheduler opens a new epoch for the scheduler.
	ClaimScheduler(ctx context.Context) (SchedulerClaim, error)
	// Apply makes changes durable, all in one group: when it returns they are on
	// disk. Changes of one caller take effect in the order given. A change that
	// is refused (an old epoch, a job that ended already) has its error at its
	// index of the first result, which is nil if all took effect; the second result is
	// for a group that failed as a whole: then nothing was written.
	Apply(ctx context.Context, changes []Change) ([]error, error)
	// Job returns a job: not_found if it does not exist.
	Job(ctx context.Context, id ID) (Job, error)
	// Jobs returns many jobs, each at the place of its id; one that does not exist is
	// the zero Job. It costs much less than asking for them one by one.
	Jobs(ctx context.Context, ids []ID) ([]Job, error)
	// Backlog returns the unfinished jobs of a caller with Order > after,
	// ascending, at most limit, with their checkpoints, without the pieces. into, which may
	// be nil, is an earlier page that is not needed any more: its room is used again.
	Backlog(ctx context.Context, caller uint64, after uint64, limit int, into []Waiting) ([]Waiting, error)
	// Piece returns a piece of the checkpoint of the unfinished job with that
	// order: nil if it does not exist.
	Piece(ctx context.Context, caller, order uint64, number uint32) ([]byte, error)
	// List returns jobs newest first. Unfinished jobs are all pending here: only the
	// caller's actor knows which of them run.
	List(ctx context.Context, q Query) (Page, error)
	// Keyed returns the jobs that a caller submitted last with any of these idempotency
	// keys, by key, as [Store.Job] does: those submitted since the given time.
	Keyed(ctx context.Context, caller uint64, keys []string, since time.Time) (map[string]Job, error)
	// Callers returns callers by name, ascending, after the given one, at most
	// limit. Running is zero: see List.
	Callers(ctx context.Context, after string, limit int) ([]Caller, error)
	// CallersNamed returns the callers with these names that are known, in any order, as
	// Callers does.
	CallersNamed(ctx context.Context, names []string) ([]Caller, error)
	// Foremost returns the callers that come first in an order, as Callers has them, at most
	// limit of them, which is at most [MaxRanked]: [ByQueued] those with the most unfinished
	// jobs, of all that have some; [ByCPU] those that have used the most CPU, of all that have
	// used 16 ms. Its cost does not grow with the number of callers: when more than some
	// thousands have about as much as the last of them, it looks at a part of these only.
	Foremost(ctx context.Context, order CallerOrder, limit int) ([]Caller, error)
	// Backlogged returns the callers that have unfinished jobs, by number,
	// ascending, after the given number, at most limit. Its cost grows with what it
	// returns, not with the number of callers.
	Backlogged(ctx context.Context, after uint64, limit int) ([]Backlogged, error)
	// Caller returns one caller: not_found if it is not known.
	Caller(ctx context.Context, name string) (Caller, error)
	// WeighGroup makes the weight of a group of callers durable, 1 to [MaxWeight]; the
	// default is 1. At most [MaxGroups] groups can have another weight: limit beyond
	// that.
	WeighGroup(ctx context.Context, group string, weight int) error
	// Events returns what has happened to jobs after a position, in the store's order: it
	// looks at most at limit events and returns those of them that wanted says yes to,
	// by caller and sequence number, nil for all, unless their jobs are deleted. What is
	// returned is durable, and nothing that comes later is in a place before Next. At
	// least the last [KeptEvents] are kept.
	Events(ctx context.Context, after Position, limit int, wanted func(caller, seq uint64) bool) (EventPage, error)
	// Changed returns a channel that is closed when this process has made the next
	// group of changes durable. Those of other processes do not close it.
	Changed() <-chan struct{}
	// Expire deletes at most limit jobs that finished before the given time and
	// returns how many it deleted.
	Expire(ctx context.Context, before time.Time, limit int) (int, error)
	// SaveOperation makes an operation durable as it is, new or not. It is
	// [ErrFenced] if a later scheduler has saved it. With one that is done, others go
	// that are older than [OperationLife].
	SaveOperation(ctx context.Context, op Operation) error
	// Operation returns an operation: not_found if it does not exist.
	Operation(ctx context.Context, id string) (Operation, error)
	// OpenOperations returns operations that are not done, the oldest first, at most
	// limit.
	OpenOperations(ctx context.Context, limit int) ([]Operation, error)
	// Close releases the store; nothing may be called after it.
	Close() error
}

// Claim is what an activation of a caller starts from.
type Claim struct {
	Number uint64 // of the caller, from 1: it is given once in the life of the store
	Epoch  uint64 // of this activation, from 1
	Last   uint64 // the highest sequence or order number in use, 0 if none
	Caller Caller
}

// SchedulerClaim is what an activation of the scheduler starts from.
type SchedulerClaim struct {
	Epoch uint64
	// Groups are the weights of the groups whose weight is not 1, nil if there are
	// none.
	Groups map[string]int
	// Dispatched is the highest dispatch number of any stored job.
	Dispatched uint64
}

// Backlogged is a caller that has unfinished jobs.
type Backlogged struct {
	Number uint64
	Name   string
	Group  string
	Weight int    // 1 to [MaxWeight]
	Paused bool   // it gets no turns
	Queued uint64 // unfinished jobs
}

// Waiting is an unfinished job with its saved progress.
type Waiting struct {
	Job        Job
	Checkpoint []byte // nil if none
}

// Op is what a [Change] does.
type Op uint8

// Operations of a [Change].
const (
	// Accept adds a job; its id and order are new.
	Accept Op = iota + 1
	// Finish ends an unfinished job: it replaces the record with one in a final
	// state and drops the checkpoint with its pieces. Conflict if the job has
	// ended already.
	Finish
	// Checkpoint saves the progress of an unfinished job: the checkpoint replaces the
	// one before, each piece replaces the one with its number, and all other pieces
	// stay. The job's attempts, times and counters are saved with it.
	Checkpoint
	// Requeue makes a failed job pending again, with a new order. Conflict if
	// it is not failed.
	Requeue
	// Weigh sets the caller's weight.
	Weigh
	// AcceptEnded adds a job that has ended already: Accept and Finish in one record.
	// Its id and order are new, its state is final.
	AcceptEnded
	// Regroup moves the caller to another group, or to none.
	Regroup
	// Pause keeps the caller from getting turns, or lets it get them again.
	Pause
	// Bound sets what the caller is allowed.
	Bound
)

// Change is one durable step of one caller.
type Change struct {
	Op         Op
	Caller     string
	Number     uint64 // of the caller
	Epoch      uint64
	Job        *Job    // of a job, not of a setting
	Checkpoint []byte  // Checkpoint only
	Pieces     []Piece // Checkpoint only: those that are new or have changed
	Weight     int     // Weigh only, 1 to [MaxWeight]
	Group      string  // Regroup only, at most [MaxGroupBytes]
	Enrol      bool    // Regroup only: the group is that of the first submission, not an operator's choice
	// Learn is for Finish and AcceptEnded: the primes that the job found are worth
	// knowing, and become known in the same commit, see [KnownStore].
	Learn  bool
	Paused bool    // Pause only
	Bounds *Bounds // Bound only, not changed any more
}

// Piece is a part of a checkpoint that is too large to be written as a whole each
// time.
type Piece struct {
	Number uint32 // from 0
	Data   []byte // not empty
}

// ErrTooManyGroups refuses a weight for one more group.
var ErrTooManyGroups = Errorf(Limit, "%d groups have a weight other than 1: set the weight of another one back to 1 first", MaxGroups)

// CheckGroup returns an error, which is [Invalid], if a caller can't be put in a group of
// that name: it is empty for no group, or follows the rules of a caller's name.
func CheckGroup(group string) error {
	if group == "" {
		return nil
	}
	if _, err := ParseCaller(group); err != nil {
		return Errorf(Invalid, "%.80q is not the name of a group: 1 to %d bytes of A-Za-z0-9._:@-", group, MaxGroupBytes)
	}
	return nil
}

// CheckGroupWeight returns an error, which is [Invalid], if a group of that name can't
// have the weight.
func CheckGroupWeight(group string, weight int) error {
	if group == "" {
		return Errorf(Invalid, "a group without a name has no weight")
	}
	if err := CheckGroup(group); err != nil {
		return err
	}
	return CheckWeight(weight)
}

// CheckWeight returns an error, which is [Invalid], if neither a caller nor a group can
// have that weight: it is 1 to [MaxWeight].
func CheckWeight(weight int) error {
	if weight < 1 || weight > MaxWeight {
		return Errorf(Invalid, "weight is %d: it must be between 1 and %d", weight, MaxWeight)
	}
	return nil
}
