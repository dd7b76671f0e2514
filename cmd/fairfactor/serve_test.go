package main

import (
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCurlCommandsOfTheOldSystem(t *testing.T) {
	p := serve(t, t.TempDir())
	j := p.submit("test-caller-1", "100000000000000000050700000000000000004563")
	if j.Status != "pending" || j.Caller != "test-caller-1" {
		t.Errorf("202 says %+v", j)
	}
	j = p.wait(j.ID)
	want := map[string]int{"100000000000000000039": 1, "1000000000000000000117": 1}
	if j.Status != "completed" || len(j.Result) != 2 || j.Result["100000000000000000039"] != 1 || j.Result["1000000000000000000117"] != 1 {
		t.Errorf("got %+v, want %v", j, want)
	}
	if status, _, err := p.do("GET", "/compute/230432", "", ""); status != 404 || err != nil {
		t.Errorf("unknown job: %d %v", status, err)
	}
}

func TestTerminateDrainsAndTheNextStartGoesOn(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	done := p.submit("a", "600851475143")
	p.wait(done.ID)
	long := p.submit("a", hard(rand.New(rand.NewPCG(1, 1)), 130)) // far beyond a second
	if status := p.terminate(); status != 0 {
		t.Errorf("exit status %d after SIGTERM", status)
	}
	p = serve(t, dir)
	if j := p.wait(done.ID); j.Status != "completed" {
		t.Errorf("a finished job is %s after the restart", j.Status)
	}
	if _, j, _ := p.do("GET", "/compute/"+long.ID, "", ""); j.Status != "pending" && j.Status != "running" {
		t.Errorf("an unfinished job is %q after the restart", j.Status)
	}
	status, j, err := p.do("DELETE", "/compute/"+long.ID, "", "")
	if status != 200 || j.Status != "cancelled" || err != nil {
		t.Errorf("DELETE: %d %+v %v", status, j, err)
	}
	if status, _, _ := p.do("DELETE", "/compute/"+long.ID, "", ""); status != 409 {
		t.Errorf("second DELETE: %d, want 409", status)
	}
}

// TestLingerTakesJobsUntilItIsOver: a node that was told to stop says so at
// /readyz first and refuses nothing until --linger is over.
func TestLingerTakesJobsUntilItIsOver(t *testing.T) {
	const linger = 2 * time.Second
	p := serve(t, t.TempDir(), "--linger", linger.String())
	if out, err := program("ready", "--url", p.url).CombinedOutput(); err != nil {
		t.Fatalf("ready: %v\n%s", err, out)
	}
	begun := time.Now()
	stopped := make(chan int, 1)
	go func() { stopped <- p.terminate() }()
	for {
		if status, _, err := p.do("GET", "/readyz", "", ""); status == 503 {
			break
		} else if status != 200 {
			t.Fatalf("/readyz after SIGTERM: %d %v", status, err)
		}
	}
	resp, err := http.Get(p.url + "/livez")
	switch {
	case err == nil:
		resp.Body.Close()
		if !resp.Close {
			t.Error("a connection to a node that leaves stays open")
		}
	case time.Since(begun) < linger:
		t.Errorf("/livez while the node lingers: %v", err)
	}
	if time.Since(begun) < linger/2 { // else this machine is too busy to tell
		out, err := program("ready", "--url", p.url).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "about to stop") && time.Since(begun) < linger {
			t.Errorf("ready of a node that leaves: %v\n%s", err, out)
		}
		if status, j, err := p.do("POST", "/compute", "a", `{"number":"91"}`); status != 202 && time.Since(begun) < linger {
			t.Errorf("a submission while the node lingers: %d %+v %v", status, j, err)
		}
	}
	if status := <-stopped; status != 0 {
		t.Errorf("exit status %d", status)
	}
	if took := time.Since(begun); took < linger {
		t.Errorf("the node was gone after %v", took)
	}
}

// TestReadyWaitsForANode: with --timeout it asks until a node answers, or time
// is up.
func TestReadyWaitsForANode(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	if out, err := program("ready", "--url", address).CombinedOutput(); err == nil || !strings.Contains(string(out), address) {
		t.Errorf("ready without a node: %v\n%s", err, out)
	}
	cmd := program("ready", "--url", address, "--timeout", "60s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serve(t, t.TempDir(), "--http", address)
	if err := cmd.Wait(); err != nil {
		t.Errorf("ready while the node starts: %v", err)
	}
}

// TestOpenBatchDoesNotHoldUpTheStop: a client that has begun a batch and says no
// more costs neither time nor the orderly end of the rest.
func TestOpenBatchDoesNotHoldUpTheStop(t *testing.T) {
	p := serve(t, t.TempDir())
	r, w := io.Pipe()
	defer w.Close()
	answered := make(chan error, 1)
	go func() {
		req, err := http.NewRequest("POST", p.url+"/compute/batch", r)
		if err != nil {
			answered <- err
			return
		}
		req.Header.Set("X-Caller-ID", "a")
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		answered <- err
	}()
	if _, err := io.WriteString(w, `{"number":"91"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	for {
		if _, j, _ := p.do("GET", "/callers/a", "", ""); j.Caller == "a" {
			break
		}
	}
	begun := time.Now()
	if status := p.terminate(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if log := p.log.String(); strings.Contains(log, "did not stop cleanly") {
		t.Errorf("log:\n%s", log)
	}
	<-answered
}

// hard is a product of two random primes of that many bits each.
func hard(rng *rand.Rand, bits int) string {
	prime := func() *big.Int {
		n := new(big.Int)
		for range bits {
			n.Lsh(n, 1).Or(n, big.NewInt(int64(rng.IntN(2))))
		}
		n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
		for !n.ProbablyPrime(0) {
			n.Add(n, big.NewInt(2))
		}
		return n
	}
	return new(big.Int).Mul(prime(), prime()).String()
}

func TestSecondNodeOnTheSameDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir)
	out, err := program("serve", "--http", "127.0.0.1:0", "--data", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), dir) || !strings.Contains(string(out), "--data") {
		t.Errorf("second node on the same directory: %v, said %q", err, out)
	}
}

func TestPortTakenIsExplained(t *testing.T) {
	p := serve(t, t.TempDir())
	out, err := program("serve", "--http", strings.TrimPrefix(p.url, "http://"), "--data", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--http") {
		t.Errorf("second node on the same port: %v, said %q", err, out)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for _, args := range [][]string{
		{"--workers", "0"},
		{"--quantum", "0s"},
		{"--max-digits", "-1"},
		{"--log-level", "loud"},
		{"--log-format", "xml"},
		{"--join", "127.0.0.1:1"},
		{"--store", "mysql://x"},
		{"--gossip-key", "zz"},
		{"--tls-cert", "x"},
		{"--remote", "0.0.0.0:0"},
		{"--gossip", "0.0.0.0:0"},
		{"--nonsense"},
	} {
		out, err := program(append([]string{"serve", "--http", "127.0.0.1:0", "--data", t.TempDir()}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), args[0]) {
			t.Errorf("%v: %v, said %q", args, err, out)
		}
	}
}

func TestFlagsComeFromTheEnvironment(t *testing.T) {
	t.Setenv("FAIRFACTOR_MAX_DIGITS", "10")
	p := serve(t, t.TempDir())
	p.submit("a", "1234567890")
	if status, j, _ := p.do("POST", "/compute", "a", `{"number":"12345678901"}`); status != 422 {
		t.Errorf("11 digits: %d %+v", status, j)
	}
}

func TestDebugLogShowsTheRoundRobin(t *testing.T) {
	p := serve(t, t.TempDir(), "--log-level", "debug", "--workers", "1")
	j := p.submit("client-7", "37953193904633822419")
	p.wait(j.ID)
	if log := p.log.String(); !strings.Contains(log, "msg=turn caller=client-7 number=37953193904633822419") {
		t.Errorf("no such turn in the log:\n%s", log)
	}
}

// TestKilledAgainAndAgain kills a node under load, many times: every job that
// was acknowledged must end exactly once and right, and none may be unknown.
func TestKilledAgainAndAgain(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir, rounds := t.TempDir(), 8
	if testing.Short() {
		rounds = 2
	}
	accepted := map[string]string{} // id to number
	for round := range rounds {
		p := serve(t, dir)
		stop := make(chan struct{})
		for _, got := range load(p, seed+uint64(round), stop, time.Duration(20+rng.IntN(300))*time.Millisecond) {
			if accepted[got.ID] != "" {
				t.Errorf("id %s was given twice", got.ID)
			}
			accepted[got.ID] = got.Number
		}
	}
	if len(accepted) < 50 {
		t.Fatalf("only %d jobs were accepted in %d rounds", len(accepted), rounds)
	}
	p := serve(t, dir)
	checkEnds(t, p, accepted)
	t.Logf("%d jobs accepted in %d rounds, all completed", len(accepted), rounds)
	checkTallies(t, p, len(accepted))
}

// checkEnds waits until every accepted job has ended: right, and with a place in
// the dispatch order that no other has.
func checkEnds(t *testing.T, p *process, accepted map[string]string) {
	t.Helper()
	places := map[uint64]string{}
	for id, number := range accepted {
		j := p.wait(id)
		if j.Status != "completed" || product(j.Result) != number {
			t.Fatalf("job %s of %s: %+v", id, number, j)
		}
		if other := places[j.Turn]; other != "" {
			t.Errorf("jobs %s and %s have the same place %d", id, other, j.Turn)
		}
		places[j.Turn] = id
	}
}

// load submits from eight callers until the node is killed, after a while, and
// returns the jobs that were acknowledged.
func load(p *process, seed uint64, stop chan struct{}, after time.Duration) []job {
	time.AfterFunc(after, func() {
		p.cmd.Process.Kill()
		close(stop)
	})
	got := submitUntil(p, seed, stop)
	p.reap()
	return got
}

// submitUntil submits from eight callers until stop is closed and returns the
// jobs that were acknowledged.
func submitUntil(p *process, seed uint64, stop <-chan struct{}) []job {
	var mu sync.Mutex
	var got []job
	var all sync.WaitGroup
	for c := range 8 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(c)))
			for {
				number := fmt.Sprint(1_000_000 + rng.Uint64N(1e19))
				status, j, err := p.do("POST", "/compute", fmt.Sprintf("client-%d", c), fmt.Sprintf(`{"number":"%s"}`, number))
				if err == nil && status == 202 {
					mu.Lock()
					got = append(got, j)
					mu.Unlock()
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	all.Wait()
	return got
}

func product(result map[string]int) string {
	n := big.NewInt(1)
	for prime, exponent := range result {
		p, ok := new(big.Int).SetString(prime, 10)
		if !ok || !p.ProbablyPrime(20) {
			return "not prime: " + prime
		}
		n.Mul(n, new(big.Int).Exp(p, big.NewInt(int64(exponent)), nil))
	}
	return n.String()
}

// checkTallies compares the callers' accounts with what was accepted, once nothing
// is queued; a job whose 202 got lost in a kill may be there in addition.
func checkTallies(t *testing.T, p *process, accepted int) {
	t.Helper()
	total := 0
	for c := range 8 {
		account := p.idle(fmt.Sprintf("client-%d", c))
		if account.Queued != 0 || account.Failed != 0 {
			t.Errorf("client-%d: %+v", c, account)
		}
		total += account.Completed
	}
	if total < accepted {
		t.Errorf("the accounts say %d jobs completed, %d were accepted", total, accepted)
	}
}

// account is what a node says of a caller.
type account struct{ Queued, Running, Completed, Failed int }

// idle returns the account of a caller that has nothing queued any more, or as it
// is after half a minute.
func (p *process) idle(caller string) (a account) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		resp, err := http.Get(p.url + "/callers/" + caller)
		if err != nil {
			p.t.Fatal(err)
		}
		decode(p.t, resp, &a)
		if a.Queued+a.Running == 0 || time.Now().After(end) {
			return a
		}
	}
}
