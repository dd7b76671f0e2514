package pebble

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestOneDamagedRecordHoldsUpNoOther damages one deadline, one operation, a job and the
// rolls of jobs, one after the other: what is behind them is found and deleted all the same,
// each is reported once, and stays as it is.
func TestOneDamagedRecordHoldsUpNoOther(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	var said bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&said, nil))
	var keys [][]byte
	damage := func(key []byte) {
		t.Helper()
		if _, ok, err := get(s.db, key); !ok || err != nil {
			t.Fatalf("there is no %q: %v", key, err)
		}
		b := s.db.NewBatch()
		b.Set(key, []byte("damage"), nil)
		if err := s.commit(b); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	reported := func(n int) {
		t.Helper()
		if got := strings.Count(said.String(), "it is stepped over"); got != n {
			t.Errorf("%d reports, want %d: %s", got, n, said.String())
		}
		said.Reset()
	}
	a := activate(t, s, "a")

	var due []fairfactor.Job
	for i := range 3 {
		ch := a.accept()
		ch.Job.Deadline = epochTime.Add(time.Duration(i) * time.Second)
		mustApply(t, s, ch)
		due = append(due, *ch.Job)
	}
	damage(deadlineKey(nil, micros(due[1].Deadline), jobKeyOf(&due[1])))
	for range 3 {
		list, err := s.Overdue(t.Context(), epochTime.Add(time.Hour), fairfactor.Overdue{}, 2)
		if err != nil || len(list) != 2 || list[0].ID != due[0].ID || list[1].ID != due[2].ID {
			t.Errorf("overdue: %+v, %v", list, err)
		}
	}
	reported(1)

	for _, id := range []string{"1", "2", "3"} {
		if err := s.SaveOperation(t.Context(), fairfactor.Operation{ID: id, Kind: fairfactor.CancelJobs}); err != nil {
			t.Fatal(err)
		}
	}
	damage(operationKey(nil, false, "1"))
	for range 2 {
		if ops, err := s.OpenOperations(t.Context(), 2); err != nil || len(ops) != 2 || ops[0].ID != "2" || ops[1].ID != "3" {
			t.Errorf("open operations: %+v, %v", ops, err)
		}
	}
	reported(1)

	end := func(n int) (ended []fairfactor.Job, roll []byte) {
		var accepted, finished []fairfactor.Change
		for range n {
			ch := a.accept()
			accepted, finished = append(accepted, ch), append(finished, a.finish(*ch.Job))
		}
		mustApply(t, s, accepted...)
		mustApply(t, s, finished...)
		for i := range finished {
			ended = append(ended, *finished[i].Job)
		}
		return ended, finishedKey(nil, micros(ended[0].Finished), s.group)
	}
	one, roll := end(2)
	two, _ := end(3)
	three, _ := end(2)
	damage(roll)                                                  // keeps both jobs of one
	damage(slot(nil, kindEnded, two[1].ID.Caller, two[1].ID.Seq)) // keeps itself
	damage(acceptedKey(nil, s.group-1))                           // of three, whose jobs go
	n, err := s.Expire(t.Context(), epochTime.Add(24*time.Hour), 1000)
	if err != nil || n != len(two)-1+len(three) {
		t.Errorf("%d expired, %v", n, err)
	}
	reported(3)
	for i, j := range append(append(one, two...), three...) {
		_, err := s.Job(t.Context(), j.ID)
		want := fairfactor.NotFound
		switch {
		case i < 2:
			want = ""
		case i == 3:
			want = fairfactor.Internal
		}
		if fairfactor.CodeOf(err) != want {
			t.Errorf("job %d: %v, want %q", i, err, want)
		}
	}
	if n, err := s.Expire(t.Context(), epochTime.Add(24*time.Hour), 1000); n != 0 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
	reported(0)
	for i, key := range keys {
		value, closer, err := s.db.Get(key)
		if err != nil || string(value) != "damage" {
			t.Errorf("what was damaged is %q, %v: record %d must be left alone", value, err, i)
			continue
		}
		closer.Close()
	}
}

// TestDamagedEventsHoldUpNoOther damages the events of a group and a job of another: readers
// are told of a gap and of all that comes after, and what is not kept any more goes.
func TestDamagedEventsHoldUpNoOther(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	var said bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&said, nil))
	start, err := s.Events(t.Context(), fairfactor.Position{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := activate(t, s, "a")
	var jobs []fairfactor.Job
	first := s.group + 1
	for range 4 {
		ch := a.accept()
		mustApply(t, s, ch, a.finish(*ch.Job))
		jobs = append(jobs, *ch.Job)
	}
	b := s.db.NewBatch()
	for _, key := range [][]byte{eventsKey(nil, first+1), slot(nil, kindEnded, jobs[2].ID.Caller, jobs[2].ID.Seq)} {
		if _, ok, err := get(s.db, key); !ok || err != nil {
			t.Fatalf("there is no %q: %v", key, err)
		}
		b.Set(key, []byte("damage"), nil)
	}
	if err := s.commit(b); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		page, err := s.Events(t.Context(), start.Next, 100, nil)
		if err != nil || !page.Gap || page.Next != page.Head {
			t.Fatalf("gap %v, up to %v of %v: %v", page.Gap, page.Next, page.Head, err)
		}
		told := map[fairfactor.ID]int{}
		for _, e := range page.Events {
			told[e.Job.ID]++
		}
		if len(told) != 2 || told[jobs[0].ID] == 0 || told[jobs[3].ID] == 0 {
			t.Errorf("events of %v, want of the first and the last of %v", told, jobs)
		}
	}
	if n := strings.Count(said.String(), "it is stepped over"); n != 2 {
		t.Errorf("%d reports, want 2: %s", n, said.String())
	}
	s.events.kept = 1
	b = s.db.NewBatch()
	if err := s.trimEvents(b); err != nil {
		t.Fatal(err)
	}
	if err := s.commit(b); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := get(s.db, eventsKey(nil, first+1)); ok || err != nil {
		t.Errorf("damaged events that are not kept any more are there: %v", err)
	}
}

// TestDamagedJobHoldsUpNoneBehindIt damages jobs that wait, and the checkpoint of one: the
// others are read, by pages of any size, and the one without its checkpoint begins again.
func TestDamagedJobHoldsUpNoneBehindIt(t *testing.T) {
	for _, jobs := range []int{3, 20} { // which are read one by one, or with an iterator
		s := mustOpen(t, "data", vfs.NewMem(), 0)
		var said bytes.Buffer
		s.log = slog.New(slog.NewTextHandler(&said, nil))
		a := activate(t, s, "a")
		var all []fairfactor.Job
		for range jobs {
			ch := a.accept()
			mustApply(t, s, ch)
			all = append(all, *ch.Job)
		}
		saved := a.change(fairfactor.Checkpoint, all[2])
		saved.Checkpoint = []byte("progress")
		mustApply(t, s, saved)
		b := s.db.NewBatch()
		b.Set(slot(nil, kindQueued, all[1].ID.Caller, all[1].Order), []byte("damage"), nil)
		b.Set(slot(nil, kindCheckpoint, all[2].ID.Caller, all[2].Order), []byte("damage"), nil)
		if err := s.commit(b); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{1, 2, jobs - 1, jobs + 5} {
			list, err := s.Backlog(t.Context(), all[0].ID.Caller, 0, limit, nil)
			if err != nil || len(list) != min(limit, jobs-1) {
				t.Fatalf("the first %d of %d that wait: %+v, %v", limit, jobs, list, err)
			}
			if list[0].Job.ID != all[0].ID || limit > 1 && (list[1].Job.ID != all[2].ID || list[1].Checkpoint != nil) {
				t.Errorf("the first of %d that wait: %+v", jobs, list)
			}
		}
		if n := strings.Count(said.String(), "it is stepped over"); n != 2 {
			t.Errorf("%d reports, want 2: %s", n, said.String())
		}
		s.Close()
	}
}
