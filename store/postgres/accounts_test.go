package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// farAhead is after everything that these tests do.
var farAhead = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// idle leaves the account of a caller without jobs.
func idle(t *testing.T, s *postgres.Store, name string) *pen {
	t.Helper()
	p := claim(t, s, name)
	accept := p.next()
	ended := p.done(accept)
	ended.Op = fairfactor.AcceptEnded
	ended.Job.Finished = time.Now().Add(-time.Hour)
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{ended}); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	if n, err := s.Expire(t.Context(), farAhead, 10); n != 1 || err != nil {
		t.Fatalf("%d jobs expired, %v", n, err)
	}
	return p
}

func forget(t *testing.T, s *postgres.Store, want int) {
	t.Helper()
	if n, err := s.Forget(t.Context(), farAhead, 10); n != want || err != nil {
		t.Errorf("%d accounts forgotten, %v, want %d", n, err, want)
	}
}

// TestForgottenByAnotherNode: a node forgets an account, while another one remembers its
// number and has an activation of its caller.
func TestForgottenByAnotherNode(t *testing.T) {
	nodes := several(t, 2)
	here, there := nodes[0], nodes[1]
	p := idle(t, here, "a")
	if _, err := here.List(t.Context(), fairfactor.Query{Caller: "a", Limit: 5}); err != nil {
		t.Fatal(err)
	}
	forget(t, there, 1)
	if errs, err := here.Apply(t.Context(), []fairfactor.Change{p.next()}); err != nil || errs == nil || !errors.Is(errs[0], fairfactor.ErrFenced) {
		t.Errorf("the activation that was: %v, %v", errs, err)
	}
	again := claim(t, there, "a")
	if again.claim.Number == p.claim.Number || again.claim.Epoch <= p.claim.Epoch {
		t.Errorf("claim %+v after %+v", again.claim, p.claim)
	}
	accept := again.next()
	if errs, err := there.Apply(t.Context(), []fairfactor.Change{accept}); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	for _, s := range nodes {
		page, err := s.List(t.Context(), fairfactor.Query{Caller: "a", Limit: 5})
		if err != nil || len(page.Jobs) != 1 || page.Jobs[0].ID != accept.Job.ID {
			t.Errorf("jobs of a: %+v, %v", page.Jobs, err)
		}
		if c, err := s.Caller(t.Context(), "a"); err != nil || c.Queued != 1 {
			t.Errorf("a: %+v, %v", c, err)
		}
	}
	forget(t, here, 0)
	if a, err := here.Accounts(t.Context()); a.Kept != 1 || err != nil {
		t.Errorf("accounts: %+v, %v", a, err)
	}
}

// TestLockedAccountIsLeftAlone: forgetting waits for no one. An account that is being
// written stays, and goes another time if nothing came of that.
func TestLockedAccountIsLeftAlone(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	idle(t, s, "a")
	tx := begin(t, url, "SELECT FROM fairfactor.callers FOR UPDATE")
	defer tx.Conn().Close(context.WithoutCancel(t.Context()))
	forget(t, s, 0)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	forget(t, s, 1)
}

// TestClaimCountsAsAChange: an account whose caller was active since, though nothing came
// of it, stays for as long again.
func TestClaimCountsAsAChange(t *testing.T) {
	s := open(t, pgtest.Database(t))
	defer s.Close()
	idle(t, s, "a")
	between := time.Now()
	claim(t, s, "a")
	if n, err := s.Forget(t.Context(), between.Add(-30*time.Minute), 10); n != 0 || err != nil {
		t.Errorf("%d forgotten, %v", n, err)
	}
	forget(t, s, 1)
}

// TestFreshClaimsStayAtTheBound: an account that was claimed a moment ago makes no room,
// and a claim that comes to nothing leaves an account that is forgotten like others.
func TestFreshClaimsStayAtTheBound(t *testing.T) {
	s, err := postgres.Open(t.Context(), pgtest.Database(t), postgres.Options{Logger: slog.New(slog.DiscardHandler), Fresh: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.BoundAccounts(2)
	idle(t, s, "a")
	b := claim(t, s, "b") // its first job is on the way
	if _, err := s.ClaimCaller(t.Context(), "c", ""); !errors.Is(err, fairfactor.ErrTooManyCallers) {
		t.Errorf("a third caller: %v", err)
	}
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{b.next()}); errs != nil || err != nil {
		t.Error(errs, err)
	}
	claim(t, s, "a")
	forget(t, s, 1)
	claim(t, s, "c")
	forget(t, s, 1)
	callers, err := s.Callers(t.Context(), "", 10)
	if err != nil || !slices.EqualFunc(callers, []string{"b"}, func(c fairfactor.Caller, name string) bool { return c.Name == name }) {
		t.Errorf("callers: %+v, %v", callers, err)
	}
}

// TestClaimsAtTheBoundOfSeveralNodes: there is no account more than nodes can claim at once.
func TestClaimsAtTheBoundOfSeveralNodes(t *testing.T) {
	nodes := several(t, 2)
	taken := make(chan bool)
	const each, most = 60, 40
	for i, s := range nodes {
		s.BoundAccounts(most)
		for j := range each {
			go func() {
				_, err := s.ClaimCaller(t.Context(), string(rune('a'+i))+string(rune('0'+j)), "")
				if err != nil && !errors.Is(err, fairfactor.ErrTooManyCallers) && fairfactor.CodeOf(err) != fairfactor.Invalid {
					t.Error(err)
				}
				taken <- err == nil
			}()
		}
	}
	n := uint64(0)
	for range len(nodes) * each {
		if <-taken {
			n++
		}
	}
	if a, err := nodes[0].Accounts(t.Context()); a.Kept != n || n < most || n > 2*most || err != nil {
		t.Errorf("%+v, %v: %d claims at a bound of %d", a, err, n, most)
	}
	forget(t, nodes[0], 10)
}

// TestIdleIsLockedInOrder: a group that takes back settings of many callers waits for the row
// of the first one in idle before it locks those of others. Otherwise it and an Expire that
// deletes jobs of the same callers would wait for each other.
func TestIdleIsLockedInOrder(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	const callers = 24
	var set, back []fairfactor.Change
	for i := range callers {
		p := claim(t, s, string(rune('a'+i)))
		weigh := p.change(fairfactor.Weigh, fairfactor.Job{})
		weigh.Job, weigh.Weight = nil, 2
		set = append(set, weigh)
		weigh.Weight = 1
		back = append(back, weigh)
	}
	if errs, err := s.Apply(t.Context(), set); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	tx := begin(t, url, "SELECT FROM fairfactor.idle WHERE number = (SELECT min(number) FROM fairfactor.idle) FOR UPDATE")
	defer tx.Conn().Close(context.WithoutCancel(t.Context()))
	written := make(chan error, 1)
	go func() {
		errs, err := s.Apply(t.Context(), back)
		written <- errors.Join(append(errs, err)...)
	}()
	for count(t, url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0 {
		select {
		case err := <-written:
			t.Fatalf("a group that waits for no one: %v", err)
		default:
		}
	}
	if free := count(t, url, "SELECT count(*) FROM (SELECT FROM fairfactor.idle FOR UPDATE SKIP LOCKED) AS free"); free != callers-1 {
		t.Errorf("%d of %d rows are free", free, callers-1)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}
