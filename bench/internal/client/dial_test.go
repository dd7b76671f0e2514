package client

import (
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// TestConnectionsSpreadOverSources opens connections as if one source address had
// ports for two only.
func TestConnectionsSpreadOverSources(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := newDialer(listener.Addr().String(), 3*connsOfSource)
	defer d.hangup()
	from := map[string]int{}
	for range 6 {
		c, err := d.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		host, _, _ := net.SplitHostPort(c.LocalAddr().String())
		from[host]++
	}
	if len(from) != 3 || from["127.0.0.2"] != 2 || from["127.0.0.4"] != 2 {
		t.Errorf("connections from %v", from)
	}
	if few := newDialer(listener.Addr().String(), connsOfSource); few.sources != nil {
		t.Errorf("few connections have sources %v", few.sources)
	}
	if far := newDialer("192.0.2.1:80", 3*connsOfSource); far.sources != nil {
		t.Errorf("connections to another machine have sources %v", far.sources)
	}
}

// TestHangupEndsRequests sends a request to a server that never answers.
func TestHangupEndsRequests(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	got, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	go fasthttp.Serve(listener, func(*fasthttp.RequestCtx) { close(got); <-release })
	c, err := New("http://"+listener.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { _, err := c.Get("/livez"); failed <- err }()
	<-got
	c.Hangup()
	select {
	case err := <-failed:
		if err == nil {
			t.Error("a request without an answer did not fail")
		}
	case <-time.After(AnswerTime / 2):
		t.Error("the request did not end")
	}
}

// TestQuestionsSurviveClosedConnections asks over a connection that the server has
// closed meanwhile.
func TestQuestionsSurviveClosedConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	closed := make(chan struct{}, 1)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			// One answer, then the end, as from a node that evicts idle connections.
			c.Read(make([]byte, 4096))
			c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			c.Close()
			closed <- struct{}{}
		}
	}()
	c, err := New("http://"+listener.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if body, err := c.Get("/livez"); err != nil || string(body) != "ok" {
			t.Fatalf("%q, %v", body, err)
		}
		<-closed
	}
}

// TestConnectOpensBeforehand asks over connections that are there already.
func TestConnectOpensBeforehand(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("ok") }}
	go server.Serve(listener)
	c, err := New("http://"+listener.Addr().String(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(t.Context(), 3); err != nil || len(c.dialer.kept) != 3 {
		t.Fatalf("%d connections, %v", len(c.dialer.kept), err)
	}
	if err := c.Getter().OK("/"); err != nil || len(c.dialer.kept) != 2 || len(c.dialer.open) != 3 {
		t.Errorf("%d of %d connections are left, %v", len(c.dialer.kept), len(c.dialer.open), err)
	}
	c.Close()
	if len(c.dialer.open) != 0 {
		t.Errorf("%d connections are open after the end", len(c.dialer.open))
	}
}
