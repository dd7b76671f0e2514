package actors_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/actorspb"
)

// idleWorkers has no worker heard of, so that turns pile up; start ends it. The scheduler
// may have heard a beat already: the next activation has not, and no offer is lost in the
// mailbox of one that is about to stop.
func (s *site) idleWorkers() (start func()) {
	s.Helper()
	s.ex.losing(func(_ string, m *actorspb.Envelope) bool { return m.GetBeat() != nil })
	s.ex.stop(actors.SchedulerKind, actors.SchedulerID)
	s.eventually("the scheduler has stopped", func() bool { return !s.ex.active(actors.SchedulerKind, actors.SchedulerID) })
	return func() { s.ex.losing(nil) }
}

// offered waits until the scheduler has turns of that many callers, and of no other only the
// name: a dormant one offers its turns after those of the others are handed out.
func (s *site) offered(callers int) {
	s.Helper()
	s.eventually("all callers have offered", func() bool {
		f, err := n0(s).Fairness(s.Context())
		return err == nil && f.Active == callers && f.Dormant == 0 && f.Waiting >= callers
	})
}

// byPlace sorts jobs by their place in the dispatch order.
func byPlace(jobs []fairfactor.Job) []fairfactor.Job {
	slices.SortFunc(jobs, func(a, b fairfactor.Job) int { return int(int64(a.Turn - b.Turn)) })
	return jobs
}

// Ten callers with like jobs go strictly round robin as long as the jobs cost
// less than a quantum. Costlier ones are charged what they used, so that two
// callers may change places, but no one is more than a turn ahead of its share.
func TestTenCallersRoundRobin(t *testing.T) {
	const callers, each = 10, 16
	for number, ahead := range map[string]int{"600851475143": 1, digits(seeded(t), 24): 2} {
		s := newSite(t, 1, func(c *actors.Config) { c.Workers, c.Quantum = 1, time.Millisecond/10 })
		start := s.idleWorkers()
		var jobs []fairfactor.Job
		for c := range callers {
			jobs = append(jobs, s.submit(n0(s), strconv.Itoa(c), many(number, each)...)...)
		}
		s.offered(callers)
		start()
		turns := map[string]int{}
		for i, j := range byPlace(s.completed(n0(s), jobs...)) {
			turns[j.Caller]++
			if got := turns[j.Caller]; got-i/callers > ahead {
				t.Fatalf("%s: turn %d is number %d of caller %s", number, i, got, j.Caller)
			}
		}
	}
}

func TestOneJobBesideTenThousand(t *testing.T) {
	s := newSite(t, 1, nil)
	n := n0(s)
	start := s.idleWorkers()
	for range 10 {
		s.submit(n, "flood", many("600851475143", 1000)...)
	}
	var jobs []fairfactor.Job
	for c := range 10 {
		jobs = append(jobs, s.submit(n, "light-"+strconv.Itoa(c), "600851475143")...)
	}
	s.offered(11)
	f, err := n.Fairness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start()
	for _, j := range s.completed(n, jobs...) {
		if round := j.Turn - f.HandedOut; round > 11 {
			t.Errorf("the job of %s was dispatched as number %d of a round of 11", j.Caller, round)
		}
	}
	s.eventually("the flood is done", func() bool {
		c, err := n.Caller(t.Context(), "flood")
		return err == nil && c.Queued == 0 && c.Completed == 10_000
	})
}

// A caller with short numbers alongside one with long ones gets its half of what is
// charged: a turn costs at least a quantum. The quantum is 20 times what a short number
// takes, so that the window of offered turns, 256 quanta, outlasts any wait of the actors
// for a CPU that others use too: the short numbers are backlogged all the time.
func TestShortNumbersAlongsideLongOnes(t *testing.T) {
	const quantum, least = 2 * time.Millisecond, 0.35
	s := newSite(t, 1, func(c *actors.Config) { c.Quantum = quantum })
	n := n0(s)
	rng := seeded(t)
	long := s.submit(n, "long", many(hard(rng), 4)...)
	s.running(n, long[0])
	numbers := make([]string, 1000)
	for i := range numbers {
		numbers[i] = digits(rng, 25)
	}
	short := func() (c fairfactor.Caller, charged time.Duration) {
		c, err := n.Caller(t.Context(), "short")
		if err != nil {
			t.Fatal(err)
		}
		return c, max(c.CPU, time.Duration(c.Turns)*quantum)
	}
	used := func() (cpu time.Duration) {
		for _, j := range long {
			now, err := n.Job(t.Context(), j.ID)
			if err != nil {
				t.Fatal(err)
			}
			cpu += now.CPU
		}
		return cpu
	}
	s.submit(n, "short", numbers...)
	before := used()
	var a, b time.Duration
	// The callers may drift apart by dispatch.Bound, 1.4 s here: a share of 0.36 in 5 s.
	s.eventually("both together had five seconds", func() bool {
		c, charged := short()
		if c.Queued < 2000 {
			s.submit(n, "short", numbers...)
		}
		a, b = charged, used()-before
		return a+b > 5*time.Second
	})
	t.Logf("charged: short numbers %v, long ones %v", a, b)
	if share := float64(a) / float64(a+b); share < least {
		t.Errorf("the short numbers got %.0f%%", 100*share)
	}
}

func TestWeight(t *testing.T) {
	s := newSite(t, 2, func(c *actors.Config) { c.Workers = 1 })
	s.ex.pin(actors.CallerKind, "heavy", s.nodes[1].member, false)
	for _, w := range []int{0, -1, fairfactor.MaxWeight + 1} {
		if _, err := n0(s).SetWeight(t.Context(), "heavy", w); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("weight %d: %v", w, err)
		}
	}
	if c, err := n0(s).SetWeight(t.Context(), "heavy", 3); err != nil || c.Weight != 3 {
		t.Fatalf("got %+v, %v", c, err)
	}
	s.ex.pin(actors.CallerKind, "heavy", n0(s).member, false) // the next activation knows it too
	start := s.idleWorkers()
	jobs := append(s.submit(n0(s), "heavy", many("600851475143", 12)...), s.submit(n0(s), "plain", many("600851475143", 12)...)...)
	s.offered(2)
	start()
	heavy := 0
	for _, j := range byPlace(s.completed(n0(s), jobs...))[:12] {
		if j.Caller == "heavy" {
			heavy++
		}
	}
	if heavy < 8 || heavy > 10 {
		t.Errorf("%d of the first 12 turns are of the caller with weight 3, want 9", heavy)
	}
}

func TestListShowsWhatRuns(t *testing.T) {
	s := newSite(t, 2, nil)
	n := n0(s)
	number := hard(seeded(t))
	s.completed(n, s.submit(n, "alice", "15")...)
	jobs := s.submit(n, "alice", many(number, 100)...)
	bob := s.submit(n, "bob", number)
	s.running(n, jobs[0])
	s.running(n, bob[0])
	for _, tt := range []struct {
		q     fairfactor.Query
		state map[fairfactor.State]int // at least; other states not at all
	}{
		{fairfactor.Query{Caller: "alice", Limit: 200}, map[fairfactor.State]int{fairfactor.Completed: 1, fairfactor.Running: 1, fairfactor.Pending: 50}},
		{fairfactor.Query{Caller: "alice", States: fairfactor.In(fairfactor.Running), Limit: 200}, map[fairfactor.State]int{fairfactor.Running: 1}},
		{fairfactor.Query{States: fairfactor.In(fairfactor.Running), Limit: 200}, map[fairfactor.State]int{fairfactor.Running: 2}},
		{fairfactor.Query{States: fairfactor.In(fairfactor.Running), Limit: 1}, map[fairfactor.State]int{fairfactor.Running: 1}},
		{fairfactor.Query{Caller: "alice", States: fairfactor.In(fairfactor.Pending), Limit: 200}, map[fairfactor.State]int{fairfactor.Pending: 50}},
		{fairfactor.Query{Caller: "alice", States: fairfactor.In(fairfactor.Completed), Limit: 200}, map[fairfactor.State]int{fairfactor.Completed: 1}},
		{fairfactor.Query{Caller: "alice", States: fairfactor.In(fairfactor.Failed), Limit: 200}, map[fairfactor.State]int{}},
	} {
		page, err := s.nodes[1].List(t.Context(), tt.q)
		got := map[fairfactor.State]int{}
		for _, j := range page.Jobs {
			got[j.State]++
		}
		if err != nil || len(got) != len(tt.state) || len(page.Jobs) > tt.q.Limit {
			t.Errorf("%+v: got %v, %v", tt.q, got, err)
		}
		for state, least := range tt.state {
			if got[state] < least {
				t.Errorf("%+v: got %v", tt.q, got)
			}
		}
	}
	if c, err := n.Caller(t.Context(), "alice"); err != nil || c.Queued != 100 || c.Running == 0 || c.Completed != 1 ||
		c.Oldest.Before(jobs[0].Submitted) || c.Oldest.After(jobs[99].Submitted) { // that of one that waits
		t.Errorf("account %+v, %v", c, err)
	}
	if all, err := n.Callers(t.Context(), "", 10); err != nil || len(all) != 2 || all[1].Name != "bob" || all[1].Running != 1 {
		t.Errorf("callers %+v, %v", all, err)
	}
	if _, err := n.Caller(t.Context(), "no-one"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("unknown caller: %v", err)
	}
}

// An idle caller's actor stops, and comes back with the next message as if
// nothing had been.
func TestPassivation(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.Passivate = 50 * time.Millisecond })
	n := n0(s)
	for round := range 3 {
		job := s.completed(n, s.submit(n, "alice", "15")...)[0]
		if job.Order != uint64(round+1) {
			t.Errorf("round %d: order %d", round, job.Order)
		}
		s.eventually("it stops", func() bool { return n.sys.Counters.Callers.Load() == 0 })
		if got := n.sys.Counters.Activations.Load(); got != uint64(round+1) {
			t.Errorf("round %d: %d activations", round, got)
		}
	}
	s.running(n, s.submit(n, "alice", hard(seeded(t)))[0])
	ticks := 0
	s.eventually("many ticks", func() bool { ticks++; return ticks > 200 })
	if n.sys.Counters.Callers.Load() != 1 {
		t.Error("an actor with work stopped")
	}
}

// In a crowd the actor of a caller that came once stops when its job is done; one that has
// come before, or comes again while it is here, stays.
func TestPassersByLeave(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.Passivate, c.Crowd = time.Hour, -1 })
	n := n0(s)
	activations := func(want uint64) {
		t.Helper()
		if got := n.sys.Counters.Activations.Load(); got != want {
			t.Errorf("%d activations, want %d", got, want)
		}
	}
	s.completed(n, s.submit(n, "alice", "15")...)
	s.eventually("it stops", func() bool { return n.sys.Counters.Callers.Load() == 0 })
	for range 3 {
		s.completed(n, s.submit(n, "alice", "21")...)
		activations(2)
	}
	long := s.submit(n, "bob", hard(seeded(t)))[0]
	s.running(n, long)
	s.completed(n, s.submit(n, "bob", "15")...)
	if _, err := n.Cancel(t.Context(), long.ID); err != nil {
		t.Error(err)
	}
	s.completed(n, s.submit(n, "bob", "21")...)
	activations(3)
}

// Anybody can watch the round robin in the log.
func TestTurnsAreLogged(t *testing.T) {
	var log buffer
	s := newSite(t, 1, func(c *actors.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	s.completed(n0(s), s.submit(n0(s), "alice", "600851475143")...)
	line := regexp.MustCompile(`level=DEBUG msg=turn caller=alice number=600851475143 job=1 turn=[0-9]+ took=`)
	s.eventually("a line for the turn", func() bool { return line.MatchString(log.String()) })
}

// buffer is a bytes.Buffer for many goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
