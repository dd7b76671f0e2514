package client

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

// Dialers bounds how many connections are opened at once, below what a listener
// queues.
const Dialers = 64

// connsOfSource is how many connections one source address opens: the system has
// about 28,000 ports for outgoing connections of one address.
const connsOfSource = 20_000

// dialer opens connections to one host:port, and knows those that are open. To a
// loopback address it spreads them over as many source addresses (127.0.0.2 and
// the following) as it needs.
type dialer struct {
	addr    string
	sources []net.Addr // nil: the system chooses
	slots   chan struct{}
	next    atomic.Uint32
	hung    atomic.Bool // hangup was called

	mu   sync.Mutex
	open map[*conn]struct{} // guarded by mu
	kept []net.Conn         // guarded by mu; opened beforehand, for take
}

// newDialer returns a dialer for at most conns connections.
func newDialer(addr string, conns int) *dialer {
	d := &dialer{addr: addr, slots: make(chan struct{}, Dialers), open: map[*conn]struct{}{}}
	if n := (conns + connsOfSource - 1) / connsOfSource; n > 1 && isLoopback(addr) {
		for i := range n {
			d.sources = append(d.sources, &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i))})
		}
	}
	return d
}

// hostClient returns a client that opens at most conns of them.
func (d *dialer) hostClient(conns int) *fasthttp.HostClient {
	return &fasthttp.HostClient{
		Addr: d.addr, MaxConns: conns, MaxConnWaitTimeout: AnswerTime,
		Dial:                      func(string) (net.Conn, error) { return d.take(context.Background()) },
		MaxIdemponentCallAttempts: 1, MaxResponseBodySize: 256 << 20, NoDefaultUserAgentHeader: true,
		RetryIfErr: func(*fasthttp.Request, int, error) (bool, bool) { return false, false },
	}
}

// isLoopback reports whether a host:port is on 127.0.0.0/8. A name is asked for.
func isLoopback(addr string) bool {
	tcp, err := net.ResolveTCPAddr("tcp4", addr)
	return err == nil && tcp.IP.IsLoopback()
}

// dial opens a connection.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	d.slots <- struct{}{}
	defer func() { <-d.slots }()
	how, network := net.Dialer{Timeout: AnswerTime}, "tcp"
	if n := uint32(len(d.sources)); n > 0 {
		how.LocalAddr, network = d.sources[d.next.Add(1)%n], "tcp4"
	}
	c, err := how.DialContext(ctx, network, d.addr)
	if err != nil {
		return nil, err
	}
	own := &conn{Conn: c, dialer: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[own] = struct{}{}
	return own, nil
}

// keep opens connections beforehand, which [dialer.take] hands out.
func (d *dialer) keep(ctx context.Context, n int) error {
	conns, err := d.many(ctx, n)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = append(d.kept, conns...)
	return err
}

// take returns a connection that was opened beforehand, or a new one.
func (d *dialer) take(ctx context.Context) (net.Conn, error) {
	d.mu.Lock()
	if last := len(d.kept) - 1; last >= 0 {
		c := d.kept[last]
		d.kept = d.kept[:last]
		d.mu.Unlock()
		return c, nil
	}
	d.mu.Unlock()
	return d.dial(ctx)
}

// drop closes the connections that were opened beforehand and not taken.
func (d *dialer) drop() {
	d.mu.Lock()
	kept := d.kept
	d.kept = nil
	d.mu.Unlock()
	for _, c := range kept {
		c.Close()
	}
}

// hangup closes all connections for good.
func (d *dialer) hangup() {
	d.hung.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		c.Conn.Close()
	}
	clear(d.open)
}

// conn is a connection that its dialer knows until it is closed.
type conn struct {
	net.Conn
	dialer *dialer
}

// Close closes the connection.
func (c *conn) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.open, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}

// Dial opens n connections to a host:port. Those that were opened before an error
// are returned with it.
func Dial(ctx context.Context, addr string, n int) ([]net.Conn, error) {
	return newDialer(addr, n).many(ctx, n)
}

// many opens n connections, some at a time.
func (d *dialer) many(ctx context.Context, n int) ([]net.Conn, error) {
	conns := make([]net.Conn, n)
	errs := make([]error, Dialers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range Dialers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[w] == nil; i = int(next.Add(1)) - 1 {
				conns[i], errs[w] = d.dial(ctx)
			}
		})
	}
	wg.Wait()
	var opened []net.Conn
	for _, conn := range conns {
		if conn != nil {
			opened = append(opened, conn)
		}
	}
	return opened, errors.Join(errs...)
}
