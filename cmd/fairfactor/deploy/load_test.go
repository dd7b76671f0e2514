//go:build compose

package deploy

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is a bounded number of callers that submit through the balancer, one job
// at a time, and remember what they were told.
type load struct {
	t       *testing.T
	url     string
	patient bool // what fails is sent again, with the same key; else it is noted
	stop    context.CancelFunc
	callers sync.WaitGroup

	mu       sync.Mutex
	accepted []accepted     // guarded by mu
	failed   []string       // guarded by mu
	served   map[string]int // guarded by mu; answers by the node that gave them
	worst    time.Duration  // guarded by mu; longest time to a 202
	progress chan struct{}  // one token for each 202, as long as there is room
}

// accepted is a job that got its 202.
type accepted struct {
	id, caller, key, number string // key is empty for a submission without one
	factors                 map[string]int
}

const (
	loadCallers = 6
	loadJobs    = 2000             // of each caller, at most
	loadRetry   = 60 * time.Second // for one job to be accepted, at most
	loadPause   = 20 * time.Millisecond
)

// begin starts callers whose names begin with that prefix.
func (p *project) begin(prefix string, patient bool) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{t: p.t, url: p.url, patient: patient, stop: cancel, served: map[string]int{}, progress: make(chan struct{}, loadCallers*loadJobs)}
	p.t.Cleanup(l.end)
	for i := range loadCallers {
		l.callers.Go(func() { l.call(ctx, fmt.Sprintf("%s-%d", prefix, i), patient || i%2 == 0) })
	}
	return l
}

// end stops the callers and waits for their last answers.
func (l *load) end() {
	l.stop()
	l.callers.Wait()
}

// more waits for so many more jobs to be accepted.
func (l *load) more(n int) {
	l.t.Helper()
	over := time.After(loadRetry)
	for range n {
		select {
		case <-l.progress:
		case <-over:
			l.t.Fatalf("%d more jobs were not accepted within %v; failures: %q", n, loadRetry, l.failed)
		}
	}
}

func (l *load) call(ctx context.Context, caller string, keyed bool) {
	pause := time.NewTicker(loadPause)
	defer pause.Stop()
	for i := range loadJobs {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
		job := semiprime(caller)
		if keyed {
			job.key = fmt.Sprintf("%s/%d", caller, i)
		}
		begun := time.Now()
		for ok := false; !ok; {
			var err error
			if ok, err = l.submit(&job); ok {
				break
			}
			if !l.patient || time.Since(begun) > loadRetry {
				l.note(fmt.Sprintf("%s, job %d, after %v: %v", caller, i, time.Since(begun).Round(time.Millisecond), err))
				return
			}
			<-pause.C
		}
		l.mu.Lock()
		l.accepted = append(l.accepted, job)
		l.worst = max(l.worst, time.Since(begun))
		l.mu.Unlock()
		l.progress <- struct{}{}
		if !l.patient {
			if err := l.ask(&job); err != nil {
				l.note(fmt.Sprintf("GET of job %s: %v", job.id, err))
				return
			}
		}
	}
}

func (l *load) note(failure string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, failure)
}

// submit tells whether the job was accepted.
func (l *load) submit(job *accepted) (bool, error) {
	header := http.Header{"X-Caller-ID": {job.caller}, "Content-Type": {"application/json"}}
	if job.key != "" {
		header.Set("Idempotency-Key", job.key)
	}
	want := []int{http.StatusAccepted}
	if l.patient {
		want = append(want, http.StatusOK) // an earlier try was accepted, and is done
	}
	answer, err := l.do(http.MethodPost, "/compute", header, `{"number":"`+job.number+`"}`, want...)
	job.id = answer.ID
	return err == nil && job.id != "", err
}

func (l *load) ask(job *accepted) error {
	answer, err := l.do(http.MethodGet, "/compute/"+job.id, http.Header{}, "", http.StatusOK)
	if err == nil && answer.Number != job.number {
		err = fmt.Errorf("number %s instead of %s", answer.Number, job.number)
	}
	return err
}

// answer is what the API says of a job.
type answer struct {
	ID     string         `json:"request_id"`
	Number string         `json:"number"`
	Status any            `json:"status"`
	Result map[string]int `json:"result"`
}

// do makes one request. An answer with another status is an error.
func (l *load) do(method, path string, header http.Header, body string, want ...int) (a answer, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 70*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, l.url+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return a, err
	}
	if !slices.Contains(want, resp.StatusCode) {
		return a, fmt.Errorf("%s %s by %s: %s: %s", method, path, resp.Header.Get("X-Served-By"), resp.Status, raw)
	}
	l.mu.Lock()
	l.served[resp.Header.Get("X-Served-By")]++
	l.mu.Unlock()
	return a, json.Unmarshal(raw, &a)
}

// check waits for every accepted job: it must be completed and right, and the only
// one that its submission made.
func (l *load) check() {
	l.t.Helper()
	ids, jobs := map[string]bool{}, map[string]int{}
	for _, job := range l.accepted {
		if ids[job.id] {
			l.t.Errorf("two submissions were given job %s", job.id)
		}
		ids[job.id] = true
		jobs[job.caller]++
		a, err := l.do(http.MethodGet, "/compute/"+job.id+"?wait=60", http.Header{}, "", http.StatusOK)
		if err != nil {
			l.t.Errorf("accepted job %s: %v", job.id, err)
			continue
		}
		if a.Status != "completed" || fmt.Sprint(a.Result) != fmt.Sprint(job.factors) {
			l.t.Errorf("job %s of %s: %v %v, want %v", job.id, job.number, a.Status, a.Result, job.factors)
		}
	}
	for caller, n := range jobs {
		var account struct{ Completed, Queued, Running, Failed, Cancelled int }
		if err := getJSON(l.url+"/callers/"+caller, &account); err != nil {
			l.t.Error(err)
		} else if sum := account.Completed + account.Queued + account.Running + account.Failed + account.Cancelled; sum != n {
			l.t.Errorf("%s was told of %d jobs and has %+v", caller, n, account)
		}
	}
	l.t.Logf("%d jobs accepted and checked, longest time to a 202 %v, answers by node %v", len(l.accepted), l.worst.Round(time.Millisecond), l.served)
}

// semiprime is a job whose answer is known beforehand: some microseconds of work.
func semiprime(caller string) accepted {
	job := accepted{caller: caller, factors: map[string]int{}}
	n := big.NewInt(1)
	for range 2 {
		p, err := rand.Prime(rand.Reader, 32)
		if err != nil {
			panic(err)
		}
		n.Mul(n, p)
		job.factors[p.String()]++
	}
	job.number = n.String()
	return job
}
