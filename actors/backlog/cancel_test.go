package backlog_test

import (
	"slices"
	"testing"

	"fairfactor"
	"fairfactor/actors/backlog"
)

func TestCancelInEveryState(t *testing.T) {
	for _, c := range []struct {
		name     string
		prepare  func(d *desk)
		withdraw bool
		turns    uint64
	}{
		{"waiting", func(*desk) {}, false, 0},
		{"offered", func(d *desk) { d.next(1) }, true, 0},
		{"running", func(d *desk) {
			turns, _ := d.next(1)
			d.backlog.Began(turns[0].ID.Seq, 4, start)
		}, true, 0},
		{"long, nothing offered", func(d *desk) {
			turns, _ := d.next(1)
			d.give(d.run(turns[0]))
		}, false, 1},
		{"long, some offered", func(d *desk) {
			turns, _ := d.next(1)
			d.give(d.run(turns[0]))
			d.next(5)
		}, true, 1},
		{"failed once", func(d *desk) {
			turns, _ := d.next(1)
			d.give(d.failure(turns[0]))
		}, false, 1},
		{"with a checkpoint, waiting again", func(d *desk) {
			turns, _ := d.next(1)
			d.give(d.run(turns[0]))
			d.checkpoint()
			d.activate()
			d.fill()
		}, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, backlog.Config{})
			d.accept(hard)
			c.prepare(d)
			before, ok := d.backlog.Look(1)
			if !ok || before.Turns != c.turns {
				t.Fatalf("before: %+v %v", before, ok)
			}
			ended, withdraw, ok := d.backlog.Cancel(1, "", start)
			if !ok || ended.State != fairfactor.Cancelled || ended.Turns != c.turns || !ended.Finished.Equal(start) || withdraw != c.withdraw {
				t.Fatalf("%+v, withdraw %v, %v", ended, withdraw, ok)
			}
			if d.backlog.Outstanding() != 0 || d.backlog.More() || len(d.backlog.Offered(nil)) != 0 {
				t.Error("its turns are still there")
			}
			if _, _, ok := d.backlog.Cancel(1, "", start); ok || !d.backlog.Ending(1) {
				t.Error("it can be cancelled twice")
			}
			after, ok := d.backlog.Look(1)
			if !ok || after.State != before.State || after.Turns != before.Turns || !after.Finished.IsZero() {
				t.Errorf("until its end is durable it shows as %+v, it was %+v", after, before)
			}
			if d.backlog.Empty() {
				t.Error("empty before the end is durable")
			}
			d.finish(ended)
			d.backlog.Committed(1)
			if _, ok := d.backlog.Look(1); ok || !d.backlog.Empty() {
				t.Error("still there after its end is durable")
			}
		})
	}
}

// checkpoint stores the progress of long jobs.
func (d *desk) checkpoint() (saved int) {
	for _, change := range d.backlog.Checkpoints() {
		s := d.jobs[change.Job.ID.Seq]
		if s == nil { // its acceptance is on its way
			d.backlog.Unsaved(change.Job.ID.Seq)
			continue
		}
		if change.Op != fairfactor.Checkpoint || s.job.State.Final() || s.job.Order != change.Job.Order {
			continue // as the store would
		}
		s.job, s.checkpoint = *change.Job, change.Checkpoint
		s.job.Progress = nil
		for _, p := range change.Pieces {
			if s.pieces == nil {
				s.pieces = map[uint32][]byte{}
			}
			s.pieces[p.Number] = slices.Clone(p.Data)
		}
		d.backlog.Booked(change.Job)
		saved++
	}
	return saved
}

// TestExpelledJobDoesNotComeBack: the page was read before its end was durable.
func TestExpelledJobDoesNotComeBack(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.store("15")
	d.store("21")
	d.activate()
	after, ok := d.backlog.NeedPage()
	if !ok {
		t.Fatal("no page wanted")
	}
	page := d.read(after)
	if _, _, ok := d.backlog.Cancel(1, "", start); ok {
		t.Fatal("a job that is in the store only was cancelled")
	}
	ended, ok := d.backlog.Expel(d.jobs[1].job, "", start)
	if !ok || ended.State != fairfactor.Cancelled {
		t.Fatalf("%+v %v", ended, ok)
	}
	d.finish(ended)
	d.backlog.Committed(1)
	d.backlog.Paged(page)
	_, got := d.next(9)
	expect(t, got, "2.0")
	if _, ok := d.backlog.Expel(d.jobs[2].job, "", start); ok {
		t.Error("a job that is open was expelled")
	}
	d.work()
}

func TestRetriedJobIsLast(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept("15", "21", "35")
	for range backlog.MaxFailures {
		turns := d.backlog.Next(nil, 1)
		for turns[0].ID.Seq != 1 {
			turns = d.backlog.Next(nil, 1)
		}
		d.give(d.failure(turns[0]))
	}
	d.backlog.Defer()
	d.backlog.Accept(d.requeue(1), false)
	d.accept("77")
	if job, ok := d.backlog.Look(1); !ok || job.State != fairfactor.Pending || job.Order != 4 || job.Attempts != 1 {
		t.Errorf("put back: %+v %v", job, ok)
	}
	_, got := d.next(9)
	for len(got) > 0 && got[:1] != "1" { // what was not offered yet
		got = got[min(4, len(got)):]
	}
	expect(t, got, "1.0 5.0")
	d.work()
	if job := d.jobs[1].job; job.State != fairfactor.Completed || job.Attempts != 2 {
		t.Errorf("%+v", job)
	}
}

// requeue puts a failed job back in the store, at the end of the queue.
func (d *desk) requeue(seq uint64) *fairfactor.Job {
	s := d.jobs[seq]
	d.last++
	again := fairfactor.Job{
		ID: s.job.ID, Caller: s.job.Caller, Number: s.job.Number, Key: s.job.Key, Order: d.last,
		State: fairfactor.Pending, Submitted: s.job.Submitted, Attempts: s.job.Attempts,
	}
	s.job, s.ends = again, 0
	return &again
}

func TestCheckpointGivesTheSameAnswer(t *testing.T) {
	plain := newDesk(t, backlog.Config{})
	plain.accept(long)
	plain.work()
	d := newDesk(t, backlog.Config{})
	d.results = plain.results
	d.accept(long)
	restarts := 0
	for d.jobs[1].job.State == fairfactor.Pending {
		d.fill()
		var ended *fairfactor.Job
		for range 2 { // one while pieces are read, one after
			turns := d.backlog.Next(nil, 1)
			d.load(-1)
			if ended, _ = d.give(d.run(turns[0])); ended != nil {
				break
			}
		}
		if ended != nil {
			break
		}
		d.next(3) // on their way when the node dies
		if saved := d.checkpoint(); saved != 1 {
			t.Fatalf("%d checkpoints", saved)
		}
		if len(d.backlog.Checkpoints()) != 0 {
			t.Fatal("a checkpoint without progress")
		}
		d.activate()
		restarts++
	}
	got, want := d.jobs[1].job, plain.jobs[1].job
	if restarts == 0 || got.State != fairfactor.Completed || len(got.Factors) != len(want.Factors) || got.Attempts != restarts+1 {
		t.Fatalf("after %d restarts: %+v, without: %+v", restarts, got, want)
	}
	for i := range got.Factors {
		if got.Factors[i] != want.Factors[i] {
			t.Errorf("factors %v, without restarts %v", got.Factors, want.Factors)
		}
	}
}

func TestUnreadableCheckpointCostsTheWorkOnly(t *testing.T) {
	for _, checkpoint := range []string{"", "nonsense"} {
		d := newDesk(t, backlog.Config{})
		d.store("15")
		d.jobs[1].job.Turns = 3
		d.jobs[1].checkpoint = []byte(checkpoint)
		d.activate()
		d.work()
		if job := d.jobs[1].job; job.State != fairfactor.Completed || job.Turns != 4 {
			t.Errorf("checkpoint %q: %+v", checkpoint, job)
		}
	}
}

func TestOfferedIsWhatANewSchedulerHasToKnow(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept("15", "21", hard, "35", "77")
	turns, _ := d.next(4)
	d.give(d.run(turns[1]))
	d.give(d.run(turns[2]))
	d.next(4)
	if got := names(d.backlog.Offered(nil)); got != "1.0 3.1 3.2 3.3 4.0 5.0" {
		t.Errorf("offered: %s", got)
	}
	if d.backlog.Outstanding() != 6 {
		t.Errorf("%d outstanding", d.backlog.Outstanding())
	}
}
