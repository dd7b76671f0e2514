package http_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// TestOthersAreServedNextToHostileClients keeps 500 connections busy with half
// requests and garbage, and wants every request of an ordinary client answered
// within a second meanwhile, or what the machine needs for ten without them.
func TestOthersAreServedNextToHostileClients(t *testing.T) {
	s := start(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	calm := s.slowestOf(100)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range 500 {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		all.Go(func() { harass(s.addr, i, rng, stop) })
	}
	eventually(t, "the hostile clients are there", func() bool {
		return s.metric(`fairfactor_http_connections{state="active"}`)+s.metric(`fairfactor_http_connections{state="idle"}`) >= 300
	})
	slowest := s.slowestOf(100)
	close(stop)
	all.Wait()
	t.Logf("slowest of 100: %v, without the others %v", slowest, calm)
	if slowest > max(time.Second, 10*calm) {
		t.Errorf("an ordinary request took %v, without the others %v", slowest, calm)
	}
	if n := s.jobs.count(); n != 200 {
		t.Errorf("%d jobs, 200 were submitted", n)
	}
}

// slowestOf submits numbers one after the other.
func (s *service) slowestOf(n int) (slowest time.Duration) {
	s.t.Helper()
	for range n {
		begun := time.Now()
		s.submit("600851475143")
		slowest = max(slowest, time.Since(begun))
	}
	return slowest
}

// harass is one hostile client: it sends one of several kinds of nonsense, a
// piece at a time, until it is told to stop or thrown out.
func harass(addr string, kind int, rng *rand.Rand, stop chan struct{}) {
	for {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		for sent := 0; ; sent++ {
			select {
			case <-stop:
				conn.Close()
				return
			case <-time.After(time.Duration(150+rng.IntN(300)) * time.Millisecond):
			}
			if _, err := io.WriteString(conn, nonsense(kind%5, sent, rng)); err != nil {
				break
			}
		}
		conn.Close()
	}
}

func nonsense(kind, sent int, rng *rand.Rand) string {
	const head = "POST /compute HTTP/1.1\r\nHost: node\r\nX-Caller-ID: eve\r\nContent-Length: 100\r\n\r\n{\"number\":\"1234567890"
	switch kind {
	case 0: // a head, byte by byte, that never ends
		return head[min(sent, 60) : min(sent, 60)+1]
	case 1: // a body, byte by byte
		if sent == 0 {
			return head
		}
		return "7"
	case 2: // more and more header
		if sent == 0 {
			return "GET / HTTP/1.1\r\n"
		}
		return fmt.Sprintf("X-%d: %s\r\n", sent, strings.Repeat("x", 200))
	case 3: // garbage
		garbage := make([]byte, 1+rng.IntN(3000))
		for i := range garbage {
			garbage[i] = byte(rng.Uint32())
		}
		return string(garbage)
	}
	return strings.Repeat("\r\n", 100) // nothing, many times
}

func TestRequestsOverTheLimits(t *testing.T) {
	s := start(t)
	head := "POST /compute?caller_id=a HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
	length := func(n int) string {
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, n, strings.Repeat(" ", n))
	}
	chunks := func(n int) string {
		return head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(fmt.Sprintf("400\r\n%s\r\n", strings.Repeat(" ", 1024)), n/1024) + "0\r\n\r\n"
	}
	for _, row := range []struct {
		what, request string
		status        int
		kind          string
	}{
		{"64 KiB", length(64 << 10), 400, "bad-request"},
		{"64 KiB and one byte", length(64<<10 + 1), 413, "too-large"},
		{"10 MB", length(10_000_000), 413, "too-large"},
		{"64 KiB in chunks", chunks(64 << 10), 400, "bad-request"},
		{"65 KiB in chunks", chunks(65 << 10), 413, "too-large"},
		{"10 MB in chunks", chunks(10_000_000), 413, "too-large"},
		{"no chunk", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad-request"},
		{"a header of 7 KB", "GET /livez HTTP/1.1\r\nHost: node\r\nX: " + strings.Repeat("x", 7000) + "\r\n\r\n", 200, ""},
		{"a header of 9 KB", "GET /livez HTTP/1.1\r\nHost: node\r\nX: " + strings.Repeat("x", 9000) + "\r\n\r\n", 431, "header-too-large"},
		{"a thousand headers", "GET /livez HTTP/1.1\r\nHost: node\r\n" + strings.Repeat("X: y\r\n", 2000) + "\r\n", 431, "header-too-large"},
		{"a path of 9 KB", "GET /" + strings.Repeat("x", 9000) + " HTTP/1.1\r\nHost: node\r\n\r\n", 431, "header-too-large"},
		{"garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "bad-request"},
		{"two lengths", head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n{}  ", 400, "bad-request"},
		{"a length and chunks", head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad-request"},
		{"a negative length", head + "Content-Length: -3\r\n\r\n", 400, "bad-request"},
		{"HTTP/1.0", "GET /livez HTTP/1.0\r\n\r\n", 200, ""},
		{"an absolute target", "GET http://node/livez HTTP/1.1\r\nHost: node\r\n\r\n", 200, ""},
	} {
		a, err := s.exchange(row.request)
		switch {
		case err != nil:
			t.Errorf("%s: %v", row.what, err)
		case row.status == 200 && a.status != 200:
			t.Errorf("%s: %d %s", row.what, a.status, a.body)
		case row.status != 200:
			a.problem(t, row.what, row.status, row.kind)
		}
	}
	if n := s.jobs.count(); n != 0 {
		t.Errorf("%d jobs came of this", n)
	}
}

// exchange sends bytes on a new connection and reads the answer when all of
// them are sent, or no more are taken.
func (s *service) exchange(request string) (*answer, error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	_, _ = io.WriteString(conn, request) // the server may have heard enough
	return readWhole(bufio.NewReader(conn), "GET")
}

// impatient starts a server that gives up after 100 ms and takes 4 connections.
func impatient(t *testing.T) *service {
	t.Helper()
	return startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		return httpd.NewImpatient(cfg, 4, 100*time.Millisecond)
	})
}

func TestSlowRequestsAreEnded(t *testing.T) {
	s := impatient(t)
	for what, request := range map[string]string{
		"half a head":    "POST /compute HTTP/1.1\r\nX-Caller",
		"one byte":       "P",
		"a long head":    "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2000),
		"half a body":    "POST /compute HTTP/1.1\r\nHost: node\r\nX-Caller-ID: a\r\nContent-Length: 25\r\n\r\n{\"number\"",
		"half a chunk":   "POST /compute HTTP/1.1\r\nHost: node\r\nX-Caller-ID: a\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"number\"",
		"half of 20 KiB": "POST /compute HTTP/1.1\r\nHost: node\r\nX-Caller-ID: a\r\nContent-Length: 20480\r\n\r\n" + strings.Repeat(" ", 10_000),
	} {
		a, err := s.exchange(request)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		a.problem(t, what, 408, "too-slow")
	}
	a, err := s.exchange("POST /compute/batch HTTP/1.1\r\nHost: node\r\nX-Caller-ID: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"number\":\"91\"}\n\r\n10\r\n{\"num")
	if err == nil {
		t.Errorf("a batch that stops in the middle looks complete: %+v", a)
	}
	if s.jobs.count() != 1 {
		t.Errorf("%d jobs of half a batch, want 1", s.jobs.count())
	}
	silent := dial(t, s.addr)
	if err := silent.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(silent); err != nil || len(b) > 0 {
		t.Errorf("a connection without a request ends with %v %q, want nothing", err, b)
	}
}

func TestTooManyConnections(t *testing.T) {
	jobs := newMemory()
	s := startServer(t, jobs, func(cfg httpd.Config) *httpd.Server { return httpd.NewImpatient(cfg, 4, 5*time.Second) })
	receipts, err := jobs.Submit(deadline(), "alice", []fairfactor.Submission{{Number: "91"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := receipts[0].Job.ID.String()
	idle := make([]net.Conn, 4)
	for i := range idle {
		idle[i] = dial(t, s.addr)
	}
	// Those that say nothing make room for those that do.
	busy := make([]net.Conn, 4)
	for i := range busy {
		busy[i] = dial(t, s.addr)
		if _, err := io.WriteString(busy[i], "GET /compute/"+id+"?wait=60 HTTP/1.1\r\nHost: node\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	for _, conn := range idle {
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("an idle connection is still open next to four busy ones")
		}
	}
	// The busy ones do not.
	eventually(t, "all four are at work", func() bool { return jobs.polls() == 4 })
	a, err := s.exchange("")
	if err != nil {
		t.Fatal(err)
	}
	a.problem(t, "a fifth connection", 503, "unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Errorf("header %v", a.header)
	}
	jobs.finish(jobs.last(), fairfactor.Completed, sevenThirteen, "")
	for _, conn := range busy {
		if a, err := readWhole(bufio.NewReader(conn), "GET"); err != nil || a.text("status") != "completed" {
			t.Errorf("a busy connection: %v %+v", err, a)
		}
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	s := startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = nil // every call of it panics
		return httpd.New(cfg)
	})
	for range 3 {
		s.post(`{"number":"7"}`).problem(t, "a panic", 500, "internal")
	}
	if a := s.do("GET", "/livez", ""); a.status != 200 {
		t.Errorf("after panics: %d", a.status)
	}
	if !strings.Contains(s.log.String(), "panic") {
		t.Error("the panic is not in the log")
	}
}
