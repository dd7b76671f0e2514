package cluster_test

import (
	"context"
	"net"
	"sync"
	"time"

	"fairfactor/cluster"

	"github.com/hashicorp/memberlist"
)

// faults stands between a node and the network: what the node sends to some
// addresses doesn't arrive. Packets are lost; what is written to a connection
// waits until it is over, as TCP would have it, and nothing is dialed meanwhile.
type faults struct {
	mu  sync.Mutex
	cut map[string]chan struct{} // guarded by mu: by address, closed when it is over
}

func newFaults(c *cluster.Config) *faults {
	f := &faults{cut: make(map[string]chan struct{})}
	c.Through(f.dial, func(m *memberlist.Config) {
		inner, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
			BindAddrs: []string{m.BindAddr}, BindPort: m.BindPort, Logger: m.Logger,
		})
		if err != nil {
			panic(err)
		}
		if m.BindPort == 0 {
			m.BindPort = inner.GetAutoBindPort()
			m.AdvertisePort = m.BindPort
		}
		m.Transport = &faultyTransport{inner, f}
	})
	return f
}

// set cuts off exactly these addresses from now on.
func (f *faults) set(addresses []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cut {
		close(c)
	}
	f.cut = make(map[string]chan struct{})
	for _, a := range addresses {
		f.cut[a] = make(chan struct{})
	}
}

// to returns what ends the fault on the way to an address, nil without a fault.
func (f *faults) to(address string) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cut[address]
}

func (f *faults) dial(ctx context.Context, address string) (net.Conn, error) {
	if over := f.to(address); over != nil {
		select {
		case <-over:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: c, faults: f, address: address, closed: make(chan struct{})}, nil
}

type faultyConn struct {
	net.Conn
	faults  *faults
	address string
	once    sync.Once
	closed  chan struct{}
}

func (c *faultyConn) Write(b []byte) (int, error) {
	for over := c.faults.to(c.address); over != nil; over = c.faults.to(c.address) {
		select {
		case <-over:
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
	return c.Conn.Write(b)
}

func (c *faultyConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// faultyTransport carries gossip.
type faultyTransport struct {
	*memberlist.NetTransport
	faults *faults
}

func (t *faultyTransport) WriteTo(b []byte, address string) (time.Time, error) {
	if t.faults.to(address) != nil {
		return time.Now(), nil
	}
	return t.NetTransport.WriteTo(b, address)
}

func (t *faultyTransport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	if t.faults.to(a.Addr) != nil {
		return time.Now(), nil
	}
	return t.NetTransport.WriteToAddress(b, a)
}

func (t *faultyTransport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return t.faults.dial(ctx, address)
}

func (t *faultyTransport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(a.Addr, timeout)
}
