package actors_test

import (
	"hash/fnv"
	"math/big"
	"strings"
	"sync"
	"testing"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/dispatch"
	"fairfactor/factor"
)

// sieved is a product of two primes of 83 bits: sieved in some 0.1 s, with 1.3 MB.
func sieved(t testing.TB) string {
	rng := seeded(t)
	return new(big.Int).Mul(prime(rng, 83), prime(rng, 83)).String()
}

// large is a product of two primes of 107 bits: sieved in some 3 s of CPU, with 7 MB: one
// fits into largeMemory, two do not. What comes before the sieve takes 0.1 s.
func large(t testing.TB) string {
	rng := seeded(t)
	return new(big.Int).Mul(prime(rng, 107), prime(rng, 107)).String()
}

const largeMemory = 14 << 20

// TestJobsWaitForMemory: where one large job fits, the second one waits until the first has
// ended, small ones of others go on, and the job says what it waits for.
func TestJobsWaitForMemory(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.WorkMemory = largeMemory })
	n := n0(s)
	first := s.submit(n, "alice", large(t))[0]
	s.eventually("the first one sieves", func() bool { return n.sys.Memory().Held > 0 })
	second := s.submit(n, "bob", large(t))[0]
	s.eventually("the second one waits", func() bool { return n.sys.Memory().Waiting == 1 })
	s.completed(n, s.submit(n, "carol", digits(seeded(t), 20))...)
	var job fairfactor.Job
	s.eventually("the second one says so", func() bool {
		var err error
		job, err = n.Job(t.Context(), second.ID)
		return err == nil && job.Progress != nil && strings.HasPrefix(job.Progress.Phase, "waits for ")
	})
	if job.Progress.Memory < largeMemory/4 || job.Progress.Memory > largeMemory {
		t.Errorf("it waits for %d bytes", job.Progress.Memory)
	}
	s.cancel(n, first)
	s.eventually("the second one sieves", func() bool { m := n.sys.Memory(); return m.Waiting == 0 && m.Held > 0 })
	s.cancel(n, second)
	s.eventually("nothing is held", func() bool { return n.sys.Memory().Held == 0 })
}

// TestMemoryIsGivenBackWithTheActor: what a caller's jobs hold goes with its activation, and the
// next one asks again.
func TestMemoryIsGivenBackWithTheActor(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.WorkMemory = largeMemory })
	n := n0(s)
	job := s.submit(n, "alice", large(t))[0]
	s.eventually("it sieves", func() bool { return n.sys.Memory().Held > 0 })
	held, before := n.sys.Memory().Held, n.sys.Counters.Activations.Load()
	s.ex.stop(actors.CallerKind, "alice")
	s.eventually("it goes on", func() bool {
		return n.sys.Memory().Held == held && n.sys.Counters.Activations.Load() > before
	})
	s.cancel(n, job)
	s.eventually("nothing is held", func() bool { return n.sys.Memory().Held == 0 })
}

// TestJobThatNeverFits fails with the reason, and the next one of its caller goes on.
func TestJobThatNeverFits(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.WorkMemory = 3 << 19 })
	n := n0(s)
	jobs := s.submit(n, "alice", sieved(t), digits(seeded(t), 20))
	s.completed(n, jobs[1])
	got := s.wait(n, jobs[0])[0]
	if got.State != fairfactor.Failed || !strings.Contains(got.Reason, "a node with more --work-memory can do it") {
		t.Errorf("%s: %q", got.State, got.Reason)
	}
	if m := n.sys.Memory(); m.Held != 0 || m.Waiting != 0 {
		t.Errorf("%+v is booked", m)
	}
}

// needy is the machine's runtime with turns that need much: it counts what runs.
type needy struct {
	actors.Runtime
	whole int64

	mu       sync.Mutex
	running  int   // guarded by mu
	bytes    int64 // guarded by mu: of those that run
	together int   // guarded by mu: the most that ran at once
	most     int64 // guarded by mu: bytes of more than one turn at once
}

func (r *needy) Thread() actors.Thread { return &needyThread{r.Runtime.Thread(), r} }

type needyThread struct {
	actors.Thread
	*needy
}

// Needs is from a tenth of the whole to all of it.
func (t *needyThread) Needs(payload []byte) int64 {
	h := fnv.New32()
	h.Write(payload)
	return t.whole/10 + int64(h.Sum32()%900)*t.whole/1000
}

func (t *needyThread) Tables() int64 { return 0 }

func (t *needyThread) Run(turn factor.Turn, stop func() bool) (factor.Result, error) {
	need := t.Needs(turn.Payload)
	t.mu.Lock()
	t.running++
	t.bytes += need
	if t.together = max(t.together, t.running); t.running > 1 {
		t.most = max(t.most, t.bytes)
	}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.running--
		t.bytes -= need
	}()
	return t.Thread.Run(turn, stop)
}

// TestTurnsShareMemory: turns that run at once need no more than there is, one by one they may
// need all of it, and all jobs end.
func TestTurnsShareMemory(t *testing.T) {
	r := &needy{Runtime: actors.Machine(), whole: 1 << 30}
	s := newSite(t, 1, func(c *actors.Config) { c.WorkMemory, c.Runtime, c.Workers = r.whole, r, 4 })
	n, rng := n0(s), seeded(t)
	var jobs []fairfactor.Job
	for _, caller := range []string{"alice", "bob"} {
		jobs = append(jobs, s.submit(n, caller, sieved(t), digits(rng, 20))...)
	}
	s.completed(n, jobs...)
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("%d turns at once, with %d of %d bytes", r.together, r.most, r.whole)
	if r.most > r.whole {
		t.Errorf("turns with %d bytes ran at once, there are %d", r.most, r.whole)
	}
	if r.together < 2 {
		t.Error("turns ran one by one only")
	}
}

// gated is the machine's runtime whose long turns wait at a gate before they run.
type gated struct {
	actors.Runtime
	gate chan struct{}

	mu   sync.Mutex
	long int // guarded by mu: long turns at the gate
	most int // guarded by mu: of them at once
}

func (r *gated) Thread() actors.Thread { return &gatedThread{r.Runtime.Thread(), r} }

type gatedThread struct {
	actors.Thread
	*gated
}

func (t *gatedThread) Run(turn factor.Turn, stop func() bool) (factor.Result, error) {
	if turn.Predict > dispatch.Credit {
		t.mu.Lock()
		t.long++
		t.most = max(t.most, t.long)
		t.mu.Unlock()
		<-t.gate
		t.mu.Lock()
		t.long--
		t.mu.Unlock()
	}
	return t.Thread.Run(turn, stop)
}

// TestShortTurnsRunNextToLongOnes: long turns that have all slots, and others that wait for
// one, hold up no short turn, and no more of them run than there are slots.
func TestShortTurnsRunNextToLongOnes(t *testing.T) {
	const slots = 2
	r := &gated{Runtime: actors.Machine(), gate: make(chan struct{})}
	s := newSite(t, 1, func(c *actors.Config) { c.Runtime, c.Workers = r, slots })
	n, rng := n0(s), seeded(t)
	long := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.long
	}
	for _, name := range []string{"long-1", "long-2", "long-3"} {
		s.submit(n, name, hard(rng))
	}
	s.eventually("long turns have all slots", func() bool { return long() == slots })
	for i := range 20 {
		s.completed(n, s.submit(n, []string{"light", "other"}[i%2], digits(rng, 12))...)
	}
	if now := long(); now != slots {
		t.Errorf("%d long turns run, want %d all the time", now, slots)
	}
	if busy, all := n.sys.Threads(); busy != slots || all != slots {
		t.Errorf("%d of %d slots are busy", busy, all)
	}
	close(r.gate)
	s.eventually("the long turns go on", func() bool {
		c, err := n.Caller(t.Context(), "long-3")
		return err == nil && c.Turns > 2
	})
	if r.mu.Lock(); r.most > slots {
		t.Errorf("%d long turns ran at once", r.most)
	}
	r.mu.Unlock()
}
