package backlog

import (
	"fmt"
	"time"

	"fairfactor"
)

// A job that sieves holds relations until it ends: megabytes, as its machine estimates before
// it begins. Up to then it runs curves, which need little. The memory of the node is
// shared among all callers, so a job may have to wait, and offers no turn meanwhile.

// afford reports whether a long job has the memory for what it does next.
func (b *Backlog) afford(o *open) bool {
	if b.cfg.Memory == nil || !o.machine.Sieves() {
		return true
	}
	need := o.machine.Memory()
	if need <= o.memory {
		return true
	}
	if o.starved = !b.cfg.Memory.Reserve(o.job.ID.Seq, need); !o.starved {
		o.memory = need
	}
	return !o.starved
}

// releaseMemory gives back what a job has.
func (b *Backlog) releaseMemory(o *open) {
	if o.memory > 0 || o.starved {
		b.cfg.Memory.Release(o.job.ID.Seq)
		o.memory, o.starved = 0, false
	}
}

// TooLarge ends a job that needs more memory than any job can get; ended is nil if no job does.
func (b *Backlog) TooLarge(now time.Time) (ended *fairfactor.Job, withdraw bool) {
	if b.cfg.Memory == nil {
		return nil, false
	}
	for o := range b.longs() {
		if o.starved && o.machine.Memory() > b.cfg.Memory.Most() {
			return b.end(o, fairfactor.Failed, fmt.Sprintf(
				"it would take some %d MiB of memory, and a job of this node can have %d MiB: a node with more --work-memory can do it", o.machine.Memory()>>20, b.cfg.Memory.Most()>>20), now)
		}
	}
	return nil, false
}
