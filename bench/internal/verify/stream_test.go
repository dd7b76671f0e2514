package verify

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor/bench/internal/client"
)

// node answers as a node does that has these jobs, newest first, in pages of two.
type node struct {
	jobs  []client.Job
	pages atomic.Int32
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, single := strings.CutPrefix(r.URL.Path, "/compute/"); single {
		for _, j := range n.jobs {
			if j.ID == id {
				json.NewEncoder(w).Encode(j)
				return
			}
		}
		http.NotFound(w, r)
		return
	}
	n.pages.Add(1)
	from := 0
	fmt.Sscan(r.URL.Query().Get("cursor"), &from)
	var p client.Page
	for i, j := range n.jobs[from:] {
		if j.Status == "completed" {
			p.Jobs = append(p.Jobs, j)
		}
		if len(p.Jobs) == 2 {
			p.Next = fmt.Sprint(from + i + 1)
			break
		}
	}
	json.NewEncoder(w).Encode(p)
}

// start returns a stream of the node's jobs.
func (n *node) start(t *testing.T) *Stream {
	t.Helper()
	server := &http.Server{Handler: n}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	c, err := client.New("http://"+listener.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return NewStream(c, []string{"a"})
}

func fifteen(id, status string, turn int, factors ...string) client.Job {
	j := client.Job{ID: id, Caller: "a", Number: "15", Status: status, Turn: uint64(turn), Submitted: time.Unix(100, 0), Started: time.Unix(100, int64(turn)), Finished: time.Unix(100+int64(turn), 0)}
	for _, p := range factors {
		if j.Result == nil {
			j.Result = map[string]int{}
		}
		j.Result[p] = 1
	}
	return j
}

// TestStreamCountsEveryEnd has one job of each kind, and one that is not ours.
func TestStreamCountsEveryEnd(t *testing.T) {
	n := &node{jobs: []client.Job{
		fifteen("another's", "completed", 9, "3", "5"),
		fifteen("good", "completed", 5, "3", "5"),
		fifteen("wrong", "completed", 4, "3", "7"),
		fifteen("same place", "completed", 4, "3", "5"),
		fifteen("failed", "failed", 3),
		fifteen("running", "running", 2),
		fifteen("old", "completed", 1, "3", "5"),
	}}
	s := n.start(t)
	for _, id := range []string{"old", "running", "failed", "same place", "wrong", "good", "lost", "good"} {
		s.Add(Accepted{ID: id, Caller: "a", Number: "15"})
	}
	for range 3 {
		if err := s.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.Left() != 1 {
		t.Errorf("%d left: %v", s.Left(), s)
	}
	tally, order := s.Close()
	tally.Examples = nil
	if want := (Tally{Completed: 3, Failed: 1, Unfinished: 1, Lost: 1, Wrong: 1, Twice: 2}); fmt.Sprint(tally) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", tally, want)
	}
	if len(order) != 5 || order[0].Place != 1 || order[4].Place != 5 {
		t.Errorf("order %+v", order)
	}
	if s.Span() != 5*time.Second {
		t.Errorf("from the first submission to the last end %v", s.Span())
	}
}

// TestStreamStopsAtWhatItKnows reads few pages when little is new.
func TestStreamStopsAtWhatItKnows(t *testing.T) {
	n := &node{}
	for i := range 20 {
		n.jobs = append(n.jobs, fifteen(fmt.Sprint(i), "completed", 20-i, "3", "5"))
	}
	s := n.start(t)
	for i := range 20 {
		s.Add(Accepted{ID: fmt.Sprint(i), Caller: "a", Number: "15"})
	}
	if err := s.CatchUp(t.Context()); err != nil || s.Left() != 0 {
		t.Fatalf("%v, %v", s, err)
	}
	n.jobs = append([]client.Job{fifteen("new", "completed", 21, "3", "5")}, n.jobs...)
	s.Add(Accepted{ID: "new", Caller: "a", Number: "15"})
	n.pages.Store(0)
	if err := s.CatchUp(t.Context()); err != nil || s.Left() != 0 || n.pages.Load() > 2 {
		t.Errorf("%v, %v after %d pages", s, err, n.pages.Load())
	}
}
