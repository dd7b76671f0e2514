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

	gate  sync.RWMutex // write-locked while the proxy is cut
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
	p := &Proxy{listener: listener, target: target, conns: map[net.Conn]bool{}}
	p.moves.Go(p.accept)
	return p, nil
}

// addr is what the node connects to.
func (p *Proxy) addr() string { return p.listener.Addr().String() }

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		if !p.keep(near) {
			return
		}
		p.moves.Go(func() { p.serve(near) })
	}
}

// keep remembers a connection for close; it is false after close.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// serve connects a node with the store until one of them hangs up.
func (p *Proxy) serve(near net.Conn) {
	defer p.drop(near)
	p.pass()
	far, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(far) {
		return // the node sees a connection that ends at once
	}
	defer p.drop(far)
	var both sync.WaitGroup
	both.Go(func() { p.move(far, near, &p.delay) })
	both.Go(func() { p.move(near, far, nil) })
	both.Wait()
}

// pass returns at once, or when a cut proxy heals.
func (p *Proxy) pass() {
	p.gate.RLock()
	//lint:ignore SA2001 the lock is a gate: there is nothing to guard behind it
	p.gate.RUnlock()
}

// move copies until either side is closed, then closes both.
func (p *Proxy) move(to, from net.Conn, delay *atomic.Int64) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if delay != nil {
				time.Sleep(time.Duration(delay.Load()))
			}
			p.pass()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil { // io.EOF, or the other direction closed it
			return
		}
	}
}

// Cut stops everything; it does nothing to a proxy that is cut.
func (p *Proxy) Cut() {
	if p.isCut.CompareAndSwap(false, true) {
		p.gate.Lock()
	}
}

// Heal ends cut and slow.
func (p *Proxy) Heal() {
	p.delay.Store(0)
	if p.isCut.CompareAndSwap(true, false) {
		p.gate.Unlock()
	}
}

// Slow makes each piece of data wait on its way to the store.
func (p *Proxy) Slow(d time.Duration) { p.delay.Store(int64(d)) }

// close ends all connections.
func (p *Proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	conns := p.conns
	p.conns = nil
	p.mu.Unlock()
	for c := range conns {
		c.Close()
	}
	p.Heal()
	p.moves.Wait()
}
