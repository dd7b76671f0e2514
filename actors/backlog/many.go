package backlog

import (
	"maps"
	"time"

	"fairfactor"
)

// CancelStored cancels an unfinished job that was read from the store, wherever it is
// by now. It is false if the job is ending.
func (b *Backlog) CancelStored(job fairfactor.Job, now time.Time) (ended *fairfactor.Job, withdraw, ok bool) {
	seq := job.ID.Seq
	if b.ending[seq] != nil {
		return nil, false, false
	}
	if b.open[seq] != nil || job.Order <= b.tail {
		if ended, withdraw, ok = b.Cancel(seq, "", now); ok {
			return ended, withdraw, true
		}
	}
	return b.expel(job, "", now), false, true
}

// expel cancels a job that is in the store only.
func (b *Backlog) expel(job fairfactor.Job, reason string, now time.Time) *fairfactor.Job {
	if job.Order > b.tail {
		if b.expelled == nil {
			b.expelled = map[uint64]bool{}
		}
		b.expelled[job.Order] = false
	}
	ended, _ := b.end(b.opened(job), fairfactor.Cancelled, reason, now)
	return ended
}

// isExpelled reports whether the job with that order was cancelled while it was in the
// store only.
func (b *Backlog) isExpelled(order uint64) bool {
	_, ok := b.expelled[order]
	return ok
}

// Committed forgets a job whose final state is durable. That it was expelled is
// remembered until a page that is on its way has come.
func (b *Backlog) Committed(seq uint64) {
	o := b.ending[seq]
	delete(b.ending, seq)
	if o != nil {
		b.over = append(b.over, o)
	}
	if o == nil || !b.isExpelled(o.job.Order) || o.job.Order > b.durable {
		return
	}
	if b.paging {
		b.expelled[o.job.Order] = true
	} else {
		delete(b.expelled, o.job.Order)
	}
}

// Pool is a [sync.Pool]: what Get returns is nil, or was put there before.
type Pool interface {
	Get() any
	Put(any)
}

// Reuse says that no one has the jobs any more whose ends are committed, nor their
// factors: others that begin later are kept in their places.
func (b *Backlog) Reuse() {
	for i, o := range b.over {
		if b.cfg.Places != nil {
			*o = open{found: o.found[:0]}
			b.cfg.Places.Put(o)
		}
		b.over[i] = nil
	}
	b.over = b.over[:0]
	if len(b.open)+len(b.ending)+len(b.window) == 0 {
		b.over = nil
	}
}

// forgetExpelled forgets those whose ends were durable before a page came.
func (b *Backlog) forgetExpelled() {
	maps.DeleteFunc(b.expelled, func(_ uint64, durable bool) bool { return durable })
}

// Runs reports whether a job has begun.
func (b *Backlog) Runs(seq uint64) bool {
	o := b.open[seq]
	return o != nil && o.job.State == fairfactor.Running
}

// WithdrawAll takes back all turns that were offered: they are offered again by
// [Backlog.Next]. It returns the jobs whose turns the scheduler has.
func (b *Backlog) WithdrawAll() (withdraw []uint64) {
	for seq, o := range b.open {
		if len(o.offered) == 0 {
			continue
		}
		withdraw = append(withdraw, seq)
		for _, t := range o.offered {
			if o.machine != nil {
				o.machine.Return(t.Turn)
			} else {
				o.again = append(o.again, t)
				b.addLong(o)
			}
		}
		b.outstanding -= len(o.offered)
		o.offered = o.offered[:0]
	}
	return withdraw
}
