package fleet

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is one node's way to the store: a TCP proxy that can be cut, healed and
// made slow. Cut, it behaves as a network does that drops every packet: nothing
// moves, no connection breaks, and what was under way arrives after the healing.
type Proxy struct {
	listener net.Listener
	target   string
	delay    atomic.Int64 // nanoseconds that each piece of data waits on its way to the store

	gate  sync.RWMutex // write-locked while the link is cut
	isCut atomic.Bool  // whether it is

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu; nil when closed
	moves sync.WaitGroup
}

// newProxy listens on a free port of an address and forwards to a target.
func newProxy(host, target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	l := &Proxy{listener: listener, target: target, conns: map[net.Conn]bool{}}
	l.moves.Go(l.accept)
	return l, nil
}

// addr is what the node connects to.
func (l *Proxy) addr() string { return l.listener.Addr().String() }

func (l *Proxy) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		if !l.keep(near) {
			return
		}
		l.moves.Go(func() { l.serve(near) })
	}
}

// keep remembers a connection for close; it is false after close.
func (l *Proxy) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		c.Close()
		return false
	}
	l.conns[c] = true
	return true
}

func (l *Proxy) drop(c net.Conn) {
	c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// serve connects a node with the store until one of them hangs up.
func (l *Proxy) serve(near net.Conn) {
	defer l.drop(near)
	l.pass()
	far, err := net.Dial("tcp", l.target)
	if err != nil || !l.keep(far) {
		return // the node sees a connection that ends at once
	}
	defer l.drop(far)
	var both sync.WaitGroup
	both.Go(func() { l.move(far, near, &l.delay) })
	both.Go(func() { l.move(near, far, nil) })
	both.Wait()
}

// pass returns at once, or when a cut link heals.
func (l *Proxy) pass() {
	l.gate.RLock()
	//lint:ignore SA2001 the lock is a gate: there is nothing to guard behind it
	l.gate.RUnlock()
}

// move copies until either side is closed, then closes both.
func (l *Proxy) move(to, from net.Conn, delay *atomic.Int64) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if delay != nil {
				time.Sleep(time.Duration(delay.Load()))
			}
			l.pass()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil { // io.EOF, or the other direction closed it
			return
		}
	}
}

// Cut stops everything; it does nothing to a link that is cut.
func (l *Proxy) Cut() {
	if l.isCut.CompareAndSwap(false, true) {
		l.gate.Lock()
	}
}

// Heal ends cut and slow.
func (l *Proxy) Heal() {
	l.delay.Store(0)
	if l.isCut.CompareAndSwap(true, false) {
		l.gate.Unlock()
	}
}

// Slow makes each piece of data wait on its way to the store.
func (l *Proxy) Slow(d time.Duration) { l.delay.Store(int64(d)) }

// close ends all connections.
func (l *Proxy) close() {
	l.listener.Close()
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		c.Close()
	}
	l.Heal()
	l.moves.Wait()
}
