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
