package actors

import (
	"context"
	"errors"
	"slices"
	"sync"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/caller"
)

// submits are messages whose answers have come: no actor has them any more.
var submits = sync.Pool{New: func() any { return new(submit) }}

// Submit implements fairfactor.Jobs.
func (v *Service) Submit(ctx context.Context, name string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	all := slices.Grow(into, len(subs))[:len(into)+len(subs)]
	t := tries{sys: v.sys, caller: name, receipts: all[len(into):]}
	clear(t.receipts)
	m, only := submits.Get().(*submit), true
	t.open = slices.Grow(m.Submissions, len(subs))
	for i := range subs {
		sub := &subs[i]
		t.open = append(t.open, caller.Submission{
			Number: sub.Number, Key: sub.Key, Nonce: v.sys.run.Nonce() >> 16, Wait: sub.Wait, Deadline: sub.Deadline, Callback: callbackOf(sub.Callback),
			Curves: sub.Curves, Trace: sub.Trace,
		})
		if sub.Group != "" {
			t.group = sub.Group
		}
	}
	v.sys.recall(ctx, t.open)
	for i := range subs {
		withFactors(&t.open[i], subs[i].Factors)
	}
	for p := v.sys.newPace(); ; p.rest(ctx) {
		err := t.try(ctx, m)
		switch late := err != nil && p.over(ctx); {
		case errors.Is(err, fairfactor.ErrUnanswered) && !late:
			t.repeated = true
		case errors.Is(err, caller.ErrMoved) && !late:
		case len(t.open) == len(subs) && err != nil:
			return nil, t.unsure(err)
		default:
			t.giveUp(err)
			if err == nil && only {
				m.Reset()
				submits.Put(m)
			}
			return all, nil
		}
		m, only = new(submit), false // an actor may still have the other one
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
	group    string
	receipts []fairfactor.Receipt
	open     []caller.Submission // without a receipt
	index    []int               // where these stand among the receipts, nil while all are open
	repeated bool                // an actor may have got them, and its answer is lost
}

// at is the place of an open submission among the receipts.
func (t *tries) at(k int) int {
	if t.index == nil {
		return k
	}
	return t.index[k]
}

// giveUp gives all that is open the error of the last try.
func (t *tries) giveUp(err error) {
	for k := range t.open {
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

// try sends what is open once, in a message that no actor has. It returns ErrMoved if
// some of it is open still.
func (t *tries) try(ctx context.Context, m *submit) error {
	m.Submissions, m.Group, m.Repeated = t.open, t.group, t.repeated
	answer, err := unpacked(t.sys.net.AskOnce(ctx, CallerKind, t.caller, m))
	if err != nil {
		return err
	}
	got, ok := answer.(*receipts)
	if !ok {
		return unknown(answer)
	}
	if len(got.Receipts) != len(t.open) {
		return fairfactor.Errorf(fairfactor.Internal, "%d receipts for %d submissions", len(got.Receipts), len(t.open))
	}
	return t.take(got.Receipts)
}

// take puts receipts where they belong and keeps what moved.
func (t *tries) take(got []fairfactor.Receipt) error {
	var open []caller.Submission
	var index []int
	for k := range got {
		if errors.Is(got[k].Err, caller.ErrMoved) {
			open, index = append(open, t.open[k]), append(index, t.at(k))
			continue
		}
		t.receipts[t.at(k)] = got[k]
	}
	t.open, t.index = open, index
	if len(open) > 0 {
		return caller.ErrMoved
	}
	return nil
}
