package backlog_test

import (
	"testing"
	"time"

	"fairfactor/actors/backlog"
)

// TestUsedCPUIsInOneAccount follows what a long job's turns used: it is unbooked
// until a checkpoint or the end has taken it to the store, and never in both.
func TestUsedCPUIsInOneAccount(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	unbooked := func(when string, turns uint64) {
		t.Helper()
		cpu, got := d.backlog.Unbooked()
		if got != turns || cpu != time.Duration(turns)*time.Millisecond { // the desk's turns use 1 ms each
			t.Errorf("%s: %v of %d turns are unbooked, want %d turns", when, cpu, got, turns)
		}
	}
	d.accept(hard)
	for range 3 {
		d.give(d.run(d.backlog.Next(nil, 1)[0]))
	}
	unbooked("after three turns", 3)
	changes := d.backlog.Checkpoints()
	if len(changes) != 1 || changes[0].Job.Turns != 3 {
		t.Fatalf("checkpoints: %+v", changes)
	}
	d.give(d.run(d.backlog.Next(nil, 1)[0]))
	unbooked("while the checkpoint is on its way", 4)
	d.backlog.Booked(changes[0].Job)
	unbooked("after the checkpoint", 1)

	d.jobs[1].job, d.jobs[1].checkpoint = *changes[0].Job, changes[0].Checkpoint
	d.activate()
	d.fill()
	unbooked("in a new activation", 0)
	d.give(d.run(d.backlog.Next(nil, 1)[0]))
	unbooked("after its first turn", 1)
	ended, _, _ := d.backlog.Cancel(1, "", start)
	unbooked("until the end is durable", 1)
	d.backlog.Committed(ended.ID.Seq)
	unbooked("after the end", 0)
}
