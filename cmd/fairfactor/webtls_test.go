package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairfactor/cluster"
)

// certs makes an authority and a certificate for this machine.
func certs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := cluster.MakeCertificates(dir, "fairfactor", []string{"127.0.0.1", "localhost"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// move copies files of one directory over those of another, each at once.
func move(t *testing.T, from, to string, names ...string) {
	t.Helper()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name+".new"), text, 0o600)
		}
		if err == nil {
			err = os.Rename(filepath.Join(to, name+".new"), filepath.Join(to, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// trusts reports whether a new connection to a node is trusted by the authority in a
// directory.
func trusts(t *testing.T, url, dir string) bool {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(dir, cluster.AuthorityFile))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{RootCAs: pool})
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// A node speaks HTTPS, and takes a new certificate without a restart; a certificate
// without its key is not one yet.
func TestHTTPSAndItsRenewal(t *testing.T) {
	now, later := certs(t), certs(t)
	file := func(name string) string { return filepath.Join(now, name) }
	p := serve(t, t.TempDir(), "--http-tls-cert", file(cluster.CertificateFile), "--http-tls-key", file(cluster.KeyFile))
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("the node says %q", p.url)
	}
	authority := filepath.Join(t.TempDir(), "authority.pem")
	text, err := os.ReadFile(file(cluster.AuthorityFile))
	if err == nil {
		err = os.WriteFile(authority, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := program("submit", "--url", p.url, "--caller", "a", "--wait", "91")
	cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+authority)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "91: 7 13") {
		t.Errorf("submit over HTTPS: %v %s", err, out)
	}
	if !trusts(t, p.url, now) || trusts(t, p.url, later) {
		t.Error("the node shows another certificate than it was given")
	}
	before := now + "-before"
	if err := os.CopyFS(before, os.DirFS(now)); err != nil {
		t.Fatal(err)
	}
	move(t, later, now, cluster.CertificateFile)
	within(t, "the node notices half of a renewal", func() bool { return trusts(t, p.url, before) && strings.Contains(p.log.String(), "can't be used yet") })
	move(t, later, now, cluster.KeyFile)
	within(t, "the node shows the new certificate", func() bool { return trusts(t, p.url, later) })
}

func TestWatchedFiles(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "file"), time.Unix(1000, 0)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reads := 0
	read := func() (string, error) {
		reads++
		text, err := os.ReadFile(path)
		if err == nil && string(text) == "broken" {
			err = errors.New("broken")
		}
		return string(text), err
	}
	if _, err := watchFiles(slog.New(slog.DiscardHandler), "x", read, path); err == nil {
		t.Error("a file that is not there was read")
	}
	write("1")
	w, err := watchFiles(slog.New(slog.DiscardHandler), "x", read, path)
	if err != nil {
		t.Fatal(err)
	}
	w.now, w.looked, reads = func() time.Time { return clock }, clock, 0
	for _, step := range []struct {
		text  string
		later time.Duration
		want  string
		reads int
	}{
		{"", watchEvery, "1", 0},
		{"2 is longer", watchEvery / 2, "1", 0},
		{"", watchEvery / 2, "2 is longer", 1},
		{"broken", watchEvery, "2 is longer", 1},
		{"", watchEvery, "2 is longer", 0}, // what can't be read is tried once
		{"3", watchEvery, "3", 1},
	} {
		if step.text != "" {
			write(step.text)
		}
		clock, reads = clock.Add(step.later), 0
		if got := w.get(); got != step.want || reads != step.reads {
			t.Errorf("after %+v: %q by %d reads", step, got, reads)
		}
	}
}

func TestTLSFlagsBelongTogether(t *testing.T) {
	for _, args := range [][]string{
		{"--http-tls-cert", "x"},
		{"--http-tls-key", "x"},
		{"--http-tls-client-ca", "x", "--http-tls-client", "a=viewer"},
		{"--http-tls-cert", "x", "--http-tls-key", "x", "--http-tls-client-ca", "x"},
		{"--http-tls-cert", "x", "--http-tls-key", "x", "--http-tls-client", "a=viewer"},
		{"--http-tls-cert", "x", "--http-tls-key", "x", "--http-tls-client-ca", "x", "--http-tls-client", "a"},
		{"--http-tls-cert", "/nowhere", "--http-tls-key", "/nowhere"},
	} {
		out, err := program(append([]string{"serve", "--http", "127.0.0.1:0", "--data", t.TempDir()}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--http-tls-") {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
}
