package pebble

import (
	"encoding/binary"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// First byte of an account: the form it is written in. The first lacks what was
// requeued and the group, the second what is set for the caller. An account with bounds
// has a form of its own.
const (
	accountBounded = 4
	accountVersion = 3
	accountGrouped = 2
	accountFirst   = 1
)

// flagPaused is set in the flags of an account whose caller is paused. Above it are the
// classes of the account.
const flagPaused = 1

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
	ranks    ranks  // the classes that its keys in the index of classes have

	named   bool // the account and its name are in the store, or in the batch that is being built
	claimed bool // the epoch is not, see claim.go
	staged  bool // to be written with the batch that is being built
}

// newAccount returns the account of a caller that is not known yet.
func newAccount(name string, number uint64) *account {
	return &account{Account: rules.Account{Name: name, Number: number, Weight: 1}, head: 1}
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
	version := byte(accountVersion)
	if a.Bounds != nil {
		version = accountBounded
	}
	b = append(b, version)
	flags := a.ranks.flags()
	if a.Paused {
		flags |= flagPaused
	}
	for _, v := range [...]uint64{
		a.Number, a.Epoch, uint64(a.Weight), a.Last, a.head, a.saved, a.requeued,
		a.Queued, a.Completed, a.Failed, a.Cancelled, uint64(a.CPU), a.Turns, flags,
	} {
		b = binary.AppendUvarint(b, v)
	}
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
	if version >= accountVersion {
		flags := r.uvarint()
		a.Paused, a.ranks = flags&flagPaused != 0, ranksIn(flags)
	}
	if version >= accountBounded {
		a.Bounds = &fairfactor.Bounds{MaxQueue: r.uvarint(), MaxRate: r.uvarint(), MaxDigits: r.uvarint(), MaxCPU: time.Duration(r.uvarint()), Day: r.uvarint(), Before: time.Duration(r.uvarint())}
	}
	if version >= accountGrouped {
		a.Group = string(r.take(uint64(len(r.b))))
	} else {
		a.requeued = a.Queued
	}
	if r.bad || len(r.b) != 0 || version < accountFirst || version > accountBounded {
		return account{}, damaged(key, "the account has an unknown form")
	}
	return a, nil
}
