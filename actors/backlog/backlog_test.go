package backlog_test

import (
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/factor"
)

func TestJobsBeginInOrder(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept("15", "21", "35", "77")
	turns, got := d.next(3)
	expect(t, got, "1.0 2.0 3.0")
	if !d.backlog.More() {
		t.Error("job 4 waits, but there is no more")
	}
	for i := len(turns) - 1; i >= 0; i-- { // they may end in any order
		d.give(d.run(turns[i]))
	}
	_, got = d.next(9)
	expect(t, got, "4.0")
	if d.backlog.More() {
		t.Error("nothing waits, but there is more")
	}
	d.work()
	for seq, s := range d.jobs {
		if s.job.State != fairfactor.Completed || s.job.Attempts != 1 || s.job.Turns != 1 || s.job.Turn == 0 || s.job.CPU != time.Millisecond || s.job.Finished.IsZero() {
			t.Errorf("job %d: %+v", seq, s.job)
		}
	}
	if !d.backlog.Empty() || d.backlog.Outstanding() != 0 {
		t.Error("the backlog is not empty at the end")
	}
}

func TestPagesKeepTheOrderAndLoseNothing(t *testing.T) {
	for _, waiting := range []int{0, 1, backlog.Page - 1, backlog.Page, backlog.Page + 1, 5*backlog.Page + 3} {
		t.Run(fmt.Sprint(waiting), func(t *testing.T) {
			d := newDesk(t, backlog.Config{})
			for range waiting {
				d.store("15")
			}
			d.activate()
			begun := uint64(0)
			for step := 0; !d.backlog.Empty(); step++ {
				after, ok := d.backlog.NeedPage()
				if ok {
					page := d.read(after)
					if step%3 == 0 {
						d.accept("21") // while the page is read, behind it
					}
					if step%5 == 1 {
						d.backlog.Unpaged() // could not be read
					} else {
						d.backlog.Paged(page)
					}
				}
				for _, turn := range d.backlog.Next(nil, 100) {
					if begun++; turn.ID.Seq != begun {
						t.Fatalf("job %d begins, it should be %d", turn.ID.Seq, begun)
					}
					d.give(d.run(turn))
				}
			}
			if begun != d.last {
				t.Errorf("%d of %d jobs begun", begun, d.last)
			}
		})
	}
}

// TestPageBringsAnAcceptedJobOnce: the page was read after the job was durable,
// and before the backlog was told of it.
func TestPageBringsAnAcceptedJobOnce(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.store("15")
	d.activate()
	after, _ := d.backlog.NeedPage()
	second := d.store("21")
	d.backlog.Paged(d.read(after))
	d.backlog.Defer()
	d.backlog.Accept(second, false)
	d.accept("35")
	d.fill()
	_, got := d.next(9)
	expect(t, got, "1.0 2.0 3.0")
}

func TestWindowIsBounded(t *testing.T) {
	const jobs = 200_000
	d := newDesk(t, backlog.Config{})
	before := heap()
	job := fairfactor.Job{ID: fairfactor.ID{Caller: 7}, Number: "15", State: fairfactor.Pending}
	for i := range uint64(jobs) {
		job.ID.Seq, job.Order = i+1, i+1
		job.Number = strings.Repeat("7", 40)
		d.backlog.Accept(&job, d.backlog.Admit(&job))
	}
	grown := int64(heap()) - int64(before)
	runtime.KeepAlive(d)
	t.Logf("%d jobs wait, %d bytes", jobs, grown)
	if grown > 2*backlog.Page*400 {
		t.Errorf("%d bytes for a window of %d jobs", grown, 2*backlog.Page)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestFirstOutcomeCounts(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept("15", long)
	turns, _ := d.next(2)
	first := d.run(turns[0])
	if ended, _ := d.give(first); ended == nil || ended.State != fairfactor.Completed {
		t.Fatalf("15 is not done: %+v", ended)
	}
	for _, out := range []backlog.Outcome{first, d.failure(turns[0]), {Seq: 99}, {Seq: 2, Turn: 5}} {
		if ended, withdraw := d.backlog.Outcome(out, start); ended != nil || withdraw {
			t.Errorf("%+v ended a job", out)
		}
	}
	again := d.run(turns[1])
	other := again // of a job that had this sequence number before, in a store that went back
	other.Nonce++
	d.backlog.Outcome(other, start)
	if job, ok := d.backlog.Look(2); !ok || job.Turns != 0 {
		t.Errorf("after an outcome of another job: %+v", job)
	}
	d.give(again)
	d.give(again)
	if job, ok := d.backlog.Look(2); !ok || job.Turns != 1 || job.CPU != time.Millisecond || job.State != fairfactor.Running {
		t.Errorf("after one turn, told twice: %+v", job)
	}
}

func TestLongJobIsFactored(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept(long)
	d.work()
	job := d.jobs[1].job
	if job.State != fairfactor.Completed || len(job.Factors) != 4 || job.Turns < 2 || job.Attempts != 1 {
		t.Errorf("%+v", job)
	}
}

func TestLongAndShortTakeTurns(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept(hard)
	first, _ := d.next(9)
	d.give(d.run(first[0]))
	d.accept("15", "21", "35")
	_, got := d.next(8)
	expect(t, got, "1.1 2.0 1.2 3.0 1.3 4.0 1.4 1.5")
	if !d.backlog.More() {
		t.Error("a long job always has more")
	}
}

// TestLightJobsOvertakeManyHardOnes: next to many long jobs with hard numbers no further hard
// one is begun, and light ones are.
func TestLightJobsOvertakeManyHardOnes(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	for range backlog.MaxLong {
		d.accept(hard)
		turns, _ := d.next(1)
		for turns[0].Turn != 0 { // an earlier job's
			turns, _ = d.next(1)
		}
		d.give(d.run(turns[0]))
	}
	d.accept(hard, "15")
	last, light := fmt.Sprintf("%d.0", d.last-1), fmt.Sprintf("%d.0", d.last)
	_, got := d.next(40)
	if strings.Contains(got, last) {
		t.Errorf("a hard job was begun next to %d long ones: %s", backlog.MaxLong, got)
	}
	if at := slices.Index(strings.Fields(got), light); at < 0 || at > 1 {
		t.Errorf("a light job does not overtake the hard ones: %s", got)
	}
	ended, withdraw, ok := d.backlog.Cancel(1, "", start)
	if !ok || !withdraw || ended.State != fairfactor.Cancelled {
		t.Fatalf("cancel: %+v %v %v", ended, withdraw, ok)
	}
	if _, got := d.next(2); !strings.Contains(got, last) {
		t.Errorf("one long job ended, but no other began: %s", got)
	}
}

func TestJobFailsAfterSomeFailures(t *testing.T) {
	for _, number := range []string{"15", hard} {
		d := newDesk(t, backlog.Config{})
		d.accept(number, "21")
		for i := 1; i <= backlog.MaxFailures; i++ {
			turns := d.backlog.Next(nil, 1)
			for turns[0].ID.Seq != 1 {
				turns = d.backlog.Next(nil, 1)
			}
			if i == 2 && number == hard { // one turn that goes well forgives nothing
				d.give(d.run(turns[0]))
				turns = d.backlog.Next(nil, 2)
			}
			ended, _ := d.give(d.failure(turns[0]))
			if (ended != nil) != (i == backlog.MaxFailures) {
				t.Fatalf("after %d failures: %+v", i, ended)
			}
		}
		job := d.jobs[1].job
		if job.State != fairfactor.Failed || job.Reason != "3 turns of this job failed, the last one with: the disk is on fire" {
			t.Errorf("%+v", job)
		}
		d.work()
		if d.jobs[2].job.State != fairfactor.Completed {
			t.Errorf("the next job: %+v", d.jobs[2].job)
		}
	}
}

func TestDamagedResultIsAFailure(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept("15")
	turns, _ := d.next(1)
	out := d.run(turns[0])
	good := out.Data
	out.Data = []byte("nonsense")
	if ended, _ := d.give(out); ended != nil {
		t.Fatalf("nonsense ended the job: %+v", ended)
	}
	again, got := d.next(2)
	expect(t, got, "1.0")
	if string(again[0].Number) != "15" || again[0].Predict != factor.Predict(2) {
		t.Errorf("the turn came back as %+v", again[0])
	}
	out.Data = good
	if ended, _ := d.give(out); ended == nil || ended.State != fairfactor.Completed {
		t.Errorf("%+v", ended)
	}
}

func TestLimitOfCPUEndsAJob(t *testing.T) {
	d := newDesk(t, backlog.Config{MaxCPU: 3 * time.Millisecond})
	n, _ := new(big.Int).SetString(hard, 10)
	d.accept(n.Mul(n, big.NewInt(15)).String()) // small factors, which are found, and the rest
	var ended *fairfactor.Job
	var withdraw bool
	for ended == nil {
		turns := d.backlog.Next(nil, 3)
		ended, withdraw = d.give(d.run(turns[0]))
	}
	if ended.State != fairfactor.Failed || ended.CPU != 3*time.Millisecond || ended.Turns != 3 || !withdraw {
		t.Errorf("%+v, withdraw %v", ended, withdraw)
	}
	if !strings.HasPrefix(ended.Reason, "the limit of 3ms of CPU for a job is used up; not factored yet: ") {
		t.Errorf("reason: %s", ended.Reason)
	}
	if !strings.HasSuffix(ended.Reason, " "+hard) || len(ended.Factors) != 2 || ended.Factors[0].Prime != "3" || ended.Factors[1].Prime != "5" {
		t.Errorf("found %v, reason %s", ended.Factors, ended.Reason)
	}
}
