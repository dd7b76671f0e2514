package cluster_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/cluster"
)

// certificates makes an authority and a certificate for a cluster and returns
// where they are.
func certificates(t testing.TB, name string, now time.Time) string {
	t.Helper()
	dir := t.TempDir()
	if err := cluster.MakeCertificates(dir, name, nil, now); err != nil {
		t.Fatal(err)
	}
	return dir
}

// identity reads the certificate in one directory and the authority in another.
func identity(t testing.TB, node, authority string) *cluster.TLS {
	t.Helper()
	id, err := loadIdentity(node, authority)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func loadIdentity(node, authority string) (*cluster.TLS, error) {
	return cluster.LoadTLS(filepath.Join(node, cluster.CertificateFile), filepath.Join(node, cluster.KeyFile),
		filepath.Join(authority, cluster.AuthorityFile))
}

// lines is a log that can be looked at while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.buf.String(), text)
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Members with certificates of one authority talk; a node without one is not let
// in, and its requests find no member.
func TestMembersProveWhoTheyAre(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	var said lines
	dir := certificates(t, "fairfactor", time.Now())
	c := config(log.see)
	c.TLS, c.Logger = identity(t, dir, dir), said.logger()
	a := start(t, c)
	b := spawn(t, &log, settings{join: gossipOf(a), certs: dir})
	members(t, 2, a)
	if got, err := ask(t, a, ownedBy(t, a, b.id), "hello"); err != nil || !strings.HasSuffix(got, "@"+b.id+" hello") {
		t.Errorf("%q %v", got, err)
	}
	if got, want := b.do("ask", ownedBy(t, a, a.ID()), "hello", "10s"), "@"+a.ID()+" hello"; !strings.HasSuffix(got, want) {
		t.Errorf("%q", got)
	}
	plain := spawn(t, &log, settings{join: gossipOf(a), settle: 100 * time.Millisecond}) // gossip has no key here
	eventually(t, func() bool { return a.Owner("echo", "x") != "" && len(a.View().Members) == 3 })
	// On a busy machine a second may be over before the connection is tried: ask again then.
	eventually(t, func() bool {
		if got := plain.do("ask", ownedBy(t, a, a.ID()), "hello", "1s"); !strings.HasPrefix(got, "error") {
			t.Errorf("a node without a certificate got %q", got)
		}
		return said.has("connection of a peer refused")
	})
}

// A peer without a certificate of this authority, for this cluster, now, is
// refused on both sides, and the log says why.
func TestStrangersAreRefused(t *testing.T) {
	now := time.Now()
	ours, foreign := certificates(t, "fairfactor", now), certificates(t, "fairfactor", now)
	good := identity(t, ours, ours)
	for name, tt := range map[string]struct {
		made    time.Time
		cluster string
		want    string // in the node's log
	}{
		"other authority": {now, "fairfactor", "no authority in --tls-ca has signed it"},
		"expired":         {now.Add(-2 * cluster.CertificateLife), "fairfactor", "it has expired or is not valid yet"},
		"not valid yet":   {now.Add(time.Hour), "fairfactor", "it has expired or is not valid yet"},
		"other cluster":   {now, "other", "it is not for the name of the cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := certificates(t, tt.cluster, tt.made)
			stranger := identity(t, dir, ours)
			authorities := good.Authorities.Clone()
			if name != "other authority" { // then it is not for that that it is refused
				pem, err := os.ReadFile(filepath.Join(dir, cluster.AuthorityFile))
				if err != nil {
					t.Fatal(err)
				}
				authorities.AppendCertsFromPEM(pem)
			}
			var said lines
			c := config(nil)
			c.TLS, c.Logger = &cluster.TLS{Certificate: good.Certificate, Authorities: authorities}, said.logger()
			n := start(t, c)

			client := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{stranger.Certificate}, NextProtos: []string{"h2"}}
			if err := knock(n.System().Address(), client); err == nil {
				t.Error("let in")
			}
			eventually(t, func() bool { return said.has("connection of a peer refused") && said.has(tt.want) })

			said = lines{}
			server := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{stranger.Certificate}, NextProtos: []string{"h2"}})
			if err := cluster.Handshake(t.Context(), c, server); err == nil {
				t.Error("connected to")
			}
			if !said.has("does not prove that it belongs") || !said.has(tt.want) {
				t.Errorf("the log says %s", said.buf.String())
			}
			c.TLS = &cluster.TLS{Certificate: stranger.Certificate, Authorities: authorities}
			if _, err := cluster.Start(t.Context(), c); fairfactor.CodeOf(err) != fairfactor.Invalid ||
				!strings.Contains(fairfactor.MessageOf(err), tt.want) {
				t.Errorf("started with it: %v", err)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		var said lines
		c := config(nil)
		c.TLS, c.Logger = good, said.logger()
		n := start(t, c)
		if err := knock(n.System().Address(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}); err == nil {
			t.Error("let in without a certificate")
		}
		eventually(t, func() bool { return said.has("didn't provide a certificate") })
	})
	t.Run("old protocol", func(t *testing.T) {
		c := config(nil)
		c.TLS = good
		n := start(t, c)
		old := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{good.Certificate}, MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}
		if err := knock(n.System().Address(), old); err == nil {
			t.Error("TLS 1.2 let in")
		}
	})
	t.Run("foreign files", func(t *testing.T) {
		if _, err := loadIdentity(ours, t.TempDir()); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("no authority: %v", err)
		}
		if _, err := cluster.LoadTLS(filepath.Join(ours, cluster.CertificateFile), filepath.Join(foreign, cluster.KeyFile),
			filepath.Join(ours, cluster.AuthorityFile)); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("another key: %v", err)
		}
	})
}

// knock makes a handshake and reads: with TLS 1.3 a client learns only then that
// it is not welcome.
func knock(address string, c *tls.Config) error {
	conn, err := tls.Dial("tcp", address, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(longest))
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// tlsServer accepts connections and makes the handshake.
func tlsServer(t *testing.T, c *tls.Config) string {
	l, err := tls.Listen("tcp", "127.0.0.1:0", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn); conn.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestMakeCertificates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "certs")
	if err := cluster.MakeCertificates(dir, "fairfactor", []string{"node.example", "192.0.2.7"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	before := map[string]string{}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f.Name(), info.Mode(), err)
		}
		text, _ := os.ReadFile(filepath.Join(dir, f.Name()))
		before[f.Name()] = string(text)
	}
	id := identity(t, dir, dir)
	for _, host := range []string{"fairfactor", "node.example", "192.0.2.7"} {
		if err := id.Certificate.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if err := cluster.MakeCertificates(dir, "fairfactor", nil, time.Now()); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("again: %v", err)
	}
	for name, text := range before {
		if now, _ := os.ReadFile(filepath.Join(dir, name)); string(now) != text {
			t.Errorf("%s was overwritten", name)
		}
	}
}

// What other machines could read or send in plain text is refused, unless
// --insecure is given, and then a warning is logged.
func TestPlainTextOnlyOnLoopback(t *testing.T) {
	var said lines
	dir := certificates(t, "fairfactor", time.Now())
	c := config(nil)
	c.Remote, c.Gossip, c.Advertise, c.Logger = "0.0.0.0:0", "0.0.0.0:0", "127.0.0.1", said.logger()
	if _, err := cluster.Start(t.Context(), c); !strings.Contains(fairfactor.MessageOf(err), "--tls-cert") {
		t.Errorf("plain actor traffic: %v", err)
	}
	c.TLS = identity(t, dir, dir)
	if _, err := cluster.Start(t.Context(), c); !strings.Contains(fairfactor.MessageOf(err), "--gossip-key") {
		t.Errorf("plain gossip: %v", err)
	}
	c.GossipKey = make([]byte, 32)
	_ = start(t, c).Stop(context.Background())
	if said.has("NOT ENCRYPTED") {
		t.Error("warned though all is encrypted")
	}
	c.TLS, c.GossipKey, c.Insecure = nil, nil, true
	_ = start(t, c).Stop(context.Background())
	if !said.has("ACTOR TRAFFIC IS NOT ENCRYPTED") || !said.has("GOSSIP IS NOT ENCRYPTED") {
		t.Error("no word of what is not encrypted")
	}
}
