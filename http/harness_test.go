package http_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairfactor"
	httpd "fairfactor/http"
)

const maxDigits = 200

// service is a real server on a free port, with the Jobs behind it.
type service struct {
	t      *testing.T
	jobs   *memory
	server *httpd.Server
	addr   string
	url    string
	served chan error

	mu    sync.Mutex
	ready error // why the node takes no jobs
	leave error // why it is to get no more
	log   lockedBuffer
}

// lockedBuffer is where the server logs to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T) *service {
	t.Helper()
	return startWith(t, newMemory())
}

func startWith(t *testing.T, jobs *memory) *service {
	t.Helper()
	return startServer(t, jobs, httpd.New)
}

func startServer(t *testing.T, jobs *memory, build func(httpd.Config) *httpd.Server) *service {
	t.Helper()
	s := &service{t: t, jobs: jobs, served: make(chan error, 1)}
	registry := prometheus.NewRegistry()
	s.server = build(httpd.Config{
		Jobs: jobs, Logger: slog.New(slog.NewTextHandler(&s.log, nil)), MaxDigits: maxDigits, Version: "test",
		Ready: s.whyNot, Leaving: s.whyLeave, Gatherer: registry, Registerer: registry,
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	s.url = "http://" + s.addr
	go func() { s.served <- s.server.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the server:\n%.10000s", s.log.String())
		}
	})
	return s
}

func (s *service) whyNot() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

func (s *service) whyLeave() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leave
}

func (s *service) leaves(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave = err
}

func (s *service) notReady(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = err
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool           // the connection ends with this answer
	doc    map[string]any // the body, if it is one JSON object
}

// text returns a member of the answer that must be a string.
func (a *answer) text(name string) string { s, _ := a.doc[name].(string); return s }

// number returns a member of the answer that must be a number.
func (a *answer) number(name string) float64 { f, _ := a.doc[name].(float64); return f }

// client keeps connections alive, follows no redirects, and adds nothing.
var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true},
}

// do sends a request; headers are "Name: value".
func (s *service) do(method, path, body string, headers ...string) *answer {
	s.t.Helper()
	a, err := s.try(method, path, strings.NewReader(body), headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (s *service) try(method, path string, body io.Reader, headers ...string) (*answer, error) {
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		return nil, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header[http.CanonicalHeaderKey(name)] = append(req.Header[http.CanonicalHeaderKey(name)], value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	return readBody(resp)
}

// post submits a number as alice.
func (s *service) post(body string, headers ...string) *answer {
	s.t.Helper()
	return s.do("POST", "/compute", body, append([]string{"X-Caller-ID: alice", "Content-Type: application/json"}, headers...)...)
}

// submit submits a number that must be accepted, and returns its job.
func (s *service) submit(number string) fairfactor.ID {
	s.t.Helper()
	a := s.post(`{"number":"` + number + `"}`)
	id, err := fairfactor.ParseID(a.text("request_id"))
	if a.status != 202 || err != nil {
		s.t.Fatalf("POST of %s: %d %s", number, a.status, a.body)
	}
	return id
}

// problem checks that an answer is a problem document of a status and kind.
func (a *answer) problem(t *testing.T, what string, status int, kind string) {
	t.Helper()
	switch {
	case a.status != status:
		t.Errorf("%s: status %d, want %d: %s", what, a.status, status, a.body)
	case a.header.Get("Content-Type") != "application/problem+json":
		t.Errorf("%s: the problem has the type %q", what, a.header.Get("Content-Type"))
	case a.number("status") != float64(status):
		t.Errorf("%s: the problem says status %v, the answer %d", what, a.doc["status"], status)
	case a.text("type") != "urn:fairfactor:problem:"+kind:
		t.Errorf("%s: the problem's type is %q, want %s", what, a.text("type"), kind)
	case a.text("title") == "" || a.text("detail") == "" || a.text("code") == "":
		t.Errorf("%s: the problem lacks a member: %s", what, a.body)
	}
	// Many clients show nothing but the detail, so that names what was wrong by itself.
	for _, fact := range []string{"member", "parameter", "method", "host", "origin", "offset", "at_byte", "length", "max_bytes", "max_connections", "max_seconds"} {
		if value, ok := a.doc[fact]; ok && !strings.Contains(a.text("detail"), shownFact(value)) {
			t.Errorf("%s: the detail leaves out %s: %s", what, fact, a.body)
		}
	}
}

// shownFact is a member of a problem as a detail has it: numbers without an exponent.
func shownFact(value any) string {
	if f, ok := value.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// metric returns the value of a series, 0 if it does not exist.
func (s *service) metric(series string) float64 {
	s.t.Helper()
	for line := range strings.Lines(s.do("GET", "/metrics", "").body) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return f
		}
	}
	return 0
}

// eventually waits until a condition holds, which it must do soon.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("after 10 s still not: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// raw sends a request whose path goes out byte by byte as it stands.
func (s *service) raw(method, path string) (*answer, error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, method+" "+path+" HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"); err != nil {
		return nil, err
	}
	return readWhole(bufio.NewReader(conn), method)
}

// readWhole reads one answer.
func readWhole(r *bufio.Reader, method string) (*answer, error) {
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	return readBody(resp)
}

func readBody(resp *http.Response) (*answer, error) {
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, body: string(raw), closes: resp.Close}
	if json.Unmarshal(raw, &a.doc) != nil {
		a.doc = nil
	}
	return a, nil
}
