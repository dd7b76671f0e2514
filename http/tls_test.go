package http_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	keystore "fairfactor/store/memory"
)

// signed makes a certificate with its key for some names, signed by parent, or an
// authority's own if that is nil.
func signed(t *testing.T, parent *tls.Certificate, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names[1:], IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: parent == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	by, signer := c, any(key)
	if parent != nil {
		by, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// secure is a server that speaks TLS, and its authority.
type secure struct {
	*service
	authority tls.Certificate
	pool      *x509.CertPool
}

func startSecure(t *testing.T, change func(*httpd.Config)) *secure {
	t.Helper()
	s := &secure{authority: signed(t, nil, "authority"), pool: x509.NewCertPool()}
	s.pool.AddCert(s.authority.Leaf)
	s.service = startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.TLS = &tls.Config{
			Certificates: []tls.Certificate{signed(t, &s.authority, "node")}, NextProtos: []string{"http/1.1"},
			ClientCAs: s.pool, ClientAuth: tls.VerifyClientCertIfGiven,
		}
		if change != nil {
			change(&cfg)
		}
		return httpd.New(cfg)
	})
	return s
}

// client trusts the authority, and shows a certificate if one is given.
func (s *secure) client(t *testing.T, mine ...tls.Certificate) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.pool, Certificates: mine}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func (s *secure) get(t *testing.T, c *http.Client, path string) *answer {
	t.Helper()
	resp, err := c.Get("https://" + s.addr + path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := readBody(resp)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Everything that a connection does, it does with TLS too: requests one after the
// other, a pause in which it is parked, a long poll, a batch.
func TestTLS(t *testing.T) {
	s := startSecure(t, nil)
	c := s.client(t)
	post := func(path, body string) *answer {
		req, err := http.NewRequest("POST", "https://"+s.addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Caller-ID", "alice")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		a, err := readBody(resp)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := post("/compute", `{"number":"91"}`)
	if a.status != 202 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	id, err := fairfactor.ParseID(a.text("request_id"))
	if err != nil {
		t.Fatal(err)
	}
	polled := make(chan *answer, 1)
	go func() { polled <- s.get(t, c, "/compute/"+id.String()+"?wait=60") }()
	eventually(t, "the poll waits", func() bool { return s.jobs.polls() > 0 })
	s.jobs.finish(id, fairfactor.Completed, nil, "")
	if a := <-polled; a.text("status") != "completed" {
		t.Errorf("the poll: %d %s", a.status, a.body)
	}
	if a := post("/compute/batch", strings.Repeat("{\"number\":\"7\"}\n", 5000)); a.status != 200 || strings.Count(a.body, "\n") != 5000 {
		t.Errorf("the batch: %d, %d lines", a.status, strings.Count(a.body, "\n"))
	}
}

// A connection that is parked after a pause goes on with the same TLS.
func TestTLSConnectionIsParked(t *testing.T) {
	s := startSecure(t, nil)
	conn, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: s.pool, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for range 2 {
		if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: node\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if a, err := readWhole(r, "GET"); err != nil || a.status != 200 {
			t.Fatal(a, err)
		}
		eventually(t, "the connection is parked", func() bool {
			resp := s.get(t, s.client(t), "/metrics")
			return strings.Contains(resp.body, `fairfactor_http_connections{state="idle"} 1`)
		})
	}
}

func TestPlainTextToTLS(t *testing.T) {
	s := startSecure(t, nil)
	a, err := s.raw("GET", "/livez")
	if err != nil {
		t.Fatal(err)
	}
	a.problem(t, "plain text", 400, "bad-request")
	if !strings.Contains(a.body, "https://") {
		t.Errorf("it does not say what to do: %s", a.body)
	}
	silent, err := net.Dial("tcp", s.addr) // costs the others nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if a := s.get(t, s.client(t), "/livez"); a.status != 200 {
		t.Errorf("next to a silent connection: %d", a.status)
	}
}

// Clients may prove who they are by a certificate instead of a key.
func TestClientCertificates(t *testing.T) {
	s := startSecure(t, func(cfg *httpd.Config) {
		ring, err := httpd.OpenKeyring(t.Context(), keystore.NewKeys(), httpd.KeyringOptions{Always: true})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Keys = ring
		for _, text := range []string{"ops.example.com=operator", "grafana=viewer", "batch=caller:team-*"} {
			role, err := httpd.ParseCertificateRole(text)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Certificates = append(cfg.Certificates, role)
		}
	})
	stranger := signed(t, nil, "foreign authority")
	for name, want := range map[string][4]int{ // GET /nodes, /keys, /compute?caller_id=team-a, other
		"":                    {401, 401, 401, 401},
		"unknown":             {401, 401, 401, 401},
		"x,ops.example.com":   {200, 200, 200, 200},
		"grafana":             {200, 403, 200, 200},
		"batch,a.example.com": {403, 403, 200, 403},
	} {
		var mine []tls.Certificate
		if name != "" {
			mine = append(mine, signed(t, &s.authority, strings.Split(name, ",")...))
		}
		c := s.client(t, mine...)
		for i, path := range []string{"/nodes", "/keys", "/compute?caller_id=team-a", "/compute?caller_id=other"} {
			if a := s.get(t, c, path); a.status != want[i] {
				t.Errorf("%q asks for %s: %d, want %d: %s", name, path, a.status, want[i], a.body)
			}
		}
	}
	c := s.client(t, signed(t, &stranger, "ops.example.com"))
	// Go's client shows no certificate that the server's authorities have not signed.
	c.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		forged := signed(t, &stranger, "ops.example.com")
		return &forged, nil
	}
	if resp, err := c.Get("https://" + s.addr + "/nodes"); err == nil {
		resp.Body.Close()
		t.Errorf("a certificate of another authority: %d", resp.StatusCode)
	}
	for _, text := range []string{"", "a", "=viewer", "a=admin", "a=caller", "a=viewer:x", "a=caller:?"} {
		if role, err := httpd.ParseCertificateRole(text); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%q: %+v, %v", text, role, err)
		}
	}
}

// New certificates count for new connections, and no request is lost meanwhile.
func TestTLSReloadDropsNoRequest(t *testing.T) {
	current := make(chan *tls.Config, 1)
	s := startSecure(t, func(cfg *httpd.Config) {
		current <- cfg.TLS
		cfg.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c := <-current
			current <- c
			return c, nil
		}}
	})
	stop, served := make(chan struct{}), make(chan error, 4)
	for i := range 4 {
		go func() {
			c := s.client(t)
			for n := 0; ; n++ {
				select {
				case <-stop:
					served <- nil
					return
				default:
				}
				resp, err := c.Get("https://" + s.addr + "/livez")
				if err != nil {
					served <- fmt.Errorf("client %d, request %d: %w", i, n, err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if n%5 == i {
					c.CloseIdleConnections()
				}
			}
		}()
	}
	shown := func() string {
		conn, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: s.pool, ServerName: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	for i := range 20 {
		next := (<-current).Clone()
		name := fmt.Sprintf("node %d", i)
		next.Certificates = []tls.Certificate{signed(t, &s.authority, name)}
		current <- next
		if got := shown(); got != name {
			t.Errorf("a new connection shows %q, want %q", got, name)
		}
	}
	close(stop)
	for range 4 {
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}
