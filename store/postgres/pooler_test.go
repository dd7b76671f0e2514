package postgres_test

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// pooler is a connection pooler: it greets clients itself, and gives each of their
// transactions, or all of a session, a connection to the server.
type pooler struct {
	t       testing.TB
	direct  string
	session bool                      // a client keeps its connection until it goes
	single  bool                      // it takes no transactions of several statements
	idle    chan *pgconn.HijackedConn // connections that are free
}

// pooled returns the URL of a pooler before the server at a URL.
func pooled(t testing.TB, direct, mode string) string {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pooler{t: t, direct: direct, session: mode == "session", single: mode == "statement", idle: make(chan *pgconn.HijackedConn, 8)}
	for range cap(p.idle) {
		p.idle <- p.connect()
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

// connect returns a connection to the server.
func (p *pooler) connect() *pgconn.HijackedConn {
	c, err := pgconn.Connect(p.t.Context(), p.direct)
	if err != nil {
		p.t.Fatal(err)
	}
	h, err := c.Hijack()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { h.Conn.Close() })
	return h
}

// serve passes on what a client says, and what the server answers.
func (p *pooler) serve(conn net.Conn) {
	defer conn.Close()
	client := pgproto3.NewBackend(conn, conn)
	if _, err := client.ReceiveStartupMessage(); err != nil {
		return
	}
	client.Send(&pgproto3.AuthenticationOk{})
	client.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	client.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	client.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if client.Flush() != nil {
		return
	}
	var server *pgconn.HijackedConn
	defer func() {
		if server != nil {
			p.idle <- server
		}
	}()
	for {
		m, err := client.Receive()
		if err != nil {
			return
		}
		if _, leaves := m.(*pgproto3.Terminate); leaves {
			return
		}
		if q, ok := m.(*pgproto3.Query); ok && p.single && strings.HasPrefix(q.String, "BEGIN") {
			client.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "08P01", Message: "transaction blocks not allowed in statement pooling mode"})
			_ = client.Flush()
			return
		}
		if server == nil {
			server = <-p.idle
		}
		server.Frontend.Send(m)
		switch m.(type) {
		case *pgproto3.Sync, *pgproto3.Query:
		default:
			continue
		}
		if server.Frontend.Flush() != nil {
			return
		}
		for ready := false; !ready; {
			m, err := server.Frontend.Receive()
			if err != nil {
				return
			}
			client.Send(m)
			if r, ok := m.(*pgproto3.ReadyForQuery); ok {
				if ready = true; r.TxStatus == 'I' && !p.session {
					p.idle <- server
					server = nil
				}
			}
		}
		if client.Flush() != nil {
			return
		}
	}
}

// TestPoolerOfTransactions: a pooler that mixes sessions up is refused by name, one
// that keeps them apart is as good as the server.
func TestPoolerOfTransactions(t *testing.T) {
	direct := pgtest.Database(t)
	for _, mode := range []string{"transaction", "statement"} {
		_, err := postgres.Open(t.Context(), pooled(t, direct, mode), postgres.Options{})
		if fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(err), "PgBouncer with pool_mode = transaction") {
			t.Errorf("pooler of a %s: got %v", mode, err)
		}
	}
	s := open(t, pooled(t, direct, "session"))
	p := claim(t, s, "a")
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{p.next()}); errs != nil || err != nil {
		t.Errorf("through a pooler of sessions: %v, %v", errs, err)
	}
	s.Close()
}
