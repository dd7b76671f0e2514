package pebble

import (
	"encoding/binary"
	"time"

	"fairfactor"
)

// accountVersion is the first byte of an account.
const accountVersion = 1

// account is what is stored of a caller beside its jobs. Accounts in memory are
// guarded by Store.mu; what they hold is in the batch that is being built or
// in the store already.
type account struct {
	name   string
	number uint64
	epoch  uint64
	weight uint64
	last   uint64 // highest sequence or order number in use
	// head is at most the order of the first unfinished job: where a scan of
	// the queue starts, so that it does not walk over what was removed.
	head      uint64
	saved     uint64 // unfinished jobs that have a checkpoint
	queued    uint64
	completed uint64
	failed    uint64
	cancelled uint64
	cpu       uint64 // ns
	turns     uint64

	staged bool // to be written with the batch that is being built
}

// fields lists the numbers of an account in the order they are stored.
func (a *account) fields() [12]*uint64 {
	return [12]*uint64{
		&a.number, &a.epoch, &a.weight, &a.last, &a.head, &a.saved,
		&a.queued, &a.completed, &a.failed, &a.cancelled, &a.cpu, &a.turns,
	}
}

// append appends the account's value, without a seal.
func (a *account) append(b []byte) []byte {
	b = append(b, accountVersion)
	for _, v := range a.fields() {
		b = binary.AppendUvarint(b, *v)
	}
	return b
}

// decodeAccount returns the account stored under key.
func decodeAccount(key, value []byte) (account, error) {
	value, err := unseal(key, value)
	if err != nil {
		return account{}, err
	}
	r := reader{b: value}
	version := r.byte()
	a := account{name: string(key[1:])}
	for _, v := range a.fields() {
		*v = r.uvarint()
	}
	if r.bad || len(r.b) != 0 || version != accountVersion {
		return account{}, damaged(key, "the account has an unknown form")
	}
	return a, nil
}

// caller returns the account as the service shows it, without the age of the
// queue.
func (a *account) caller() fairfactor.Caller {
	return fairfactor.Caller{
		Name: a.name, Weight: int(a.weight), Queued: a.queued,
		Completed: a.completed, Failed: a.failed, Cancelled: a.cancelled,
		CPU: time.Duration(a.cpu), Turns: a.turns,
	}
}

// tally returns the count of jobs that ended in a state.
func (a *account) tally(state fairfactor.State) *uint64 {
	switch state {
	case fairfactor.Completed:
		return &a.completed
	case fairfactor.Failed:
		return &a.failed
	}
	return &a.cancelled
}

// spend adds what a job used since it was last stored.
func (a *account) spend(before brief, now *fairfactor.Job) {
	if now.CPU > before.cpu {
		a.cpu += uint64(now.CPU - before.cpu)
	}
	if now.Turns > before.turns {
		a.turns += now.Turns - before.turns
	}
}
