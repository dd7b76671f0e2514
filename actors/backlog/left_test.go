package backlog_test

import (
	"slices"
	"testing"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// sharing parks numbers of 40 digits and more.
var sharing = backlog.Config{Share: 40}

// admit lets jobs begin that are parked.
func (d *desk) admit(numbers ...string) {
	d.t.Helper()
	d.accept(numbers...)
	d.backlog.Next(nil, 0)
	if turns := d.backlog.Next(nil, 1); len(turns) > 0 {
		d.t.Fatalf("%s were offered", names(turns))
	}
	if parked := d.backlog.Parked(); len(parked) != len(numbers) {
		d.t.Fatalf("%d jobs are parked", len(parked))
	}
}

// some runs so many turns.
func (d *desk) some(turns uint64) {
	d.t.Helper()
	for range turns {
		if ended, _ := d.give(d.run(d.backlog.Next(nil, 1)[0])); ended != nil {
			d.t.Fatalf("job %d has ended: %v", ended.ID.Seq, ended.State)
		}
	}
}

// cancel cancels a job whose turns are out, and returns what it leaves.
func (d *desk) cancel(seq uint64) *backlog.Left {
	d.t.Helper()
	d.backlog.Next(nil, 3) // turns that are lost with it
	job, _, ok := d.backlog.Cancel(seq, "", start)
	if !ok {
		d.t.Fatalf("job %d can't be cancelled", seq)
	}
	left := d.backlog.Left(seq)
	d.finish(job)
	d.backlog.Committed(seq)
	if d.backlog.Left(seq) != nil {
		d.t.Error("what is left is still there")
	}
	return left
}

// TestWorkIsInherited: a job is cancelled when most of its turns have run. Another one for
// the same number goes on with its work, in the same backlog or in that of another
// caller, where a crash follows: together they run as many turns as one alone.
func TestWorkIsInherited(t *testing.T) {
	number := sieved(t)
	plain := newDesk(t, backlog.Config{})
	plain.accept(number)
	plain.work()
	turns := plain.jobs[1].job.Turns
	most := turns * 3 / 4
	check := func(d *desk, seq uint64) {
		t.Helper()
		d.work()
		job := d.jobs[seq].job
		t.Logf("%d turns, and %d before; %d alone", job.Turns, most, turns)
		if job.State != fairfactor.Completed || job.Turns+most > turns+6 {
			t.Errorf("%d turns, and %d before; %d alone: %+v", job.Turns, most, turns, job)
		}
	}
	first := func() (*desk, *backlog.Left) {
		d := newDesk(t, sharing)
		d.results = plain.results
		d.admit(number, number)
		d.backlog.Unpark(1, nil)
		d.some(most)
		left := d.cancel(1)
		if left == nil {
			t.Fatal("nothing is left")
		}
		return d, left
	}

	d, left := first()
	if !d.backlog.Inherit(2, left) || d.backlog.Inherit(9, left) {
		t.Fatal("it can't be inherited")
	}
	check(d, 2)

	_, left = first()
	other := newDesk(t, sharing)
	other.results = plain.results
	other.admit(number)
	given, checkpoint := left.Checkpoint()
	if !other.backlog.InheritFrom(1, "alice", given, checkpoint) {
		t.Fatal("it can't be inherited")
	}
	// It goes on before the pieces are there, unless the linear algebra has begun.
	if turns := other.backlog.Next(nil, 1); len(turns) > 0 {
		if ended, _ := other.give(other.run(turns[0])); ended != nil {
			t.Fatalf("job %d has ended: %v", ended.ID.Seq, ended.State)
		}
	}
	pieces := 0
	for {
		w, ok := other.backlog.NeedPiece()
		if !ok {
			break
		}
		if w.From != "alice" || w.Number != number || w.Piece != pieces {
			t.Fatalf("piece %+v is wanted", w)
		}
		if len(other.backlog.Checkpoints()) > 0 {
			t.Fatal("a checkpoint without all pieces")
		}
		if err := other.backlog.Loaded(w.Order, w.Piece, slices.Clone(left.Piece(w.Piece))); err != nil {
			t.Fatal(err)
		}
		pieces++
	}
	if pieces == 0 || left.Piece(-1) != nil || left.Piece(pieces) != nil {
		t.Fatalf("%d pieces", pieces)
	}
	other.checkpoint()
	if len(other.jobs[1].pieces) < pieces {
		t.Errorf("the checkpoint has %d pieces, %d were inherited", len(other.jobs[1].pieces), pieces)
	}
	other.cfg.Share = 0 // it begins at once when it is activated
	other.activate()
	check(other, 1)
}

// TestForsakenWork: the caller that has the pieces goes away. The job ends all the same.
func TestForsakenWork(t *testing.T) {
	number := sieved(t)
	d := newDesk(t, sharing)
	d.admit(number)
	d.backlog.Unpark(1, nil)
	for len(d.jobs[1].pieces) == 0 {
		d.some(1)
		d.checkpoint()
	}
	given, checkpoint := d.cancel(1).Checkpoint()
	for _, checkpoint := range [][]byte{checkpoint, checkpoint[:len(checkpoint)-1], nil} {
		other := newDesk(t, sharing)
		other.results = d.results
		other.admit(number)
		other.backlog.InheritFrom(1, "alice", given, checkpoint)
		other.some(1)
		if w, ok := other.backlog.NeedPiece(); ok {
			other.backlog.Forsaken(w.Order)
		}
		if w, ok := other.backlog.NeedPiece(); ok {
			t.Errorf("%+v is wanted", w)
		}
		other.work()
		if job := other.jobs[1].job; job.State != fairfactor.Completed {
			t.Errorf("%+v", job)
		}
	}
}

// TestNothingIsLeft: of numbers that are not shared, and of jobs that have completed.
func TestNothingIsLeft(t *testing.T) {
	number := sieved(t)
	d := newDesk(t, backlog.Config{})
	d.accept(number)
	d.some(2)
	if d.cancel(1) != nil {
		t.Error("the work on a number that is not shared is left")
	}
	d = newDesk(t, sharing)
	d.admit(number)
	if d.cancel(1) != nil {
		t.Error("a job that did not begin leaves something")
	}
}
