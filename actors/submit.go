package actors

import (
	"context"
	"errors"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/caller"
)

// Submit implements fairfactor.Jobs.
func (v *Service) Submit(ctx context.Context, name string, subs []fairfactor.Submission) ([]fairfactor.Receipt, error) {
	t := tries{sys: v.sys, caller: name, receipts: make([]fairfactor.Receipt, len(subs))}
	t.message.Submissions = make([]caller.Submission, len(subs))
	for i := range subs {
		sub := &subs[i]
		t.message.Submissions[i] = caller.Submission{Number: sub.Number, Key: sub.Key, Nonce: v.sys.run.Nonce() >> 16, Wait: sub.Wait, Deadline: sub.Deadline, Callback: callbackOf(sub.Callback), Curves: sub.Curves, Trace: sub.Trace}
		if sub.Group != "" {
			t.message.Group = sub.Group
		}
	}
	v.sys.recall(ctx, t.message.Submissions)
	for i := range subs {
		withFactors(&t.message.Submissions[i], subs[i].Factors)
	}
	for p := v.sys.newPace(); ; p.rest(ctx) {
		err := t.try(ctx)
		switch late := err != nil && p.over(ctx); {
		case errors.Is(err, fairfactor.ErrUnanswered) && !late:
			t.repeated = true
		case errors.Is(err, caller.ErrMoved) && !late:
		case t.open() == len(subs) && err != nil:
			return nil, t.unsure(err)
		default:
			t.giveUp(err)
			return t.receipts, nil
		}
	}
}

// withFactors adds primes that the submitter knows to what is known of the number. They
// are divided out and tested when the job begins.
func withFactors(sub *caller.Submission, factors []fairfactor.Factor) {
	if len(factors) == 0 || sub.Known != nil && sub.Known.Complete {
		return
	}
	more := fairfactor.Known{Number: sub.Number}
	if sub.Known != nil {
		more = *sub.Known
	}
	more.Factors = backlog.Union(more.Factors, factors)
	sub.Known = &more
}

// tries sends submissions to a caller's actor until it is known what became of each.
type tries struct {
	sys      *System
	caller   string
	receipts []fairfactor.Receipt
	message  caller.Submit // what is open
	index    []int         // where the open ones stand among the receipts, nil while all are open
	repeated bool          // an actor may have got them, and its answer is lost
}

// open is the number of submissions without a receipt.
func (t *tries) open() int { return len(t.message.Submissions) }

// at is the place of an open submission among the receipts.
func (t *tries) at(k int) int {
	if t.index == nil {
		return k
	}
	return t.index[k]
}

// giveUp gives all that is open the error of the last try.
func (t *tries) giveUp(err error) {
	for k := range t.message.Submissions {
		t.receipts[t.at(k)].Err = err
	}
	if t.repeated {
		for i := range t.receipts {
			t.receipts[i].Err = t.unsure(t.receipts[i].Err)
		}
	}
}

// unsure is the error of a submission whose first copy may have been accepted.
func (t *tries) unsure(err error) error { return unsure(t.repeated, err) }

// unsure is the error of what was asked for again if an answer to an earlier try is
// lost: that one may have been carried out. It may be carried out still, whatever a later
// try was refused for: a node that was paused has it in a buffer, and does not know yet
// that it was removed, and by then a queue that was full has room.
func unsure(again bool, err error) error {
	if !again || err == nil || fairfactor.CodeOf(err) == fairfactor.Canceled || errors.Is(err, fairfactor.ErrUnanswered) {
		return err
	}
	return fairfactor.Wrap(fairfactor.Unavailable, errors.Join(fairfactor.ErrUnanswered, err),
		"the node that got the request has gone or does not answer, and whether it did what was asked is not known yet: look at the job, or for it in the list; use an Idempotency-Key to send a number again")
}

// try sends what is open once. It returns ErrMoved if some of it is open still.
func (t *tries) try(ctx context.Context) error {
	answer, err := unpacked(t.sys.net.AskOnce(ctx, CallerKind, t.caller, &submit{caller.Submit{
		Submissions: t.message.Submissions, Group: t.message.Group, Repeated: t.repeated,
	}}))
	if err != nil {
		return err
	}
	got, ok := answer.(*receipts)
	if !ok {
		return unknown(answer)
	}
	if len(got.Receipts) != t.open() {
		return fairfactor.Errorf(fairfactor.Internal, "%d receipts for %d submissions", len(got.Receipts), t.open())
	}
	return t.take(got.Receipts)
}

// take puts receipts where they belong and keeps what moved.
func (t *tries) take(got []caller.Receipt) error {
	var open []caller.Submission
	index := []int{}
	for k := range got {
		r := &got[k]
		if errors.Is(r.Err, caller.ErrMoved) {
			open, index = append(open, t.message.Submissions[k]), append(index, t.at(k))
			continue
		}
		receipt := &t.receipts[t.at(k)]
		receipt.Err, receipt.Replay = r.Err, r.Replay
		if r.Job != nil {
			receipt.Job = *r.Job
		}
	}
	t.message.Submissions, t.index = open, index
	if len(open) > 0 {
		return caller.ErrMoved
	}
	return nil
}
