package http_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	kept "fairfactor/store/memory"
)

const (
	rarely = time.Hour // a heartbeat that does not come
	many   = 10_000    // events that may wait for a subscriber
)

func TestEventsOfAll(t *testing.T) {
	s := startTelling(t, rarely, many)
	all, alices, none := s.subscribe("/events").ready(), s.subscribe("/events?caller_id=alice").ready(), s.subscribe("/events?caller_id=carol").ready()
	jobs := s.source.accept("alice", 2)
	bobs := s.source.accept("bob", 1)
	s.source.finish("alice", fairfactor.Completed, jobs[1])
	s.source.finish("bob", fairfactor.Failed, bobs...)
	s.source.finish("alice", fairfactor.Cancelled, jobs[0])
	s.source.accept("carol", 1)
	all.expect("accepted 1001", "accepted 1002", "accepted 1001", "completed 1002", "failed 1001", "cancelled 1001", "accepted 1001")
	alices.expect("accepted 1001", "accepted 1002", "completed 1002", "cancelled 1001")
	none.expect("accepted 1001")
	// The data is the job as GET gives it.
	again := s.subscribe("/events?caller_id=bob", "Last-Event-ID: 1-1-0")
	again.expect("accepted 1001")
	if e, want := again.next(), s.do("GET", "/compute/"+bobs[0].ID.String(), "").body; e.name != "failed" || e.data+"\n" != want {
		t.Errorf("%+v, want the data %s", e, want)
	}
}

func TestEventsOfOneJob(t *testing.T) {
	s := startTelling(t, rarely, many)
	jobs := s.source.accept("alice", 2)
	path := "/compute/" + jobs[0].ID.String() + "/events"
	one := s.subscribe(path)
	one.ready().expect("accepted 1001")
	s.source.finish("alice", fairfactor.Completed, jobs[1])
	s.source.finish("alice", fairfactor.Failed, jobs[0])
	one.expect("failed 1001")
	if e := one.next(); !e.closed {
		t.Errorf("after the end: %+v", e)
	}
	late := s.subscribe(path)
	late.expect("failed 1001")
	if e := late.next(); !e.closed {
		t.Errorf("after the end: %+v", e)
	}
	// A browser that comes back has seen the end, or has not.
	if a := s.do("GET", path, "", "Last-Event-ID: "+one.lastID); a.status != 204 {
		t.Errorf("resumed behind the end: %d %s", a.status, a.body)
	}
	s.subscribe(path + "?last_event_id=1-2-0").expect("failed 1001")
	unknown := fairfactor.ID{Nonce: 1, Caller: 99, Seq: 1}
	s.do("GET", "/compute/"+unknown.String()+"/events", "").problem(t, "an unknown job", 404, "not-found")
}

// TestEventsResume: from behind each event the rest comes again, the same, and then what
// is new.
func TestEventsResume(t *testing.T) {
	s := startTelling(t, rarely, many)
	first := s.subscribe("/events").ready()
	const jobs = 40
	for i := range jobs / 2 {
		s.source.finish("alice", fairfactor.Completed, s.source.accept("alice", 1+i%3)...)
		s.source.accept("bob", 2-i%3)
	}
	var all []event
	for e := first.next(); ; e = first.next() {
		all = append(all, e)
		if len(all) == jobs*2 {
			break
		}
	}
	for _, i := range []int{0, 1, 17, 40, len(all) - 2} {
		again := s.subscribe("/events", "Last-Event-ID: "+all[i].id)
		for k := i + 1; k < len(all); k++ {
			if e := again.next(); e != all[k] {
				t.Fatalf("resumed behind event %d, event %d is %+v, want %+v", i, k, e, all[k])
			}
		}
	}
	ids := map[string]bool{}
	for _, e := range all {
		ids[e.id] = true
	}
	if len(ids) != len(all) {
		t.Errorf("%d ids of %d events", len(ids), len(all))
	}
	rest := s.subscribe("/events", "Last-Event-ID: "+all[len(all)-1].id)
	for range 3 {
		s.source.accept("carol", 1)
	}
	for e := rest.next(); e.in() != "accepted 1003" || !strings.Contains(e.data, "carol"); e = rest.next() {
		if e.closed {
			t.Fatal("what is new does not come")
		}
	}
}

func TestEventsSayThatSomeAreMissing(t *testing.T) {
	s := startTelling(t, rarely, many)
	lost := s.subscribe("/events?last_event_id=1-999-0")
	if e := lost.next(); e.name != "gap" || !strings.Contains(e.data, "missing") || e.id == "" {
		t.Errorf("%+v", e)
	}
	s.source.accept("alice", 1)
	lost.expect("accepted 1001")
	for _, bad := range []string{"1", "x", "1-0-0", strings.Repeat("1-", 100)} {
		s.do("GET", "/events?last_event_id="+bad, "").problem(t, bad, 400, "bad-request")
		s.do("GET", "/events", "", "Last-Event-ID: "+bad).problem(t, bad, 400, "bad-request")
	}
	s.do("GET", "/events?status=failed", "").problem(t, "an unknown parameter", 400, "bad-request")
	s.do("GET", "/events?caller_id=a/b", "").problem(t, "a bad caller", 400, "bad-caller")
	if a := s.do("HEAD", "/events", ""); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %d %v", a.status, a.header)
	}
	start(t).do("GET", "/events", "").problem(t, "a node without events", 404, "not-found")
}

func TestHeartbeat(t *testing.T) {
	s := startTelling(t, 50*time.Millisecond, many)
	c := s.subscribe("/events?caller_id=alice").ready()
	begin := c.lastID
	s.source.accept("bob", 1)
	for range 3 {
		if e := c.block(); e.comment != "heartbeat" || e.data != "" || e.name != "" {
			t.Fatalf("%+v", e)
		}
	}
	for c.lastID == begin { // a subscriber to which nothing happens moves on
		c.block()
	}
}

// TestRunningAndProgress: that a job runs is told after its acceptance and before its
// end, and nothing after it.
func TestRunningAndProgress(t *testing.T) {
	s := startTelling(t, rarely, many)
	all := s.subscribe("/events").ready()
	job := s.source.accept("alice", 1)[0]
	one := s.subscribe("/compute/" + job.ID.String() + "/events")
	one.expect("accepted 1001")
	run := job
	run.State, run.Progress = fairfactor.Running, &fairfactor.Progress{Phase: "curves", Percent: 10}
	s.source.runs(run)
	all.expect("accepted 1001", "running 1001")
	one.expect("running 1001")
	run.Progress = &fairfactor.Progress{Phase: "curves", Percent: 20}
	s.source.runs(run)
	if e := all.next(); e.name != "progress" || !strings.Contains(e.data, `"percent":20`) {
		t.Errorf("%+v", e)
	}
	one.expect("progress 1001")
	late := s.subscribe("/compute/" + job.ID.String() + "/events")
	late.expect("running 1001")
	s.source.finish("alice", fairfactor.Completed, job)
	all.expect("completed 1001")
	one.expect("completed 1001")
	late.expect("completed 1001")
	// The list of what runs is late, as another node's may be.
	next := s.source.accept("alice", 1)[0]
	run2 := next
	run2.State = fairfactor.Running
	s.source.runs(run, run2)
	all.expect("accepted 1002", "running 1002")
}

// TestSlowSubscriber: a client that does not read is told so and closed; the others go on,
// and it can fetch what it missed.
func TestSlowSubscriber(t *testing.T) {
	s := startTelling(t, rarely, 500)
	slow := s.subscribe("/events").ready()
	const jobs = 40_000 // some 9 MB of events, more than sockets take
	for range jobs / 100 {
		s.source.accept("alice", 100)
	}
	seen, last := 0, event{}
	for e := slow.next(); !e.closed; e = slow.next() {
		if last = e; e.name == "accepted" {
			seen++
		}
	}
	if last.name != "closed" || !strings.Contains(last.data, `"reason":"slow"`) || seen >= jobs {
		t.Fatalf("after %d events: %+v", seen, last)
	}
	rest := s.subscribe("/events", "Last-Event-ID: "+slow.lastID)
	for ; seen < jobs; seen++ {
		if e := rest.next(); e.in() != fmt.Sprintf("accepted %d", 1001+seen) {
			t.Fatalf("event %d is %+v", seen, e)
		}
	}
}

func TestStreamsEndWithTheNode(t *testing.T) {
	s := startTelling(t, rarely, many)
	c := s.subscribe("/events?caller_id=bob").ready()
	s.subscribe("/events").ready() // does not read, and does not hold up the end
	for range 600 {
		s.source.accept("alice", 100)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 14*time.Second) // a write may take 15 s
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if e := c.next(); e.name != "closed" || !strings.Contains(e.data, `"reason":"draining"`) {
		t.Errorf("%+v", e)
	}
}

// TestRevokedKeyEndsItsStreams: a stream does not outlive its key by more than a
// heartbeat.
func TestRevokedKeyEndsItsStreams(t *testing.T) {
	ring, err := httpd.OpenKeyring(t.Context(), kept.NewKeys(), httpd.KeyringOptions{Always: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ring.AddKey(t.Context(), fairfactor.RoleOperator, "", ""); err != nil {
		t.Fatal(err)
	}
	key, secret, err := ring.AddKey(t.Context(), fairfactor.RoleViewer, "", "")
	if err != nil {
		t.Fatal(err)
	}
	source := newJournal(t)
	s := &telling{source: source, service: startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.Events, cfg.Keys = source, ring
		return httpd.NewQuick(cfg, 50*time.Millisecond, many)
	})}
	c := s.subscribe("/events", "Authorization: Bearer "+secret).ready()
	source.accept("alice", 1)
	c.expect("accepted 1001")
	if err := ring.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if e := c.next(); e.name != "closed" || !strings.Contains(e.data, `"reason":"revoked"`) {
		t.Errorf("%+v", e)
	}
}

func TestHungUpSubscribersLeave(t *testing.T) {
	s := startTelling(t, rarely, many)
	c := s.subscribe("/events").ready()
	if n := s.metric("fairfactor_http_subscribers"); n != 1 {
		t.Errorf("%v subscribers, want 1", n)
	}
	c.body.Close()
	eventually(t, "the hang-up is noticed", func() bool { return s.metric("fairfactor_http_subscribers") == 0 })
}

// TestSubscribersAreCheap: thousands may listen.
func TestSubscribersAreCheap(t *testing.T) {
	if !alone(t) {
		return
	}
	s := startTelling(t, rarely, many)
	job := s.source.accept("alice", 1)[0]
	const n = 2000
	before := inUse()
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = dial(t, s.addr)
		if _, err := fmt.Fprintf(conns[i], "GET /events?caller_id=c%d HTTP/1.1\r\nHost: node\r\n\r\n", i); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all listen", func() bool { return s.metric("fairfactor_http_subscribers") == n })
	each := (int64(inUse()) - int64(before)) / n
	t.Logf("%d bytes for each subscriber, both ends", each)
	if each > subscriberBytes {
		t.Errorf("%d bytes for each subscriber, want at most %d", each, subscriberBytes)
	}
	s.source.finish("alice", fairfactor.Completed, job)
}

func TestClientFollows(t *testing.T) {
	s := startTelling(t, rarely, many)
	c, err := httpd.NewClient(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	jobs := s.source.accept("alice", 300)
	s.source.finish("alice", fairfactor.Completed, jobs...)
	enough := errors.New("enough")
	var got []string
	err = c.Follow(t.Context(), httpd.Watch{Caller: "alice", After: fairfactor.Position{Line: 1, Group: 1, Index: 298}}, func(e httpd.Told) error {
		if got = append(got, e.Name+" "+e.Job.Number); len(got) == 4 {
			return enough
		}
		return nil
	})
	if want := []string{"accepted 1299", "accepted 1300", "completed 1001", "completed 1002"}; !errors.Is(err, enough) || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	var last httpd.Told
	if err := c.Follow(t.Context(), httpd.Watch{Job: jobs[7].ID}, func(e httpd.Told) error { last = e; return nil }); err != nil || last.Name != "completed" || last.Job.ID != jobs[7].ID {
		t.Errorf("of a job that has ended: %+v, %v", last, err)
	}
	err = c.Follow(t.Context(), httpd.Watch{Job: fairfactor.ID{Nonce: 1, Caller: 9, Seq: 9}}, func(httpd.Told) error { return nil })
	if fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("of an unknown job: %v", err)
	}
}
