package pebble

import (
	"encoding/binary"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// First byte of an account: the form it is written in. The first lacks what was
// requeued and the group, the second what is set for the caller. An account with bounds
// had a form of its own before the fifth, which says what is stored.
const (
	accountCounted = 5
	accountBounded = 4
	accountVersion = 3
	accountGrouped = 2
	accountFirst   = 1
)

// Flags of an account: its caller is paused, an operator has chosen its group, it has bounds
// (from the fifth form on). Above them are the classes of the account.
const (
	flagPaused  = 1
	flagPlaced  = 2
	flagBounded = 4
)

// account is what is stored of a caller besides its jobs. Accounts in memory are
// guarded by Store.mu; what they hold is in the batch that is being built or
// in the store already, but for the epoch of an account that is claimed.
type account struct {
	rules.Account
	// head is at most the order of the first unfinished job: where a scan of
	// the queue starts, so that it does not walk over what was removed.
	head     uint64
	saved    uint64 // unfinished jobs that have a checkpoint
	requeued uint64 // at least the unfinished jobs that were queued again
	stored   uint64 // finished jobs that are not deleted
	idle     int64  // since when it is idle, in microseconds, as its key says; zero if it is not
	ranks    ranks  // the classes that its keys in the index of classes have

	named   bool // the account and its name are in the store, or in the batch that is being built
	claimed bool // the epoch is not, see claim.go
	staged  bool // to be written with the batch that is being built
}

// newAccount returns the account of a caller that is not known yet, whose epochs are
// above the given one.
func newAccount(name string, number, epoch uint64) *account {
	return &account{Account: rules.Account{Name: name, Number: number, Epoch: epoch, Weight: 1}, head: 1}
}

// follow keeps what only this store knows in step with a change that the account
// has taken.
func (a *account) follow(e *rules.Effect) {
	if e.Now.State == 0 {
		return
	}
	if e.Was.Saved {
		a.saved--
	}
	if e.Now.Saved {
		a.saved++
	}
	a.stored += uint64(e.Completed + e.Failed + e.Cancelled) // a negative one wraps to what it should be
	entered, left := e.Queued > 0, e.Queued < 0
	if e.Now.Order != e.Now.Seq {
		switch {
		case entered:
			a.requeued++
		case left:
			a.requeued--
		}
	}
	switch {
	case a.Queued == 0:
		a.head, a.requeued = a.Last+1, 0
	case a.Queued == 1 && entered:
		a.head = e.Now.Order
	case left && e.Now.Order == a.head:
		a.head++
	}
}

// append appends the account's value, without a seal.
func (a *account) append(b []byte) []byte {
	b = append(b, accountCounted)
	flags := a.ranks.flags()
	for _, f := range [...]struct {
		set  bool
		flag uint64
	}{{a.Paused, flagPaused}, {a.Placed, flagPlaced}, {a.Bounds != nil, flagBounded}} {
		if f.set {
			flags |= f.flag
		}
	}
	for _, v := range [...]uint64{
		a.Number, a.Epoch, uint64(a.Weight), a.Last, a.head, a.saved, a.requeued,
		a.Queued, a.Completed, a.Failed, a.Cancelled, uint64(a.CPU), a.Turns, flags,
	} {
		b = binary.AppendUvarint(b, v)
	}
	b = binary.AppendVarint(binary.AppendUvarint(b, a.stored), a.idle)
	if o := a.Bounds; o != nil {
		for _, v := range [...]uint64{o.MaxQueue, o.MaxRate, o.MaxDigits, uint64(o.MaxCPU), o.Day, uint64(o.Before)} {
			b = binary.AppendUvarint(b, v)
		}
	}
	return append(b, a.Group...)
}

// decodeAccount returns the account stored under key.
func decodeAccount(key, value []byte) (account, error) {
	value, err := unseal(key, value)
	if err != nil {
		return account{}, err
	}
	r := reader{b: value}
	version := r.byte()
	a := account{Account: rules.Account{Name: string(key[1:]), Known: true}, named: true}
	a.Number, a.Epoch, a.Weight, a.Last = r.uvarint(), r.uvarint(), int(r.uvarint()), r.uvarint()
	a.head, a.saved = r.uvarint(), r.uvarint()
	if version >= accountGrouped {
		a.requeued = r.uvarint()
	}
	a.Queued, a.Completed, a.Failed, a.Cancelled = r.uvarint(), r.uvarint(), r.uvarint(), r.uvarint()
	a.CPU, a.Turns = time.Duration(r.uvarint()), r.uvarint()
	bounded := version == accountBounded
	if version >= accountVersion {
		flags := r.uvarint()
		a.Paused, a.ranks = flags&flagPaused != 0, ranksIn(flags)
		if version >= accountCounted {
			a.Placed, bounded = flags&flagPlaced != 0, flags&flagBounded != 0
			a.stored, a.idle = r.uvarint(), r.varint()
		}
	}
	if bounded {
		a.Bounds = &fairfactor.Bounds{MaxQueue: r.uvarint(), MaxRate: r.uvarint(), MaxDigits: r.uvarint(), MaxCPU: time.Duration(r.uvarint()), Day: r.uvarint(), Before: time.Duration(r.uvarint())}
	}
	if version >= accountGrouped {
		a.Group = string(r.take(uint64(len(r.b))))
	} else {
		a.requeued = a.Queued
	}
	if r.bad || len(r.b) != 0 || version < accountFirst || version > accountCounted {
		return account{}, damaged(key, "the account has an unknown form")
	}
	return a, nil
}
