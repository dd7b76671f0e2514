package caller

import (
	"time"

	"fairfactor"
)

// A submission that went to another node may have been accepted there though its
// answer got lost, with the connection or with the node. Then it is sent again,
// marked as repeated, with the same nonces: the random part of the ids that its jobs
// get is chosen by who submits. A caller looks for jobs with these nonces before it
// accepts any: among those that it has taken itself lately, and the first time in
// the store, among those that earlier activations took. None of them can take one
// any more, because their epochs are over.
//
// The first copy can also come last: a node that was paused has it in a buffer, and
// takes it though it was removed from the cluster meanwhile, and the caller and the
// repeated copy went to another node. So an activation that is not alone looks at
// earlier jobs too, for as long as a copy may be on its way.
//
// So a job isn't accepted twice, and only those pay for that who repeat, and those
// whose submissions wake their caller on another node.

// Bounds of what an activation remembers of submissions from other nodes. An answer
// that got lost is missed within the seconds that it takes to notice that a
// connection broke.
const (
	memory    = 20 * time.Second // at least
	maxMemory = 20_000           // nonces in a generation; there are two
	// EarlierJobs is how many of a caller's newest jobs are looked at in the store,
	// and EarlierSpan how old the oldest of them was when the activation began, by
	// the clocks of two nodes.
	EarlierJobs = 20 * fairfactor.MaxPage
	EarlierSpan = 2 * time.Minute
)

// repeats remembers submissions from other nodes, in two generations.
type repeats struct {
	young, old map[uint64]*taken // by nonce
	turned     time.Time         // when young was begun
	earlier    map[uint64]*fairfactor.Job
	asking     []repeated // wait for earlier to be read
}

// taken is a submission and what came of it.
type taken struct {
	done    bool // the receipt is there
	receipt fairfactor.Receipt
	waiting []slot
}

// repeated is a submission that waits for earlier jobs to be read.
type repeated struct {
	sub Submission
	to  slot
}

func (r *repeats) find(nonce uint64) *taken {
	if t := r.young[nonce]; t != nil {
		return t
	}
	return r.old[nonce]
}

func (r *repeats) note(nonce uint64, now time.Time) {
	r.turn(now)
	if r.young == nil {
		r.young = make(map[uint64]*taken)
	}
	r.young[nonce] = &taken{}
}

// turn forgets what is old.
func (r *repeats) turn(now time.Time) {
	if now.Sub(r.turned) >= memory || len(r.young) >= maxMemory {
		r.young, r.old, r.turned = nil, r.young, now
	}
}

// resolve gives all who sent a submission its receipt.
func (r *repeats) resolve(c *Caller, nonce uint64, receipt fairfactor.Receipt) {
	if len(r.young) == 0 && len(r.old) == 0 {
		return
	}
	t := r.find(nonce)
	if t == nil {
		return
	}
	if receipt.Err != nil {
		delete(r.young, nonce)
		delete(r.old, nonce)
	}
	waiting := t.waiting
	t.done, t.receipt, t.waiting = true, receipt, nil
	for _, to := range waiting {
		c.fill(to, receipt)
	}
}

// fresh reports whether a submission may have been sent before this activation
// claimed its epoch, and accepted by an earlier one since.
func (c *Caller) fresh() bool {
	return c.claim.Last > 0 && c.host.Now().Sub(c.claimedAt) < memory
}

// acceptFar accepts a submission from another node and remembers it.
func (c *Caller) acceptFar(sub *Submission, to slot) {
	if err := c.enqueue(sub, to); err != nil {
		c.refuse(to, err)
		return
	}
	c.repeats.note(sub.Nonce, c.host.Now())
}

// acceptRepeated gives the job that an earlier try was accepted as, or accepts it.
func (c *Caller) acceptRepeated(sub *Submission, to slot) {
	if t := c.repeats.find(sub.Nonce); t != nil {
		if t.done {
			c.fill(to, t.receipt)
		} else {
			t.waiting = append(t.waiting, to)
		}
		return
	}
	if c.repeats.earlier == nil {
		c.askEarlier(sub, to)
		return
	}
	if job := c.repeats.earlier[sub.Nonce]; job != nil && job.Number == sub.Number {
		c.fill(to, fairfactor.Receipt{Job: *job})
		return
	}
	c.acceptFar(sub, to)
}

// askEarlier has the newest jobs of earlier activations read.
func (c *Caller) askEarlier(sub *Submission, to slot) {
	if len(c.repeats.asking) >= maxUncommitted {
		c.refuse(to, ErrMoved)
		return
	}
	c.repeats.asking = append(c.repeats.asking, repeated{*sub, to})
	if len(c.repeats.asking) == 1 {
		c.read(Read{Kind: ReadEarlier, Since: c.claimedAt.Add(-EarlierSpan)})
	}
}

func (c *Caller) earlierRead(r *Read) {
	asking := c.repeats.asking
	c.repeats.asking = nil
	if r.Err != nil { // they may have been accepted, so this is no refusal
		if !c.stopped {
			c.host.Log().Warn("earlier jobs of a caller can't be read, trying again", "err", r.Err)
		}
		for i := range asking {
			c.refuse(asking[i].to, ErrMoved)
		}
		return
	}
	c.repeats.earlier = r.Earlier
	for i := range asking {
		c.acceptRepeated(&asking[i].sub, asking[i].to)
	}
}
