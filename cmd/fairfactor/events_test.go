package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	"fairfactor/store/postgres/pgtest"
)

// TestEventsAfterAKill: a node is killed while events stream; from the last one on
// they go on when it has started again, without a gap and none twice.
func TestEventsAfterAKill(t *testing.T) {
	dir := t.TempDir()
	eventsAfterAKill(t, func() *process { return serve(t, dir) })
}

// TestEventsAtAnotherNode: they go on at another node that has the same database.
func TestEventsAtAnotherNode(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	pgtest.Need(t)
	server := pgtest.Start(t)
	url := server.Database(t)
	eventsAfterAKill(t, func() *process { return serve(t, t.TempDir(), "--store", url) })
}

// eventsAfterAKill follows all events over two lives of nodes that start makes.
func eventsAfterAKill(t *testing.T, start func() *process) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	seen := &history{states: map[fairfactor.ID][]string{}}
	accepted := map[string]bool{}
	var w httpd.Watch
	for round := range 3 {
		p := start()
		seen.follow(t, p, &w, func() {
			stop := make(chan struct{})
			for _, j := range load(p, seed+uint64(round), stop, time.Duration(200+rng.IntN(400))*time.Millisecond) {
				accepted[j.ID] = true
			}
		})
	}
	p := start()
	seen.follow(t, p, &w, func() {
		for end := time.Now().Add(2 * time.Minute); seen.open(accepted) > 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("after two minutes %d of %d jobs have not ended, by the events", seen.open(accepted), len(accepted))
				return
			}
		}
	})
	seen.check(t)
	t.Logf("%d jobs acknowledged, %d in the events", len(accepted), len(seen.states))
}

// history is what events have said of each job.
type history struct {
	mu     sync.Mutex
	states map[fairfactor.ID][]string
}

// follow follows events at a node as long as a function runs, from a position on that it
// moves.
func (h *history) follow(t *testing.T, p *process, w *httpd.Watch, while func()) {
	t.Helper()
	c, err := httpd.NewClient(p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if w.After.Group == 0 { // so that the first stream begins before the first job
		w.After = fairfactor.Position{Line: 1, Group: 1}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- c.Follow(ctx, *w, func(e httpd.Told) error {
			w.After = e.At
			h.mu.Lock()
			defer h.mu.Unlock()
			switch e.Name {
			case "running", "progress":
			case "gap":
				return errors.New("a gap")
			default:
				h.states[e.Job.ID] = append(h.states[e.Job.ID], e.Name)
			}
			return nil
		})
	}()
	while()
	cancel()
	if err := <-done; fairfactor.CodeOf(err) != fairfactor.Canceled {
		t.Errorf("following: %v", err)
	}
}

// open counts jobs without an end: acknowledged ones, and those that were accepted
// though no client heard of it.
func (h *history) open(accepted map[string]bool) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, states := range h.states {
		if len(states) < 2 && !accepted[id.String()] {
			n++
		}
	}
	for text := range accepted {
		id, _ := fairfactor.ParseID(text)
		if len(h.states[id]) < 2 {
			n++
		}
	}
	return n
}

// check checks that each job was accepted once, and then completed once.
func (h *history) check(t *testing.T) {
	t.Helper()
	for id, states := range h.states {
		if got := strings.Join(states, " "); got != "accepted completed" {
			t.Errorf("job %s: %s", id, got)
		}
	}
}

// TestEventsCommand: the command prints what happens, resumes behind an event, and ends
// with the job.
func TestEventsCommand(t *testing.T) {
	p := serve(t, t.TempDir())
	t.Setenv("FAIRFACTOR_URL", p.url)
	done := p.wait(p.submit("a", "91").ID)
	status, out, err := execute(t, "", "events", "--job", done.ID, "-o", "json")
	var e struct {
		Event, ID string
		Job       job
	}
	if status != 0 || json.Unmarshal([]byte(out), &e) != nil || e.Event != "completed" || e.Job.ID != done.ID || e.Job.Result["13"] != 1 {
		t.Fatalf("status %d, %q, %q", status, out, err)
	}
	if status, again, err := execute(t, "", "events", "--job", done.ID, "--after", "1-1-0"); status != 0 ||
		!strings.HasPrefix(again, fmt.Sprintf("accepted   %s  a  91\n", done.ID)) || !strings.HasSuffix(again, fmt.Sprintf("completed  %s  a  91  7 13\n", done.ID)) {
		t.Errorf("from the beginning: status %d, %q, %q", status, again, err)
	}
	long := p.submit("a", hard(rand.New(rand.NewPCG(1, 9)), 140)).ID
	if status, _, err := p.do("DELETE", "/compute/"+long, "", ""); status != 200 {
		t.Fatalf("DELETE: %d %v", status, err)
	}
	checkExit(t, exitSomeFailed, "events --job "+long)
	checkExit(t, exitUsage, "events --after yesterday")
	checkExit(t, exitUsage, "events --job "+long+" --caller a")
	checkExit(t, exitError, "events --job bmx1rhz2q40000002400000004")
	checkExit(t, exitNodeAway, "events --url http://127.0.0.1:1")
}
