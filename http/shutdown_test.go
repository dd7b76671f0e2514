package http_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// stop shuts the server down within a time and returns what Shutdown and Serve
// say.
func (s *service) stop(within time.Duration) (shutdown, serve error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	shutdown = s.server.Shutdown(ctx)
	select {
	case serve = <-s.served:
	case <-time.After(5 * time.Second):
		s.t.Fatal("Serve did not return")
	}
	return shutdown, serve
}

func TestShutdownEndsLongPolls(t *testing.T) {
	s := start(t)
	id := s.submit("91")
	polls := make(chan *answer, 40)
	for i := range cap(polls) {
		go func() {
			if i%2 == 0 {
				polls <- s.do("GET", "/compute/"+id.String()+"?wait=60", "")
			} else {
				polls <- s.post(`{"number":"91"}`, "Prefer: wait=60")
			}
		}()
	}
	eventually(t, "the polls are open", func() bool { return s.jobs.polls() == cap(polls) })
	begun := time.Now()
	if shutdown, serve := s.stop(10 * time.Second); shutdown != nil || serve != nil {
		t.Errorf("Shutdown: %v, Serve: %v", shutdown, serve)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("shutting down took %v", took)
	}
	for range cap(polls) {
		if a := <-polls; (a.status != 200 && a.status != 202) || a.text("status") != "pending" {
			t.Errorf("a poll: %d %s", a.status, a.body)
		}
	}
	if conn, err := net.Dial("tcp", s.addr); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}

// slow is Jobs whose Submit waits for the test.
type slow struct {
	*memory
	begun, goOn chan struct{}
}

func (j *slow) Submit(ctx context.Context, caller string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	j.begun <- struct{}{}
	<-j.goOn
	return j.memory.Submit(ctx, caller, subs, into)
}

func TestShutdownWaitsForRunningRequests(t *testing.T) {
	jobs := &slow{newMemory(), make(chan struct{}), make(chan struct{})}
	s := startServer(t, jobs.memory, func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = jobs
		return httpd.New(cfg)
	})
	answered := make(chan *answer, 1)
	go func() { answered <- s.post(`{"number":"7"}`) }()
	<-jobs.begun
	stopped := make(chan error, 1)
	go func() {
		shutdown, serve := s.stop(10 * time.Second)
		stopped <- errors.Join(shutdown, serve)
	}()
	eventually(t, "the port is closed", func() bool {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-stopped:
		t.Fatalf("Shutdown returned while a request ran: %v", err)
	default:
	}
	close(jobs.goOn)
	if a := <-answered; a.status != 202 || !a.closes {
		t.Errorf("the running request: %d %v", a.status, a.header)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// TestShutdownGivesUp on a request that does not end in time: its client sees that
// there is no answer.
func TestShutdownGivesUp(t *testing.T) {
	jobs := &slow{newMemory(), make(chan struct{}), make(chan struct{})}
	s := startServer(t, jobs.memory, func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = jobs
		return httpd.New(cfg)
	})
	defer close(jobs.goOn)
	failed := make(chan error, 1)
	go func() {
		_, err := s.try("POST", "/compute", strings.NewReader(`{"number":"7"}`), "X-Caller-ID: alice", "Content-Type: application/json")
		failed <- err
	}()
	<-jobs.begun
	if shutdown, _ := s.stop(50 * time.Millisecond); !errors.Is(shutdown, context.DeadlineExceeded) {
		t.Errorf("Shutdown with a running request: %v", shutdown)
	}
	if err := <-failed; err == nil {
		t.Error("the request that was broken off got an answer")
	}
}

func TestShutdownBeforeServe(t *testing.T) {
	server := httpd.New(httpd.Config{Jobs: newMemory(), MaxDigits: maxDigits})
	if err := server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(ln); err != nil {
		t.Error(err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}

// tired is a listener that has no more files for a while.
type tired struct {
	net.Listener
	failures int
}

func (l *tired) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: tooManyFiles{}}
	}
	return l.Listener.Accept()
}

type tooManyFiles struct{}

func (tooManyFiles) Error() string   { return "too many open files" }
func (tooManyFiles) Temporary() bool { return true }
func (tooManyFiles) Timeout() bool   { return false }

func TestServeOutlivesAcceptErrors(t *testing.T) {
	server := httpd.New(httpd.Config{Jobs: newMemory(), MaxDigits: maxDigits})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(&tired{ln, 4}) }()
	roundTrip(t, dial(t, ln.Addr().String()))
	ln.Close()
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve on a listener that was closed: %v", err)
	}
}

// TestShutdownEndsOpenBatches: a client that keeps a batch open and sends nothing
// holds up nothing, and learns what was taken of it.
func TestShutdownEndsOpenBatches(t *testing.T) {
	s := start(t)
	r, w := io.Pipe()
	defer w.Close()
	batch := make(chan *answer, 1)
	go func() {
		a, err := s.try("POST", "/compute/batch", r, "X-Caller-ID: alice", ndjson)
		if err != nil {
			t.Errorf("the batch: %v", err)
		}
		batch <- a
	}()
	if _, err := io.WriteString(w, `{"number":"7"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the batch is open", func() bool { return s.jobs.count() == 1 })
	begun := time.Now()
	if shutdown, serve := s.stop(10 * time.Second); shutdown != nil || serve != nil {
		t.Errorf("Shutdown: %v, Serve: %v", shutdown, serve)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("shutting down took %v", took)
	}
	a := <-batch
	if a == nil {
		return
	}
	lines := linesOf(t, a.body)
	if len(lines) != 2 || lines[0].ID == "" || lines[1].Status != 503.0 {
		t.Errorf("answered %s", a.body)
	}
}

// TestLeavingEndsConnections: a node that is about to shut down answers all, and leaves
// no client with a connection to it that is open and idle.
func TestLeavingEndsConnections(t *testing.T) {
	s := start(t)
	id := s.submit("91")
	if a := s.do("GET", "/compute/"+id.String(), ""); a.closes {
		t.Errorf("a connection ends although the node stays: %v", a.header)
	}
	polled := make(chan *answer, 1)
	go func() { polled <- s.do("GET", "/compute/"+id.String()+"?wait=60", "") }()
	eventually(t, "the poll is open", func() bool { return s.jobs.polls() == 1 })
	s.server.Leave()
	for what, a := range map[string]*answer{
		"a submission": s.post(`{"number":"7"}`),
		"a look":       s.do("GET", "/compute/"+id.String(), ""),
		"a bad path":   s.do("GET", "/nothing", ""),
		"readiness":    s.do("GET", "/readyz", ""),
	} {
		if !a.closes {
			t.Errorf("the connection of %s stays open while the node leaves: %d %v", what, a.status, a.header)
		}
	}
	s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	if a := <-polled; a.status != 200 || !a.closes {
		t.Errorf("a poll: %d, closes %v", a.status, a.closes)
	}
	eventually(t, "no connection is idle", func() bool { return s.metric(`fairfactor_http_connections{state="idle"}`) == 0 })
}

// TestShutdownAnswersWhatWasSent: requests that clients had sent when the server began to shut
// down are carried out and answered, on connections that were idle and on some that the
// server had not accepted yet.
func TestShutdownAnswersWhatWasSent(t *testing.T) {
	s := start(t)
	var conns []net.Conn
	for range 20 {
		conn := dial(t, s.addr)
		roundTrip(t, conn)
		conns = append(conns, conn)
	}
	eventually(t, "the connections are parked", func() bool { return s.metric(`fairfactor_http_connections{state="idle"}`) >= 20 })
	for range 20 {
		conns = append(conns, dial(t, s.addr))
	}
	before := s.jobs.count()
	stopped := make(chan error, 1)
	for i, conn := range conns {
		if _, err := io.WriteString(conn, postRequest); err != nil {
			t.Fatal(err)
		}
		if i == len(conns)-1 {
			go func() {
				shutdown, serve := s.stop(10 * time.Second)
				stopped <- errors.Join(shutdown, serve)
			}()
		}
	}
	for i, conn := range conns {
		if err := readAnswer(bufio.NewReader(conn)); err != nil {
			t.Errorf("the request on connection %d: %v", i, err)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if n := s.jobs.count() - before; n != len(conns) {
		t.Errorf("%d of %d submissions were carried out", n, len(conns))
	}
}
