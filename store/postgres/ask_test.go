package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// TestReadsTravelTogether: what many ask for at once travels in few messages, and each
// gets its own answer.
func TestReadsTravelTogether(t *testing.T) {
	direct := pgtest.Database(t)
	p, address := behind(t, direct)
	s := open(t, address)
	defer s.Close()
	const callers, times = 100, 5
	ids := make([]fairfactor.ID, callers)
	numbers := make([]uint64, callers)
	for i := range ids {
		w := claim(t, s, "caller-"+string(rune('a'+i%26))+string(rune('a'+i/26)))
		ch := w.next()
		ch.Job.Callback = &fairfactor.Callback{URL: "https://example.com/done"}
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch, w.done(ch), w.next()}); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
		ids[i], numbers[i] = ch.Job.ID, w.claim.Number
	}
	if _, err := s.Job(t.Context(), ids[0]); err != nil { // prepares the statements
		t.Fatal(err)
	}
	before := p.messages.Load()
	gate, asking := make(chan struct{}), sync.WaitGroup{}
	for i := range callers * times {
		asking.Go(func() {
			<-gate
			id := ids[i%callers]
			if j, err := s.Job(t.Context(), id); err != nil || j.ID != id || j.Callback.State != fairfactor.DeliveryPending {
				t.Errorf("job %s: %+v, %v", id, j, err)
			}
			if list, err := s.Backlog(t.Context(), numbers[i%callers], 0, 10, nil); err != nil || len(list) != 1 || list[0].Job.ID.Caller != id.Caller {
				t.Errorf("backlog of %d: %+v, %v", id.Caller, list, err)
			}
		})
	}
	close(gate)
	asking.Wait()
	if n := p.messages.Load() - before; n > callers*times {
		t.Errorf("%d messages for %d reads of three questions each", n, callers*times)
	}
}

// TestReadsSpoilNoOther: one of many that ask at once goes away, and one is refused; the
// others get their answers.
func TestReadsSpoilNoOther(t *testing.T) {
	direct := pgtest.Database(t)
	s := open(t, direct)
	defer s.Close()
	w := claim(t, s, "a")
	ch := w.next()
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch, w.done(ch)}); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	bad := errors.New("not what was expected")
	gone, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asking sync.WaitGroup
	for i := range 200 {
		asking.Go(func() {
			switch i % 4 {
			case 0:
				if err := s.Ask(t.Context(), nil, "SELECT 1/0"); err == nil || !strings.Contains(err.Error(), "division by zero") {
					t.Errorf("a question that is refused: %v", err)
				}
			case 1:
				if err := s.Ask(t.Context(), bad, "SELECT 1"); !errors.Is(err, bad) {
					t.Errorf("an answer that can't be read: %v", err)
				}
			case 2:
				if i > 100 {
					cancel()
				}
				if err := s.Ask(gone, nil, "SELECT 1"); err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("who asked went away: %v", err)
				}
			default:
				if j, err := s.Job(t.Context(), ch.Job.ID); err != nil || j.State != fairfactor.Completed {
					t.Errorf("%+v, %v", j, err)
				}
			}
		})
	}
	asking.Wait()
}

// far returns the URL of a database, reached over a way that takes delay in each direction
// and loses a part of the packets.
func far(t testing.TB, direct string, delay time.Duration, loss float64) (*pgtest.Far, string) {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pgtest.NewFar(u.Host, delay, loss, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	u.Host = f.Addr()
	return f, u.String()
}

// TestReadyInALongLine: the database is far, and many wait for the connection that reads: the
// store is ready, because it is answered.
func TestReadyInALongLine(t *testing.T) {
	_, address := far(t, pgtest.Database(t), 25*time.Millisecond, 0)
	s := open(t, address)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	begun := make(chan struct{}, 60)
	for range 60 {
		asking.Go(func() {
			for ctx.Err() == nil {
				_, err := s.List(ctx, fairfactor.Query{Limit: 1})
				if err != nil && ctx.Err() == nil {
					t.Errorf("list: %v", err)
				}
				select {
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	<-begun
	for range 2 {
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("not ready: %v", err)
		}
	}
	cancel()
	asking.Wait()
}
