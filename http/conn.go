package http

import (
	"bytes"
	"container/list"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// conn is a connection that is parked instead of being closed when it has been
// silent for a while, and that keeps its own deadlines: moving those of the
// socket three times a request costs more than the rest of the server.
type conn struct {
	net.Conn
	owner *connections
	head  []byte // read while it was parked, not yet taken by the server
	peer  string // address of the client without its port, empty until someone asks

	secure *tls.Conn          // Conn, if that is TLS
	shaken bool               // TLS has begun
	as     *fairfactor.APIKey // what the client's certificate stands for, nil for nothing

	// These belong to the goroutine that serves the connection. Times count from
	// connections.begun; zero is never.
	idle       bool          // between two requests
	readBy     time.Duration // end of the phase that it is in
	readArmed  time.Duration // read deadline of the socket: never after readBy
	writeArmed time.Duration // write deadline of the socket
	ownWrite   bool          // a handler has set a write deadline
	detached   func()        // what goes on with the connection after fasthttp has let go of it

	// What it has of the budget of answers, whose lock guards it; held is read without.
	held    atomic.Int64
	place   *list.Element // among those that send, nil if it is not
	since   int64         // it has had something to send, in nanoseconds since 1970
	closing bool          // it was closed to make room

	ownRead atomic.Bool // a handler has set a read deadline
	// silent is set when the time between two requests ran out.
	silent atomic.Bool
	ended  atomic.Bool // the client has sent all it will ever send
	gone   atomic.Bool // closed for good
}

// connState is fasthttp's hook: it tells a connection whether it is between two
// requests.
func connState(nc net.Conn, state fasthttp.ConnState) {
	c := nc.(*conn)
	c.letGo()
	switch state {
	case fasthttp.StateActive:
		c.idle = false
		c.mayReadFor(c.owner.limits.read)
	case fasthttp.StateIdle:
		c.idle = true
		c.mayReadFor(c.owner.limits.park)
	}
}

func (c *conn) elapsed() time.Duration { return time.Since(c.owner.begun) }

// mayReadFor begins a phase in which the client may let the server wait for that
// long. If the socket's deadline comes before, it stays: Read moves it then.
func (c *conn) mayReadFor(limit time.Duration) {
	c.readBy = c.elapsed() + limit
	if c.readArmed == 0 || c.readArmed > c.readBy {
		c.armRead()
	}
}

func (c *conn) armRead() {
	c.readArmed = c.readBy
	_ = c.Conn.SetReadDeadline(c.owner.begun.Add(c.readBy)) // the next read tells what is wrong
}

// SetReadDeadline replaces the connection's own deadline until it is called with
// the zero time. It may be called while another goroutine reads.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.ownRead.Store(!t.IsZero())
	if t.IsZero() {
		c.readArmed = 0
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline replaces the connection's own deadline until it is called
// with the zero time.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.ownWrite, c.writeArmed = !t.IsZero(), 0
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline sets both.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Read gives what was read while the connection was parked first.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		if c.head = c.head[n:]; len(c.head) == 0 {
			c.head = nil
		}
		return n, nil
	}
	if c.detached != nil {
		return 0, errDetached
	}
	for {
		n, err := c.Conn.Read(p)
		if err == nil {
			return n, nil
		}
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && !c.ownRead.Load() && c.elapsed() < c.readBy {
			c.armRead()
			continue
		}
		c.failed(n, err)
		return n, err
	}
}

func (c *conn) failed(n int, err error) {
	switch {
	case n == 0 && c.idle && errors.Is(err, os.ErrDeadlineExceeded):
		c.silent.Store(true)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		c.ended.Store(true)
	}
}

// Write gives the client between half of the limit and all of it to take p.
func (c *conn) Write(p []byte) (int, error) {
	if !c.ownWrite {
		limit, now := c.owner.limits.write, c.elapsed()
		if c.writeArmed < now+limit/2 {
			c.writeArmed = now + limit
			if err := c.Conn.SetWriteDeadline(c.owner.begun.Add(c.writeArmed)); err != nil {
				return 0, err
			}
		}
	}
	return c.Conn.Write(p)
}

// errDetached ends the reading of what fasthttp has buffered.
var errDetached = errors.New("the connection waits")

// Close parks a connection that was only silent, hands one that was detached to
// its new owner, and closes any other one.
func (c *conn) Close() error {
	c.letGo()
	if goOn := c.detached; goOn != nil {
		c.detached = nil
		goOn()
		return nil
	}
	if c.silent.CompareAndSwap(true, false) {
		c.idle = false
		c.owner.park(c)
		return nil
	}
	if !c.gone.CompareAndSwap(false, true) {
		return nil
	}
	if !c.ended.Load() && !c.owner.isClosed() {
		c.linger()
	}
	c.owner.leave(c)
	return nil
}

// headEnd ends the head of a request.
var headEnd = []byte("\r\n\r\n")

// headBytes is how much of a head is kept for a parked connection. A connection
// with a longer head goes on before it is complete.
const headBytes = 512

// listen returns when the head of a request is there, or as much of it as is
// kept. A client that begins a request has a time limit for its head.
func (c *conn) listen() error {
	if err := c.shakeHands(); err != nil {
		return err
	}
	if len(c.head) == 0 {
		if err := c.Conn.SetReadDeadline(time.Now().Add(c.owner.limits.idle)); err != nil {
			return err
		}
		c.hurryIfLast()
		var first [1]byte
		if _, err := io.ReadFull(c.Conn, first[:]); err != nil {
			return err
		}
		c.head = append(make([]byte, 0, headBytes), first[0])
	}
	c.readBy = c.elapsed() + c.owner.limits.read
	c.armRead()
	c.hurryIfLast()
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

// hurry gives a parked connection a moment for what its client has sent already.
func (c *conn) hurry() {
	_ = c.Conn.SetReadDeadline(time.Now().Add(c.owner.limits.last)) // the next read tells what is wrong
}

// hurryIfLast does so if the server shuts down; it follows each deadline that is set while
// the connection is parked, so that none comes after that of retire.
func (c *conn) hurryIfLast() {
	if c.owner.retiring.Load() {
		c.hurry()
	}
}

// refuse answers without having read a request.
func (c *conn) refuse(p *problem) {
	if c.secure != nil && !c.shaken || c.Conn.SetWriteDeadline(time.Now().Add(time.Second)) != nil {
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

// peerAddress is the address of the client without its port, and without the
// zone of an IPv6 address.
func (c *conn) peerAddress() string {
	if c.peer == "" {
		c.peer = "unknown"
		if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			c.peer = tcp.AddrPort().Addr().Unmap().WithZone("").String()
		}
	}
	return c.peer
}
