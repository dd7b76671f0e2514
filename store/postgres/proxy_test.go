package postgres_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a store and its server and does what networks do: it loses
// what one says to the other.
type proxy struct {
	t      testing.TB
	l      net.Listener
	server string
	tasks  sync.WaitGroup

	messages atomic.Int64         // that came from clients
	before   func(message []byte) // called before each is passed on, nil for nothing

	mu    sync.Mutex
	down  bool              // guarded by mu: connections are refused
	conns map[net.Conn]bool // guarded by mu
	armed func(c *crossing) // guarded by mu: what happens to the next commit
}

// crossing is a message with a commit on its way to the server.
type crossing struct {
	message        []byte
	client, server net.Conn
	answers        *answers
}

// answers is what the server says on one connection, as long as the client gets to
// hear it.
type answers struct {
	lost chan struct{} // closed when nothing is to be passed on any more
	came chan struct{} // closed when something was not passed on
}

// pass passes on what the server says.
func (a *answers) pass(client, server net.Conn) {
	for buffer := make([]byte, 1<<16); ; {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		select {
		case <-a.lost:
			select {
			case <-a.came:
			default:
				close(a.came)
			}
		default:
			_, _ = client.Write(buffer[:n])
		}
	}
}

// lose passes a commit on and closes the client's connection when the server has
// answered, which the client does not get to hear.
func (c *crossing) lose(t *testing.T) {
	close(c.answers.lost)
	if _, err := c.server.Write(c.message); err != nil {
		t.Errorf("the commit was not passed on: %v", err)
	}
	<-c.answers.came
	c.client.Close()
}

// behind returns a proxy before the server at a URL, and the URL of the proxy.
func behind(t testing.TB, direct string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, l: l, server: u.Host, conns: map[net.Conn]bool{}}
	p.tasks.Go(p.accept)
	t.Cleanup(func() {
		p.cut()
		l.Close()
		p.tasks.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		p.mu.Lock()
		if err != nil || p.down {
			client.Close()
			if err == nil {
				server.Close()
			}
			p.mu.Unlock()
			continue
		}
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		a := &answers{lost: make(chan struct{}), came: make(chan struct{})}
		p.tasks.Go(func() {
			a.pass(client, server)
			client.Close()
			server.Close()
		})
		p.tasks.Go(func() { p.requests(client, server, a) })
	}
}

// requests passes on what the client says. A client prepares the statements of a
// group first and commits with the message that follows.
func (p *proxy) requests(client, server net.Conn, a *answers) {
	defer server.Close()
	prepared := false
	for buffer := make([]byte, 1<<16); ; {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		p.messages.Add(1)
		message := bytes.Clone(buffer[:n])
		if p.before != nil {
			p.before(message)
		}
		p.mu.Lock()
		act := p.armed
		if !prepared {
			act = nil
		} else if act != nil {
			p.armed = nil
		}
		p.mu.Unlock()
		prepared = prepared || bytes.Contains(message, []byte("UPDATE fairfactor.writers SET last = $4, place"))
		if act != nil {
			act(&crossing{message, client, server, a})
			return
		}
		if _, err := server.Write(message); err != nil {
			client.Close()
			return
		}
	}
}

// onCommit has act done to the first commit of the next new connection, which ends
// with it.
func (p *proxy) onCommit(act func(c *crossing)) {
	p.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.armed = false, act
}

// cut ends all connections and refuses new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

// heal lets connections through again.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
