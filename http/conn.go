package http

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// conn is a connection that goes back to the lot instead of being closed when
// it has been silent for a while.
type conn struct {
	net.Conn
	lot  *lot
	head []byte // what the lot has read, not yet taken by the server
	idle bool   // between two requests; only its own worker reads and writes it
	// silent is set when the time between two requests ran out.
	silent atomic.Bool
	ended  atomic.Bool // the client has sent all it will ever send
	gone   atomic.Bool // closed for good
}

// connState is fasthttp's hook: it tells a connection whether it is between two
// requests.
func connState(c net.Conn, state fasthttp.ConnState) {
	switch state {
	case fasthttp.StateActive:
		c.(*conn).idle = false
	case fasthttp.StateIdle:
		c.(*conn).idle = true
	}
}

// headEnd ends the head of a request.
var headEnd = []byte("\r\n\r\n")

// headBytes is how much of a head is kept for a parked connection. A longer one
// leaves the lot before it is complete.
const headBytes = 512

// listen returns when the head of a request is there, or as much of it as is
// kept. A client that begins a request has a time limit for its head.
func (c *conn) listen() error {
	if err := c.Conn.SetReadDeadline(time.Now().Add(c.lot.limits.idle)); err != nil {
		return err
	}
	var first [1]byte
	if _, err := io.ReadFull(c.Conn, first[:]); err != nil {
		return err
	}
	if err := c.Conn.SetReadDeadline(time.Now().Add(c.lot.limits.read)); err != nil {
		return err
	}
	c.head = append(make([]byte, 0, headBytes), first[0])
	for len(c.head) < headBytes && !bytes.Contains(c.head, headEnd) {
		n, err := c.Conn.Read(c.head[len(c.head):headBytes])
		c.head = c.head[:len(c.head)+n]
		var network net.Error
		if errors.As(err, &network) && network.Timeout() {
			c.refuse(tooSlowly())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Limits of what a client may still send after an answer that ended its
// connection.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 16 << 20
)

// Read gives what the lot has read first.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		if c.head = c.head[n:]; len(c.head) == 0 {
			c.head = nil
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if err != nil {
		c.failed(n, err)
	}
	return n, err
}

func (c *conn) failed(n int, err error) {
	switch {
	case n == 0 && c.idle && errors.Is(err, os.ErrDeadlineExceeded):
		c.silent.Store(true)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		c.ended.Store(true)
	}
}

// Close parks a connection that was only silent, and closes any other one.
func (c *conn) Close() error {
	if c.silent.CompareAndSwap(true, false) {
		c.idle = false
		c.lot.park(c)
		return nil
	}
	if !c.gone.CompareAndSwap(false, true) {
		return nil
	}
	if !c.ended.Load() && !c.lot.isClosed() {
		c.linger()
	}
	c.lot.leave(c)
	return nil
}

// linger lets the client read the last answer: if the connection were closed
// while bytes are still coming in, the system would reset it, and the answer
// could be lost on the way.
func (c *conn) linger() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes) // how it ends does not matter
}

// refuse answers without having read a request.
func (c *conn) refuse(p *problem) {
	if c.Conn.SetWriteDeadline(time.Now().Add(time.Second)) != nil {
		return
	}
	body := append(appendProblem(nil, p), '\n')
	retry := ""
	if seconds := p.retrySeconds(); seconds > 0 {
		retry = fmt.Sprintf("Retry-After: %d\r\n", seconds)
	}
	_, _ = fmt.Fprintf(c.Conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s",
		p.status(), kinds[p.kind].title, mediaProblem, len(body), retry, body) // the client may be gone
}
