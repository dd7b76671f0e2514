package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const hookSecret = "0123456789abcdef0123456789abcdef"

// hookReceiver counts what it is told of each job, and answers as it is told.
type hookReceiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int            // guarded by mu: of its answers
	told   map[string]int // guarded by mu: by job, what was signed and well formed
	bad    []string       // guarded by mu: what was not
	news   chan struct{}
}

func newHookReceiver(t *testing.T, status int) *hookReceiver {
	r := &hookReceiver{status: status, told: map[string]int{}, news: make(chan struct{}, 10_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.Close)
	return r
}

func (r *hookReceiver) receive(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	var told struct {
		Event string
		Job   job
	}
	err := json.Unmarshal(body, &told)
	stamp, given, _ := strings.Cut(strings.TrimPrefix(req.Header.Get("Fairfactor-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(hookSecret))
	fmt.Fprintf(mac, "%s.%s", stamp, body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || told.Event != "job."+string(told.Job.Status) || given != hex.EncodeToString(mac.Sum(nil)) {
		r.bad = append(r.bad, string(body))
	}
	if trace := req.Header.Get("traceparent"); trace != told.Job.Trace {
		r.bad = append(r.bad, fmt.Sprintf("the header traceparent %q with %s", trace, body))
	}
	r.told[told.Job.ID]++
	w.WriteHeader(r.status)
	r.news <- struct{}{}
}

func (r *hookReceiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// wait returns when it was told what it should be.
func (r *hookReceiver) wait(t *testing.T, what string, enough func(told map[string]int) bool) {
	t.Helper()
	limit := time.After(3 * time.Minute)
	for {
		r.mu.Lock()
		done := enough(r.told)
		if len(r.bad) > 0 {
			t.Errorf("told %s", r.bad[0])
		}
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-r.news:
		case <-limit:
			t.Fatalf("%s: not told in time", what)
		}
	}
}

// callbackOf returns the state of a job's callback.
func (p *process) callbackOf(id string) (state string) {
	status, out, err := execute(p.t, "", "get", "--url", p.url, "-o", "json", id)
	var answer struct {
		Callback struct{ State string }
	}
	if json.Unmarshal([]byte(out), &answer) != nil {
		p.t.Fatalf("get: status %d, %q, %q", status, out, err)
	}
	return answer.Callback.State
}

// TestWebhookOverAKill: a node that is killed between the ends of jobs and their
// deliveries makes them after it has started again, with secrets from a file and in the
// traces of the jobs.
func TestWebhookOverAKill(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(file, []byte(hookSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newHookReceiver(t, http.StatusServiceUnavailable)
	args := []string{"--webhook-hosts", "127.0.0.1:*", "--webhook-secret-file", file}
	p := serve(t, dir, args...)
	var ids []string
	for _, number := range []string{"15", "21", "1000003"} {
		_, out, err := execute(t, "", "submit", "--url", p.url, "--caller", "c", "--callback", r.URL+"/hook", "-o", "json", number)
		var j job
		if json.Unmarshal([]byte(out), &j) != nil {
			t.Fatalf("submit: %q, %q", out, err)
		}
		ids = append(ids, j.ID)
	}
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	req, err := http.NewRequest(http.MethodPost, p.url+"/compute?caller_id=c", strings.NewReader(`{"number":"1000033","callback_url":"`+r.URL+`/hook"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("traceparent", trace)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var traced job
	if err := json.NewDecoder(resp.Body).Decode(&traced); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("submit: %d %v", resp.StatusCode, err)
	}
	ids = append(ids, traced.ID)
	r.wait(t, "an attempt for each", func(told map[string]int) bool { return len(told) == len(ids) })
	p.kill()
	r.answer(http.StatusOK)
	p = serve(t, dir, args...)
	r.wait(t, "the deliveries after the kill", func(told map[string]int) bool {
		for _, id := range ids {
			if told[id] < 2 {
				return false
			}
		}
		return true
	})
	if j := p.wait(traced.ID); j.Trace != trace {
		t.Errorf("after the kill the job has the trace %q", j.Trace)
	}
	for _, id := range ids {
		for limit := time.Now().Add(time.Minute); p.callbackOf(id) != "delivered"; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("the callback of %s is %s", id, p.callbackOf(id))
			}
		}
	}
	if status, _, err := execute(t, "", "submit", "--url", p.url, "--callback", "http://127.0.0.2/", "15"); status != exitError || !strings.Contains(err, "--webhook-hosts") {
		t.Errorf("another host: status %d, %q", status, err)
	}
}

func TestWebhookFlags(t *testing.T) {
	for args, want := range map[string]string{
		"--webhook-hosts example.com":                         "needs --webhook-secret",
		"--webhook-hosts example.com --webhook-secret short":  "fewer than 16",
		"--webhook-hosts http://example.com":                  "is not a host",
		"--webhook-hosts a --webhook-secret-file /nowhere/at": "--webhook-secret-file",
	} {
		if status, _, err := execute(t, "", append([]string{"serve", "--data", t.TempDir()}, strings.Fields(args)...)...); status != exitUsage || !strings.Contains(err, want) {
			t.Errorf("%s: status %d, %q", args, status, err)
		}
	}
}
