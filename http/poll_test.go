package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// poll sends a request that waits, over a connection of its own, and returns when
// it does.
func (s *service) poll(request string) net.Conn {
	s.t.Helper()
	before := s.jobs.polls()
	conn := dial(s.t, s.addr)
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the client waits", func() bool { return s.jobs.polls() > before })
	return conn
}

// next reads an answer.
func next(t *testing.T, r *bufio.Reader, method string) *answer {
	t.Helper()
	a, err := readWhole(r, method)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return a
}

// waits is what a server does for one request that waits longer than a moment:
// detached from its worker, it still is an ordinary answer.
func TestPollsAreAnsweredLikeOthers(t *testing.T) {
	s := start(t)
	id := s.submit("91")
	look := "GET /compute/" + id.String() + "?wait=60 HTTP/1.1\r\nHost: node\r\n"
	plain, pipelined := s.poll(look+"\r\n"), s.poll(look+"X-Request-Id: r-1\r\n\r\nGET /livez HTTP/1.1\r\nHost: node\r\n\r\n"+look+"\r\n")
	body := s.poll(look + "Content-Length: 5\r\n\r\nhello")
	head := s.poll("HEAD" + strings.TrimPrefix(look, "GET") + "\r\n")
	closing := s.poll(look + "Connection: close\r\n\r\n")
	old := s.poll(strings.Replace(look, "HTTP/1.1", "HTTP/1.0", 1) + "Connection: keep-alive\r\n\r\n")
	packed := s.poll(look + "Accept-Encoding: gzip\r\n\r\n")
	s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	want := s.do("GET", "/compute/"+id.String(), "")

	again := func(what string, conn net.Conn, r *bufio.Reader) {
		t.Helper()
		if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: node\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if a := next(t, r, "GET"); a.text("status") != "alive" {
			t.Errorf("%s: the next request: %d %s", what, a.status, a.body)
		}
	}
	for what, conn := range map[string]net.Conn{"plain": plain, "with a body": body, "of HTTP/1.0": old, "packed": packed} {
		r := bufio.NewReader(conn)
		a := next(t, r, "GET")
		if a.status != 200 || a.body != want.body || a.header.Get("Etag") != want.header.Get("Etag") || a.header.Get("Cache-Control") != want.header.Get("Cache-Control") ||
			a.header.Get("Server") != want.header.Get("Server") || a.header.Get("Date") == "" || a.header.Get("Content-Type") != want.header.Get("Content-Type") {
			t.Errorf("%s: %d %v %s", what, a.status, a.header, a.body)
		}
		again(what, conn, r)
	}
	r := bufio.NewReader(pipelined)
	if a := next(t, r, "GET"); a.body != want.body || a.header.Get("X-Request-Id") != "r-1" {
		t.Errorf("the first of three: %v %s", a.header, a.body)
	}
	if a := next(t, r, "GET"); a.text("status") != "alive" {
		t.Errorf("the second of three: %d %s", a.status, a.body)
	}
	if a := next(t, r, "GET"); a.body != want.body {
		t.Errorf("the third of three: %d %s", a.status, a.body)
	}
	r = bufio.NewReader(head)
	if a := next(t, r, "HEAD"); a.status != 200 || a.body != "" || a.header.Get("Content-Length") != fmt.Sprint(len(want.body)) {
		t.Errorf("HEAD: %d %v", a.status, a.header)
	}
	again("HEAD", head, r)
	r = bufio.NewReader(closing)
	if a := next(t, r, "GET"); a.body != want.body || !a.closes {
		t.Errorf("a last request: %v %s", a.header, a.body)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after a last request: %v", err)
	}
	if n := s.metric(`fairfactor_http_requests_total{method="GET",route="/compute/{id}",status="200"}`); n != 9 {
		t.Errorf("%v looks are counted, 9 were made", n)
	}
}

func TestSubmissionsThatWait(t *testing.T) {
	s := start(t)
	post := "POST /compute HTTP/1.1\r\nHost: node\r\nX-Caller-ID: alice\r\nPrefer: wait=60\r\nContent-Length: 15\r\n\r\n" + `{"number":"91"}`
	conn := s.poll(post)
	id := s.jobs.last()
	s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	r := bufio.NewReader(conn)
	if a := next(t, r, "POST"); a.status != 200 || a.text("status") != "completed" || a.header.Get("Location") != "/compute/"+id.String() || a.header.Get("Preference-Applied") != "wait=60" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	// When the wait fails, the job is safe all the same.
	conn = s.poll(post)
	id = s.jobs.last()
	s.jobs.fail(fairfactor.Errorf(fairfactor.Unavailable, "the store is away"))
	s.jobs.wake()
	if a := next(t, bufio.NewReader(conn), "POST"); a.status != 202 || a.text("request_id") != id.String() || a.text("status") != "pending" {
		t.Errorf("after a failure: %d %s", a.status, a.body)
	}
	s.jobs.fail(nil)
	conn = s.poll("GET /compute/" + id.String() + "?wait=60 HTTP/1.1\r\nHost: node\r\n\r\n")
	s.jobs.fail(fairfactor.Errorf(fairfactor.Unavailable, "the store is away"))
	s.jobs.wake()
	next(t, bufio.NewReader(conn), "GET").problem(t, "a look after a failure", 503, "unavailable")
}

// TestHangUpsEndPolls within a second, so that what waits for nothing is freed.
func TestHangUpsEndPolls(t *testing.T) {
	s := start(t)
	id := s.submit("91").String()
	look := "GET /compute/" + id + "?wait=60 HTTP/1.1\r\nHost: node\r\n\r\n"
	stays := s.poll(look)
	conn := s.poll(look)
	begun := time.Now()
	conn.Close()
	eventually(t, "the hang-up is noticed", func() bool { return s.jobs.polls() == 1 })
	t.Logf("noticed after %v", time.Since(begun))
	// A client that has closed its half only still gets an answer: the job as it is.
	half := s.poll(look)
	if err := half.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if a := next(t, bufio.NewReader(half), "GET"); a.status != 200 || a.text("status") != "pending" {
		t.Errorf("half a hang-up: %d %s", a.status, a.body)
	}
	if n := s.jobs.polls(); n != 1 {
		t.Errorf("%d clients wait, 1 has not hung up", n)
	}
	s.jobs.finish(s.jobs.last(), fairfactor.Completed, sevenThirteen, "")
	if a := next(t, bufio.NewReader(stays), "GET"); a.text("status") != "completed" {
		t.Errorf("the one that stayed: %s", a.body)
	}
}

// TestPollsAreCheap: thousands of clients may wait.
func TestPollsAreCheap(t *testing.T) {
	if !alone(t) {
		return
	}
	s := start(t)
	id := s.submit("91")
	const n = 2000
	before, stacks := inUse(), stacksInUse()
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = dial(t, s.addr)
		if _, err := io.WriteString(conns[i], "GET /compute/"+id.String()+"?wait=60 HTTP/1.1\r\nHost: node\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all wait", func() bool { return s.jobs.polls() == n && s.metric(`fairfactor_http_polls`) == n })
	each := (int64(inUse()) - int64(before)) / n
	t.Logf("%d bytes for each waiting client, both ends; %d of them stack", each, (int64(stacksInUse())-int64(stacks))/n)
	if each > pollBytes {
		t.Errorf("%d bytes for each waiting client, want at most %d", each, pollBytes)
	}
	s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	for _, conn := range conns {
		if a := next(t, bufio.NewReaderSize(conn, 512), "GET"); a.text("status") != "completed" {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
}

func stacksInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

// panics is Jobs whose Wait fails badly, once it waits without its worker.
type panics struct{ *memory }

func (j panics) Wait(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	job, err := j.memory.Wait(ctx, id)
	if until, ok := ctx.Deadline(); ok && time.Until(until) > time.Second || ctx.Err() == nil {
		panic("on purpose")
	}
	return job, err
}

func TestPollsThatPanicAreAnswered(t *testing.T) {
	jobs := newMemory()
	s := startServer(t, jobs, func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = panics{jobs}
		return httpd.New(cfg)
	})
	id := s.submit("91")
	conn := s.poll("GET /compute/" + id.String() + "?wait=60 HTTP/1.1\r\nHost: node\r\n\r\n")
	r := bufio.NewReader(conn)
	jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	next(t, r, "GET").problem(t, "a panic", 500, "internal")
	if !strings.Contains(s.log.String(), "on purpose") {
		t.Error("the panic is not in the log")
	}
}

// TestBusyConnectionsStayOpen: a connection's own deadlines end silence and slow
// requests only, not what goes on for longer.
func TestBusyConnectionsStayOpen(t *testing.T) {
	s := impatient(t) // 100 ms for everything
	conn := dial(t, s.addr)
	for begun := time.Now(); time.Since(begun) < 350*time.Millisecond; {
		roundTrip(t, conn)
	}
}
