package sim

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"fairfactor"
)

// visitor is a caller whose jobs are deleted as soon as they have ended, and whose account is
// forgotten then, whatever its actor is at. No client asks for it otherwise.
const visitor = "visitor"

// visits is what is known of the visitor.
type visits struct {
	given   map[fairfactor.ID]bool // ids that were answered
	deleted map[fairfactor.ID]bool // jobs
	retired map[uint64]bool        // numbers of accounts that are gone
	over    bool
}

// visit submits numbers of the visitor, one after the other. What is accepted must be there
// until it is deleted, under an id of its own.
func (r *run) visit() {
	v := &r.visits
	rng := rand.New(rand.NewPCG(r.opts.Seed, 0x0715))
	for i := range r.opts.Visits {
		r.w.sleep(time.Duration(rng.Int64N(int64(3 * time.Second))))
		subs := []fairfactor.Submission{{Number: strconv.Itoa(2_000_000_011 + 2*i), Wait: rng.IntN(2) == 0}}
		var receipts []fairfactor.Receipt
		var err error
		got := r.ask(func(ctx context.Context, s *service) { receipts, err = s.Submit(ctx, visitor, subs, nil) })
		if !got.answered || err != nil || receipts[0].Err != nil || r.went {
			continue
		}
		id := receipts[0].Job.ID
		r.w.say("the visitor has job %d of number %d", id.Seq, id.Caller)
		if v.given[id] {
			r.w.broke("two submissions of the visitor are job %d of number %d", id.Seq, id.Caller)
		}
		v.given[id] = true
		if _, err := r.store.Job(ctxNone, id); err != nil && !v.deleted[id] {
			r.w.broke("job %d of number %d was accepted and is lost: %v", id.Seq, id.Caller, err)
		}
	}
	v.over = true
}

// sweepUp deletes what the visitor has that has ended, and forgets its account, at any
// moment.
func (r *run) sweepUp() {
	v := &r.visits
	rng := rand.New(rand.NewPCG(r.opts.Seed, 0x5eed))
	for !v.over {
		r.w.sleep(time.Duration(rng.Int64N(int64(time.Second))))
		number := uint64(0)
		for _, id := range r.store.ExpireOf(visitor) {
			v.deleted[id], number = true, id.Caller
		}
		if n, err := r.store.Forget(ctxNone, time.Unix(math.MaxInt32, 0), 10); n > 0 && err == nil {
			r.w.say("the account of the visitor is forgotten")
			v.retired[number] = number > 0
		}
	}
}
