package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"fairfactor"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// follower reads GET /events, at one node after the other: when a connection breaks it goes
// on at the next node behind the last event that it has. So it must be told of each job once
// that it was accepted and once that it ended, in this order, whatever becomes of nodes.
type follower struct {
	balancer *balancer
	begun    chan struct{} // closed when it has a position
	once     sync.Once

	mu       sync.Mutex
	last     string              // guarded by mu; where it goes on
	at       fairfactor.Position // guarded by mu; of the last event
	accepted map[string]int      // guarded by mu; by id of the job
	ended    map[string][]string // guarded by mu; the states that it was told of
	told     int                 // guarded by mu; events
	resumed  int                 // guarded by mu; connections after the first
	wrong    int                 // guarded by mu
	examples []string            // guarded by mu
}

func newFollower(b *balancer) *follower {
	return &follower{balancer: b, begun: make(chan struct{}), accepted: map[string]int{}, ended: map[string][]string{}}
}

// follow reads until ctx ends.
func (f *follower) follow(ctx context.Context) {
	for ctx.Err() == nil {
		f.connect(ctx, f.balancer.pick())
		wait.For(ctx, againAfter)
	}
}

// connect reads the events of one node until it has no more: it has died, or says nothing.
func (f *follower) connect(ctx context.Context, e *end) {
	e.mu.Lock()
	alive := e.ctx
	e.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(alive, cancel)()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base+"/events", nil)
	if err != nil {
		return
	}
	f.mu.Lock()
	if f.last != "" {
		req.Header.Set("Last-Event-ID", f.last)
	}
	f.mu.Unlock()
	resp, err := e.client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return
	}
	f.mu.Lock()
	f.resumed++
	f.mu.Unlock()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	var m message
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "":
			f.take(m)
			m = message{}
		default:
			m.add(line)
		}
	}
}

// message is one of a stream: an event, or where who listens has come to.
type message struct{ event, id, data string }

func (m *message) add(line string) {
	name, value, _ := strings.Cut(line, ": ")
	switch name {
	case "event":
		m.event = value
	case "id":
		m.id = value
	case "data":
		m.data = value
	}
}

// take takes in a message that has come as a whole.
func (f *follower) take(m message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.id != "" {
		f.last = m.id
		f.once.Do(func() { close(f.begun) })
	}
	if m.event == "" || m.event == "progress" || m.event == "running" || m.event == "closed" {
		return
	}
	at, err := fairfactor.ParsePosition(m.id)
	var job struct {
		ID string `json:"request_id"`
	}
	switch {
	case err != nil || m.event == "gap" || json.Unmarshal([]byte(m.data), &job) != nil || job.ID == "":
		f.fault("the event %q with the id %q: %.200s", m.event, m.id, m.data)
		return
	case at.Compare(f.at) <= 0:
		f.fault("the event %q of job %s at %s came after one at %s", m.event, job.ID, m.id, f.at)
	}
	f.at = at
	f.told++
	if m.event == "accepted" {
		if f.accepted[job.ID]++; len(f.ended[job.ID]) > 0 {
			f.fault("job %s was told as accepted after it had ended", job.ID)
		}
		return
	}
	f.ended[job.ID] = append(f.ended[job.ID], m.event)
}

// fault notes what is wrong. f.mu is held.
func (f *follower) fault(format string, args ...any) {
	if f.wrong++; len(f.examples) < verify.MaxExamples {
		f.examples = append(f.examples, "events: "+fmt.Sprintf(format, args...))
	}
}

// catchUp is how long a follower may take to hear of the last end.
const catchUp = 30 * time.Second

// judge compares what the follower was told with the jobs of the store, which have all ended.
func (f *follower) judge(ctx context.Context, jobs []stored, v *verdict) {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	_ = wait.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.ended) >= len(jobs), nil
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range jobs {
		j := &jobs[i]
		if ends := f.ended[j.ID]; f.accepted[j.ID] != 1 || len(ends) != 1 || ends[0] != j.Status {
			f.fault("job %s of %s is %s; it was told as accepted %d times, and as ended: %q", j.ID, j.Caller, j.Status, f.accepted[j.ID], ends)
		}
	}
	if extra := len(f.ended) - len(jobs); extra > 0 {
		f.fault("%d jobs were told as ended that the store does not have", extra)
	}
	v.Told, v.Resumed, v.Mistold = f.told, f.resumed-1, f.wrong
	v.Examples = append(v.Examples, f.examples...)
}
