package http

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// connections are the open connections of a server. Those that have nothing to
// say are parked: new ones until the head of their first request is there, and
// others after some time without a request. fasthttp gives each connection a
// worker and buffers, some 25 KB, until it is closed; a parked one costs a
// quarter of that. To fasthttp this is the listener, and a connection that is no
// longer parked is one just accepted.
//
// It also bounds the connections: when too many are open, the one that has been
// parked longest makes room, and only if none is parked the new one is refused.
// So clients that keep connections open, or send heads byte by byte, don't keep
// others out.
type connections struct {
	ln      net.Listener
	log     *slog.Logger
	limits  limits
	tls     *tls.Config // nil for none
	roles   []CertificateRole
	answers *budget   // of their answers
	begun   time.Time // what the connections count their deadlines from

	leftovers leftovers // of requests that were refused

	ready    chan *conn    // those that have a request
	done     chan struct{} // closed by Close
	accepted chan struct{} // closed when nothing more is accepted
	retiring atomic.Bool   // see retire

	mu     sync.Mutex // guards what follows
	open   map[*conn]struct{}
	parked *list.List // of *conn, the longest parked first
	closed bool
	// coming are those that were parked and whose requests are on their way to fasthttp.
	coming int
	still  chan struct{} // closed when there are no such and no parked ones, while retiring

	refused atomic.Uint64 // connections turned away
	evicted atomic.Uint64 // parked ones closed to make room
}

func newConnections(ln net.Listener, bounds limits, answers *budget, log *slog.Logger) *connections {
	return &connections{
		answers: answers, ln: ln, log: log, limits: bounds, begun: time.Now(), ready: make(chan *conn), done: make(chan struct{}), accepted: make(chan struct{}),
		open: map[*conn]struct{}{}, parked: list.New(),
	}
}

// Accept returns the next connection that has a request.
func (l *connections) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, io.EOF // what fasthttp takes for the ordinary end
	}
}

// Addr is the address that is listened on.
func (l *connections) Addr() net.Addr { return l.ln.Addr() }

// Close stops accepting and closes all parked connections; those at work go on.
func (l *connections) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	for e := l.parked.Front(); e != nil; e = e.Next() {
		e.Value.(*conn).cut()
	}
	return l.ln.Close()
}

// retire takes what clients have sent already: connections that the system has accepted, and
// requests that are on their way into a connection. The system would reset these if they were
// just closed, and the client could not tell whether its request was carried out.
// Parked connections that say nothing for a moment are closed. It returns when no
// connection is parked, or ctx ends.
func (l *connections) retire(ctx context.Context) {
	if l.isClosed() || !l.retiring.CompareAndSwap(false, true) {
		return
	}
	until := time.Now().Add(l.limits.last)
	if ln, ok := l.ln.(interface{ SetDeadline(time.Time) error }); ok && ln.SetDeadline(until) == nil {
		select {
		case <-l.accepted:
		case <-ctx.Done():
		}
	}
	l.mu.Lock()
	for e := l.parked.Front(); e != nil; e = e.Next() {
		e.Value.(*conn).hurry()
	}
	still := make(chan struct{})
	l.still = still
	l.settled()
	l.mu.Unlock()
	select {
	case <-still:
	case <-ctx.Done():
	}
}

// settled tells retire when no connection is parked. The lock is held.
func (l *connections) settled() {
	if l.still != nil && l.parked.Len() == 0 && l.coming == 0 {
		close(l.still)
		l.still = nil
	}
}

// closeAll closes the connections that are still open after Close.
func (l *connections) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		c.cut()
	}
}

// count returns how many connections are open, and how many of them parked.
func (l *connections) count() (open, parked int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open), l.parked.Len()
}

// accept takes connections until the listener is closed. When the system runs
// out of something, files for one, it waits and goes on: connections end.
func (l *connections) accept() error {
	defer close(l.accepted)
	pause := time.Duration(0)
	for {
		plain, err := l.ln.Accept()
		if err == nil {
			pause = 0
			l.admit(l.wrap(plain))
			continue
		}
		if l.isClosed() || l.retiring.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		var temporary interface{ Temporary() bool }
		if !errors.As(err, &temporary) || !temporary.Temporary() {
			l.Close()
			return fmt.Errorf("accepting connections on %s: %w", l.Addr(), err)
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		l.log.Warn("no connection can be accepted now", "err", err)
		select {
		case <-time.After(pause):
		case <-l.done:
		}
	}
}

func (l *connections) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

func (l *connections) wrap(plain net.Conn) *conn {
	boundUnsent(plain)
	c := &conn{Conn: plain, owner: l}
	if l.tls != nil {
		c.secure = tls.Server(plain, l.tls)
		c.Conn = c.secure
	}
	return c
}

// admit lets a new connection in, if need be in the place of a parked one.
func (l *connections) admit(c *conn) {
	l.mu.Lock()
	if len(l.open) >= l.limits.connections && !l.evict() {
		l.mu.Unlock()
		l.refused.Add(1)
		c.refuse(refuse(notNow, fmt.Sprintf("this node has all the %d connections that it takes: try again, or another node", l.limits.connections), count("max_connections", l.limits.connections)))
		c.cut()
		return
	}
	l.open[c] = struct{}{}
	l.mu.Unlock()
	l.park(c)
}

// evict closes the connection that has been parked for the longest time. The
// lock is held.
func (l *connections) evict() bool {
	oldest := l.parked.Front()
	if oldest == nil {
		return false
	}
	c := l.parked.Remove(oldest).(*conn)
	l.evicted.Add(1)
	delete(l.open, c)
	c.cut()
	return true
}

// park keeps a connection until the head of a request is there.
func (l *connections) park(c *conn) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		l.leave(c)
		return
	}
	place := l.parked.PushBack(c)
	l.mu.Unlock()
	go func() {
		err := c.listen()
		l.mu.Lock()
		l.parked.Remove(place) // does nothing if it was evicted
		l.coming++
		l.mu.Unlock()
		if err == nil {
			select {
			case l.ready <- c:
			case <-l.done:
				err = io.EOF
			}
		}
		l.mu.Lock()
		l.coming--
		l.settled()
		l.mu.Unlock()
		if err != nil {
			l.leave(c)
		}
	}()
}

// leave closes a connection for good.
func (l *connections) leave(c *conn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	c.Conn.Close()
}
