package postgres_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// TestOneDamagedRowHoldsUpNoOther: a job, an operation, the events of a group and a deadline
// that can't be read keep no node from those behind them, and each is reported once.
func TestOneDamagedRowHoldsUpNoOther(t *testing.T) {
	url := pgtest.Database(t)
	said := &lines{news: make(chan struct{}, 1)}
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	start, err := s.Events(t.Context(), fairfactor.Position{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := claim(t, s, "a")
	var ids []fairfactor.ID
	deadline := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	for range 4 {
		ch, waits := w.next(), w.next()
		ch.Job.Callback = &fairfactor.Callback{URL: "https://example.com/done"}
		waits.Job.Deadline = deadline
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch, w.done(ch), waits}); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
		ids = append(ids, ch.Job.ID)
	}
	for _, id := range []string{"1", "2"} {
		if err := s.SaveOperation(t.Context(), fairfactor.Operation{ID: id, Kind: fairfactor.CancelJobs}); err != nil {
			t.Fatal(err)
		}
	}
	run(t, url, "UPDATE fairfactor.jobs SET factors = 'x' WHERE seq = (SELECT min(seq) FROM fairfactor.jobs)")
	run(t, url, `UPDATE fairfactor.events SET entries = '\xff' WHERE xact = (SELECT xact FROM fairfactor.events ORDER BY xact OFFSET 1 LIMIT 1)`)
	run(t, url, "UPDATE fairfactor.operations SET data = '{' WHERE id = '1'")
	run(t, url, "UPDATE fairfactor.deadlines SET caller = 12345 WHERE seq = (SELECT min(seq) FROM fairfactor.deadlines)")
	for range 2 {
		list, err := s.Overdue(t.Context(), deadline.Add(time.Hour), fairfactor.Overdue{}, 10)
		if err != nil || len(list) != 4 {
			t.Errorf("overdue: %+v, %v", list, err)
		}
		ops, err := s.OpenOperations(t.Context(), 10)
		if err != nil || len(ops) != 1 || ops[0].ID != "2" {
			t.Errorf("open operations: %+v, %v", ops, err)
		}
		page, err := s.Events(t.Context(), start.Next, 100, nil)
		// Of the first group the event of the job that waits, of the second none.
		if err != nil || !page.Gap || len(page.Events) < 1+3+3 || page.Next.Compare(page.Head) != 0 {
			t.Errorf("%d events, gap %v, up to %v of %v: %v", len(page.Events), page.Gap, page.Next, page.Head, err)
		}
		for _, e := range page.Events {
			if e.Job.ID == ids[0] || e.Job.ID == ids[1] {
				t.Errorf("an event of a job that can't be read, or of a group that can't be: %+v", e)
			}
		}
	}
	run(t, url, "UPDATE fairfactor.queue SET factors = 'x' WHERE ord = (SELECT ord FROM fairfactor.queue ORDER BY ord OFFSET 1 LIMIT 1)")
	for _, limit := range []int{2, 3, 10} {
		if list, err := s.Backlog(t.Context(), w.claim.Number, 0, limit, nil); err != nil || len(list) != min(limit, 3) || list[1].Job.Order != 6 {
			t.Errorf("the first %d that wait: %+v, %v", limit, list, err)
		}
	}
	claimed, err := s.ClaimDeliveries(t.Context(), time.Now().Add(time.Hour), time.Minute, nil, 10, 10)
	if err != nil || len(claimed) != 3 {
		t.Errorf("claimed: %+v, %v", claimed, err)
	}
	if n := count(t, url, "SELECT count(*) FROM fairfactor.deliveries"); n != 4 {
		t.Errorf("%d deliveries are kept, want 4", n)
	}
	if _, err := s.Job(t.Context(), ids[0]); fairfactor.CodeOf(err) != fairfactor.Internal {
		t.Errorf("a damaged job is read: %v", err)
	}
	if n, err := s.Expire(t.Context(), time.Now().Add(time.Hour), 100); err != nil || n != 4 {
		t.Errorf("%d jobs expired, %v", n, err)
	}
	said.mu.Lock()
	defer said.mu.Unlock()
	if n := strings.Count(said.text.String(), "it is stepped over"); n != 4 {
		t.Errorf("%d reports, want one each of the two jobs, the operation and the events:\n%s", n, said.text.String())
	}
}
