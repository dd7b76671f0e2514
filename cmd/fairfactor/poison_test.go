package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairfactor/actors"
	"fairfactor/factor"
	"fairfactor/store/postgres/pgtest"
)

// poisonous is the variable that names a number whose first turn kills the process that runs
// it, as a defect of the engine or the end of the memory would; with "@" and a time behind
// it, after that much time.
const poisonous = "FAIRFACTOR_TEST_POISON"

// greedy is the variable that names a number whose turns after the first one take greed bytes,
// and say so.
const (
	greedy = "FAIRFACTOR_TEST_GREED"
	greed  = 400 << 20
)

// runPoisoned is main with such a number.
func runPoisoned(poison string) int {
	ctx, stop := signals()
	defer stop()
	number, after, _ := strings.Cut(poison, "@")
	d, _ := time.ParseDuration(after)
	return run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, runtime: poisoned{actors.Machine(), number, d}})
}

// poisoned is the machine's runtime with threads that die.
type poisoned struct {
	actors.Runtime
	number string
	after  time.Duration
}

func (r poisoned) Thread() actors.Thread { return poisonedThread{r.Runtime.Thread(), r} }

type poisonedThread struct {
	actors.Thread
	runtime poisoned
}

func (t poisonedThread) RunFirst(number string, predict time.Duration, stop func() bool) (factor.Result, error) {
	if number == t.runtime.number {
		for began := time.Now(); time.Since(began) < t.runtime.after; {
			_, _ = factor.Factorize(context.Background(), "600851475143", 1) // some work
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return t.Thread.RunFirst(number, predict, stop)
}

// isGreedy reports whether a payload is of the number that takes much memory.
func isGreedy(payload []byte) bool {
	n, ok := new(big.Int).SetString(os.Getenv(greedy), 10)
	return ok && bytes.Contains(payload, n.Bytes())
}

func (t poisonedThread) Needs(payload []byte) int64 {
	if isGreedy(payload) {
		return greed
	}
	return t.Thread.Needs(payload)
}

func (t poisonedThread) Run(turn factor.Turn, stop func() bool) (factor.Result, error) {
	if isGreedy(turn.Payload) {
		taken := make([]byte, greed)
		for i := 0; i < len(taken); i += 4096 {
			taken[i] = 1 // now it is there
		}
		runtime.KeepAlive(taken)
	}
	return t.Thread.Run(turn, stop)
}

// supervised is a node that is started again whenever it dies.
type supervised struct {
	t *testing.T

	mu     sync.Mutex
	now    *process // guarded by mu
	deaths int      // guarded by mu
	done   bool     // guarded by mu
	over   chan struct{}
}

// maxRestarts is how often a node is started that dies before it is ready.
const maxRestarts = 10

// supervise starts a node, and again and again; a death is what no one asked for, also
// before the node is ready: it runs jobs by then.
func supervise(t *testing.T, start func() (*process, error)) *supervised {
	s := &supervised{t: t, over: make(chan struct{})}
	var err error
	if s.now, err = start(); err != nil {
		t.Fatalf("the node did not start: %v\n%s", err, s.now.log.String())
	}
	go func() {
		defer close(s.over)
		for p := s.now; ; {
			p.reap()
			s.mu.Lock()
			if s.done || t.Failed() {
				s.mu.Unlock()
				return
			}
			s.deaths++
			for p, err = start(); err != nil && s.deaths < maxRestarts; p, err = start() {
				s.deaths++
			}
			s.now = p
			s.mu.Unlock()
			if err != nil {
				t.Errorf("the node does not start again: %v\n%s", err, p.log.String())
				return
			}
		}
	}()
	return s
}

// node returns the process that runs, and how often it died.
func (s *supervised) node() (*process, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.deaths
}

// stop ends the node in good order.
func (s *supervised) stop() {
	s.mu.Lock()
	s.done = true
	s.now.cmd.Process.Signal(syscall.SIGTERM)
	s.mu.Unlock()
	<-s.over
}

// send submits a number until a node accepts it.
func send(t *testing.T, nodes []*supervised, caller, number string) job {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		for _, s := range nodes {
			p, _ := s.node()
			if status, j, err := p.do("POST", "/compute", caller, fmt.Sprintf(`{"number": %q}`, number)); err == nil && status == 202 {
				return j
			}
		}
	}
	t.Fatalf("%s of %s was not accepted within a minute", number, caller)
	return job{}
}

// endedAt returns a job when it has ended, whichever node says so.
func endedAt(t *testing.T, nodes []*supervised, id string) job {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		for _, s := range nodes {
			p, _ := s.node()
			if status, j, err := p.do("GET", "/compute/"+id+"?wait=1", "", ""); err == nil && status == 200 && j.Status != "pending" && j.Status != "running" {
				return j
			}
		}
	}
	t.Fatalf("job %s did not end", id)
	return job{}
}

// poison is a prime of 34 digits: its first turn is short, and looked up nowhere.
const poison = "1000000000000000000000000000000033"

// longer is a product of two primes of 27 and 28 digits: half a second of work.
const longer = "2829063607898198451848067359274523956576869771679742337"

// TestPoisonOnOneNode: a job that kills its process is quarantined at the third death, the
// node does not die a fourth time, and all other jobs end, each once.
func TestPoisonOnOneNode(t *testing.T) {
	t.Setenv(poisonous, poison+"@50ms")
	dir := t.TempDir()
	s := supervise(t, func() (*process, error) { return launch(t, dir) })
	nodes := []*supervised{s}
	var jobs []job
	for i := range 20 {
		jobs = append(jobs, send(t, nodes, fmt.Sprint("good-", i%4), fmt.Sprint(600851475143+i)))
	}
	jobs = append(jobs, send(t, nodes, "long", longer))
	bad := send(t, nodes, "bad", poison)
	jobs = append(jobs, send(t, nodes, "bad", "600851475143")) // behind it
	checkQuarantine(t, nodes, bad, 3)
	checkOthers(t, nodes, jobs)
	if _, deaths := s.node(); deaths != 3 {
		t.Errorf("the node died %d times, want 3", deaths)
	}
	s.stop()
}

// TestPoisonAgain: a number that killed three processes kills no other one when it is sent again,
// by whichever caller, also after a restart, until someone retries a job for it.
func TestPoisonAgain(t *testing.T) {
	t.Setenv(poisonous, poison+"@50ms")
	dir := t.TempDir()
	start := func() *supervised { return supervise(t, func() (*process, error) { return launch(t, dir) }) }
	s := start()
	bad := send(t, []*supervised{s}, "bad", poison)
	checkQuarantine(t, []*supervised{s}, bad, 3)
	again := checkRefused(t, []*supervised{s}, "bad", bad)
	other := checkRefused(t, []*supervised{s}, "other", bad)
	good := send(t, []*supervised{s}, "other", "600851475143")
	endedAt(t, []*supervised{s}, good.ID)
	checkListed(t, s, []string{other.ID, again.ID, bad.ID})
	checkListed(t, s, []string{other.ID}, "--caller", "other", "--number", poison)
	checkListed(t, s, nil, "--status", "completed")
	_, deaths := s.node()
	s.stop()

	s = start()
	nodes := []*supervised{s}
	checkRefused(t, nodes, "third", bad)
	if _, more := s.node(); deaths != 3 || more != 0 {
		t.Errorf("the node died %d times, want 3, and %d times after a restart", deaths, more)
	}
	p, _ := s.node()
	if status, j, err := p.do("POST", "/compute/"+again.ID+"/retry", "", ""); status != 202 || err != nil {
		t.Fatalf("retry: %d %+v, %v", status, j, err)
	}
	checkQuarantine(t, nodes, again, 3)
	checkRefused(t, nodes, "other", again)
	checkListed(t, s, []string{again.ID, bad.ID}, "--caller", "bad")
	if _, more := s.node(); more != 3 {
		t.Errorf("the node died %d times of the job that was retried, want 3", more)
	}
	s.stop()
}

// checkListed lists the quarantined jobs, newest first, that suit other flags too.
func checkListed(t *testing.T, s *supervised, want []string, flags ...string) {
	t.Helper()
	p, _ := s.node()
	out, err := program(append([]string{"list", "--url", p.url, "-o", "json", "--quarantined"}, flags...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range bytes.Lines(out) {
		var j job
		if err := json.Unmarshal(line, &j); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		listed = append(listed, j.ID)
	}
	if !slices.Equal(listed, want) {
		t.Errorf("list --quarantined %v has %v, want %v", flags, listed, want)
	}
}

// checkRefused sends the number of a job that was quarantined once more: the new job is
// quarantined too, without a turn, and tells its caller of no other one's job.
func checkRefused(t *testing.T, nodes []*supervised, caller string, bad job) job {
	t.Helper()
	e := endedAt(t, nodes, send(t, nodes, caller, bad.Number).ID)
	if e.Status != "failed" || !e.Quarantined || len(e.Deaths) != 3 || e.Attempts != 0 || e.CPU != 0 {
		t.Errorf("the number again: %+v", e)
	}
	if tells := strings.Contains(e.Error, bad.ID); tells != (caller == bad.Caller) || strings.Contains(e.Error, "caller "+bad.Caller) {
		t.Errorf("caller %s is told: %s", caller, e.Error)
	}
	return e
}

// checkOthers waits for the ends of jobs that kill nothing.
func checkOthers(t *testing.T, nodes []*supervised, jobs []job) {
	t.Helper()
	for _, j := range jobs {
		if e := endedAt(t, nodes, j.ID); e.Status != "completed" || e.Quarantined || e.Deaths != nil {
			t.Errorf("job of %s: %+v", e.Caller, e)
		}
	}
}

// checkQuarantine waits for the end of a job that killed so many processes.
func checkQuarantine(t *testing.T, nodes []*supervised, bad job, deaths int) {
	t.Helper()
	e := endedAt(t, nodes, bad.ID)
	if e.Status != "failed" || !e.Quarantined || len(e.Deaths) != deaths || e.Attempts < deaths || !strings.Contains(e.Error, "quarantined") {
		t.Errorf("the job that kills: %+v", e)
	}
}

// TestPoisonInACluster: the same among three nodes, whichever of them the job, its caller
// and the scheduler live on. A node that dies comes back.
func TestPoisonInACluster(t *testing.T) {
	pgtest.Need(t)
	url := pgtest.Start(t).Database(t)
	t.Setenv(poisonous, poison+"@50ms")
	var nodes []*supervised
	for range 3 {
		dir := t.TempDir()
		nodes = append(nodes, supervise(t, func() (*process, error) { return launch(t, dir, "--store", url) }))
	}
	var jobs []job
	for i := range 20 {
		jobs = append(jobs, send(t, nodes, fmt.Sprint("good-", i%4), fmt.Sprint(600851475143+i)))
	}
	jobs = append(jobs, send(t, nodes, "long", longer))
	bad := send(t, nodes, "bad", poison)
	jobs = append(jobs, send(t, nodes, "bad", "600851475143"))
	checkQuarantine(t, nodes, bad, 3)
	for _, caller := range []string{"bad", "good-1", "another"} {
		checkRefused(t, nodes, caller, bad)
	}
	checkOthers(t, nodes, jobs)
	all := 0
	for i, s := range nodes {
		_, deaths := s.node()
		t.Logf("node %d died %d times", i, deaths)
		all += deaths
	}
	if all != 3 {
		t.Errorf("the nodes died %d times, want 3", all)
	}
	for _, s := range nodes {
		s.stop()
	}
}
