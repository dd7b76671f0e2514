package postgres_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// watched opens a store that tells each line of its log.
func watched(t *testing.T, url string) (*postgres.Store, *lines) {
	t.Helper()
	log := &lines{news: make(chan struct{}, 1)}
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, log
}

// lines is a log that can be waited for.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	news chan struct{} // holds one: there are new lines
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	l.text.Write(b)
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
	return len(b), nil
}

// wait waits until a line says something for the nth time.
func (l *lines) wait(t *testing.T, what string, n int) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		l.mu.Lock()
		text := l.text.String()
		l.mu.Unlock()
		if strings.Count(text, what) >= n {
			return
		}
		select {
		case <-l.news:
		case <-deadline:
			t.Fatalf("the log does not say %q:\n%s", what, text)
		}
	}
}

// pen writes jobs of one caller.
type pen struct {
	claim fairfactor.Claim
	last  uint64
}

func claim(t testing.TB, s fairfactor.Store, name string) *pen {
	t.Helper()
	c, err := s.ClaimCaller(context.WithoutCancel(t.Context()), name, "")
	if err != nil {
		t.Fatal(err)
	}
	return &pen{c, c.Last}
}

// next returns a change that accepts a new job.
func (p *pen) next() fairfactor.Change {
	p.last++
	return p.change(fairfactor.Accept, fairfactor.Job{
		ID:     fairfactor.ID{Nonce: p.last * 7919, Caller: p.claim.Number, Seq: p.last},
		Caller: p.claim.Caller.Name, Number: "15", Order: p.last, State: fairfactor.Pending, Submitted: time.Now(),
	})
}

func (p *pen) change(op fairfactor.Op, j fairfactor.Job) fairfactor.Change {
	return fairfactor.Change{Op: op, Caller: p.claim.Caller.Name, Number: p.claim.Number, Epoch: p.claim.Epoch, Job: &j}
}

// done returns a change that ends the job of another change.
func (p *pen) done(accepted fairfactor.Change) fairfactor.Change {
	j := *accepted.Job
	j.State, j.Finished = fairfactor.Completed, time.Now()
	j.Factors = []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 1}}
	return p.change(fairfactor.Finish, j)
}

// written returns how many jobs of a caller there are, by its account, after
// making sure that the account is right.
func written(t *testing.T, s fairfactor.Store, name string) int {
	t.Helper()
	c, err := s.Caller(t.Context(), name)
	if err != nil && fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), fairfactor.Query{Caller: name, Limit: fairfactor.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	if n := int(c.Queued + c.Completed); n != len(page.Jobs) {
		t.Errorf("the account of %s says %d jobs, %d are there", name, n, len(page.Jobs))
	}
	return len(page.Jobs)
}

// group returns changes that accept a new job: alone it takes one trip, with
// a weight two, the first locks what the second writes.
func (p *pen) group(trips int) []fairfactor.Change {
	if trips == 1 {
		return []fairfactor.Change{p.next()}
	}
	weigh := p.change(fairfactor.Weigh, fairfactor.Job{})
	weigh.Job, weigh.Weight = nil, 3
	return []fairfactor.Change{p.next(), weigh}
}

// TestAnswerToCommitIsLost: the commit took place and nothing said so.
func TestAnswerToCommitIsLost(t *testing.T) {
	p, url := behind(t, pgtest.Database(t))
	s, log := watched(t, url)
	w := claim(t, s, "a")
	for n := 1; n <= 2; n++ {
		p.onCommit(func(c *crossing) { c.lose(t) })
		errs, err := s.Apply(t.Context(), w.group(n))
		if errs != nil || err != nil {
			t.Errorf("%d trips: got %v, %v, want success", n, errs, err)
		}
		log.wait(t, "committed=true", n)
		if jobs := written(t, s, "a"); jobs != n {
			t.Errorf("%d trips: %d jobs are there, want %d", n, jobs, n)
		}
	}
}

// TestCommitIsLost: the server never heard of the commit.
func TestCommitIsLost(t *testing.T) {
	p, url := behind(t, pgtest.Database(t))
	s, log := watched(t, url)
	w := claim(t, s, "a")
	for n := 1; n <= 2; n++ {
		p.onCommit(func(c *crossing) {
			c.client.Close()
			c.server.Close()
		})
		errs, err := s.Apply(t.Context(), w.group(n))
		if errs != nil || err != nil {
			t.Errorf("%d trips: got %v, %v, want success by a second try", n, errs, err)
		}
		log.wait(t, "committed=false", n)
		if jobs := written(t, s, "a"); jobs != n {
			t.Errorf("%d trips: %d jobs are there, want %d", n, jobs, n)
		}
	}
}

// TestCommitComesLate: the store looks for its commit while that is still on the
// way. It must not say that there was none and have it take place afterwards.
func TestCommitComesLate(t *testing.T) {
	direct := pgtest.Database(t)
	p, url := behind(t, direct)
	s, log := watched(t, url)
	w := claim(t, s, "a")
	watcher, err := pgx.Connect(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close(context.WithoutCancel(t.Context()))
	p.onCommit(func(c *crossing) {
		c.client.Close()
		for asking := false; !asking; { // until the store waits for the lock
			err := watcher.QueryRow(context.Background(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%writers WHERE id = $1 FOR UPDATE')`).Scan(&asking)
			if err != nil {
				t.Errorf("watch: %v", err)
				return
			}
		}
		c.lose(t)
	})
	errs, err := s.Apply(t.Context(), w.group(2))
	if errs != nil || err != nil {
		t.Errorf("got %v, %v, want success", errs, err)
	}
	log.wait(t, "committed=true", 1)
	if n := written(t, s, "a"); n != 1 {
		t.Errorf("%d jobs are there, want 1", n)
	}

	// What came in one trip has locked nothing yet: it fails when it comes.
	late := make(chan struct{})
	p.onCommit(func(c *crossing) {
		c.client.Close()
		log.wait(t, "committed=false", 1)
		c.lose(t)
		close(late)
	})
	if errs, err = s.Apply(t.Context(), w.group(1)); errs != nil || err != nil {
		t.Errorf("got %v, %v, want success by a second try", errs, err)
	}
	<-late
	if n := written(t, s, "a"); n != 2 {
		t.Errorf("%d jobs are there, want 2", n)
	}
}

// TestNodeStopsInAGroup: a node goes on after the server has ended its
// transaction, because it held locks for too long. The group is written after all.
func TestNodeStopsInAGroup(t *testing.T) {
	p, url := behind(t, pgtest.Database(t))
	s := open(t, url)
	defer s.Close()
	w := claim(t, s, "a")
	limit := s.Setting(t, "idle_in_transaction_session_timeout")
	stopped, err := time.ParseDuration(limit)
	if err != nil || stopped <= 0 || stopped > 5*time.Second {
		t.Fatalf("a transaction may be idle for %s: %v", limit, err)
	}
	p.onCommit(func(c *crossing) {
		time.Sleep(stopped + 500*time.Millisecond)
		_, _ = c.server.Write(c.message)
	})
	if errs, err := s.Apply(t.Context(), w.group(2)); errs != nil || err != nil {
		t.Errorf("got %v, %v, want success by a second try", errs, err)
	}
	if n := written(t, s, "a"); n != 1 {
		t.Errorf("%d jobs are there, want 1", n)
	}
}

// TestOutcomeIsKnownAfterAnOutage: the commit is on its way when the network goes
// away for long. Apply says what happened as soon as it can know, and is right.
func TestOutcomeIsKnownAfterAnOutage(t *testing.T) {
	for what, took := range map[string]bool{"took place": true, "did not": false} {
		t.Run(what, func(t *testing.T) {
			p, url := behind(t, pgtest.Database(t))
			s, log := watched(t, url)
			w := claim(t, s, "a")
			p.onCommit(func(c *crossing) {
				p.mu.Lock()
				p.down = true
				p.mu.Unlock()
				if took {
					c.lose(t)
				}
				c.client.Close()
				c.server.Close()
			})
			result := make(chan error)
			go func() {
				errs, err := s.Apply(context.Background(), []fairfactor.Change{w.next()})
				if errs != nil {
					t.Errorf("refused: %v", errs)
				}
				result <- err
			}()
			log.wait(t, "still not known", 8) // with growing pauses, longer than a group is tried again
			select {
			case err := <-result:
				t.Fatalf("Apply has returned %v while nothing could be known", err)
			default:
			}
			p.heal()
			err := <-result
			want, jobs := fairfactor.Code(""), 1
			if !took {
				want, jobs = fairfactor.Unavailable, 0
			}
			if fairfactor.CodeOf(err) != want {
				t.Errorf("got %v, want %q", err, want)
			}
			if n := written(t, s, "a"); n != jobs {
				t.Errorf("%d jobs are there, want %d", n, jobs)
			}
		})
	}
}
