package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// eventsAfter reads a page of events.
func eventsAfter(t *testing.T, s *postgres.Store, after fairfactor.Position) fairfactor.EventPage {
	t.Helper()
	page, err := s.Events(t.Context(), after, 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestEventsWaitForEarlierTransactions: an event is shown when nothing can come to stand
// before it any more, on whichever node; and then it is.
func TestEventsWaitForEarlierTransactions(t *testing.T) {
	url := pgtest.Database(t)
	one, other := open(t, url), open(t, url)
	defer one.Close()
	defer other.Close()
	a := claim(t, one, "a")
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	begin := eventsAfter(t, other, fairfactor.Position{}).Next
	if _, err := c.Exec(t.Context(), "BEGIN; LOCK TABLE fairfactor.writers IN ROW EXCLUSIVE MODE; SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	changed := one.Changed()
	group := a.group(1)
	if errs, err := one.Apply(t.Context(), group); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	<-changed
	eventsAfter(t, other, begin)
	page := eventsAfter(t, other, begin) // asks which of the transactions write groups
	if len(page.Events) != 0 || page.Next.Compare(page.Head) >= 0 {
		t.Fatalf("while an earlier transaction is under way: %+v", page)
	}
	if _, err := c.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	var events []fairfactor.Event
	for len(events) == 0 {
		events = eventsAfter(t, other, page.Next).Events
	}
	if events[0].State != fairfactor.Pending || events[0].Job.Caller != "a" {
		t.Errorf("%+v", events[0])
	}
}

// TestEventsWaitForNoOneElse: transactions of another database, and of others in this one,
// hold up no event, however long they last; those that they have seen are in order.
func TestEventsWaitForNoOneElse(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	a := claim(t, s, "a")
	begin := eventsAfter(t, s, fairfactor.Position{}).Next
	for _, elsewhere := range []string{url, pgtest.Database(t)} {
		c, err := pgx.Connect(t.Context(), elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.WithoutCancel(t.Context()))
		if _, err := c.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS public.theirs (n int)"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Exec(t.Context(), "BEGIN; INSERT INTO public.theirs VALUES (1)"); err != nil {
			t.Fatal(err)
		}
	}
	at := begin
	for i := range 3 {
		if errs, err := s.Apply(t.Context(), a.group(1+i%2)); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
		var got []fairfactor.Event
		for try := 0; len(got) < 1 && try < 1000; try++ {
			page := eventsAfter(t, s, at)
			if page.Gap || page.Next.Compare(at) < 0 {
				t.Fatalf("%+v after %v", page, at)
			}
			got, at = append(got, page.Events...), page.Next
		}
		if len(got) != 1 || got[0].Job.ID.Seq != uint64(i+1) {
			t.Fatalf("events: %+v", got)
		}
	}
}

// TestOldRowsOfEventsAreTrimmed: the oldest rows go; a reader that lacks them is told.
func TestOldRowsOfEventsAreTrimmed(t *testing.T) {
	s := open(t, pgtest.Database(t))
	defer s.Close()
	a := claim(t, s, "a")
	begin := eventsAfter(t, s, fairfactor.Position{}).Next
	for range 10 {
		if errs, err := s.Apply(t.Context(), a.group(1)); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
	}
	var all fairfactor.EventPage
	for all = eventsAfter(t, s, begin); all.Next.Compare(all.Head) < 0; all = eventsAfter(t, s, begin) {
	}
	if all.Gap {
		t.Fatal("a gap before anything was deleted")
	}
	s.KeepEvents(4)
	if page := eventsAfter(t, s, begin); !page.Gap || len(page.Events) == 0 || page.Events[len(page.Events)-1].After != all.Events[len(all.Events)-1].After {
		t.Errorf("after trimming: gap %v, %d events", page.Gap, len(page.Events))
	}
	if page := eventsAfter(t, s, all.Events[len(all.Events)-1].After); page.Gap || len(page.Events) != 0 {
		t.Errorf("at the end: gap %v, %d events", page.Gap, len(page.Events))
	}
}

// TestRestoredDump: events of another server's transactions, which this one has not
// begun yet, are not kept: they would stand before new ones.
func TestRestoredDump(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	exec(t, url, "INSERT INTO fairfactor.events VALUES (1000000000000, '\\x0400')")
	s.Close()
	s = open(t, url)
	defer s.Close()
	if n := count(t, url, "SELECT count(*) FROM fairfactor.events"); n != 0 {
		t.Errorf("%d rows of transactions that have not begun", n)
	}
}
