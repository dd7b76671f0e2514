package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The certificates that certs makes are good for serve, at an address that other
// machines could reach.
func TestServeWithCertificates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	out, err := program("certs", "--dir", dir, "--cluster", "lab", "--host", "node-1,192.0.2.1").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--tls-ca") || !strings.Contains(string(out), "good for cluster lab") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"ca.pem", "ca.key", "node.pem", "node.key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if out, err := program("certs", "--dir", dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "already") {
		t.Errorf("overwrote: %v\n%s", err, out)
	}
	before, err := os.ReadFile(filepath.Join(dir, "node.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := program("certs", "--dir", dir, "--if-missing").CombinedOutput(); err != nil || !strings.Contains(string(out), "stay") {
		t.Errorf("--if-missing: %v\n%s", err, out)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "node.pem")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("--if-missing made others: %v", err)
	}
	secure := []string{
		"--remote", "0.0.0.0:0", "--advertise", "127.0.0.1",
		"--tls-cert", filepath.Join(dir, "node.pem"), "--tls-key", filepath.Join(dir, "node.key"), "--tls-ca", filepath.Join(dir, "ca.pem"),
	}
	other := t.TempDir()
	for range 2 {
		if out, err := program("certs", "--dir", other, "--if-missing").CombinedOutput(); err != nil {
			t.Errorf("--if-missing in an empty directory, or a full one: %v\n%s", err, out)
		}
	}
	if err := os.Remove(filepath.Join(other, "node.key")); err != nil {
		t.Fatal(err)
	}
	if out, err := program("certs", "--dir", other, "--if-missing").CombinedOutput(); err == nil || !strings.Contains(string(out), "already") {
		t.Errorf("--if-missing with a part of the files: %v\n%s", err, out)
	}
	p := serve(t, t.TempDir(), append(secure, "--cluster", "lab")...)
	resp, err := http.Get(p.url + "/readyz")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("not ready: %v %v", resp, err)
	}
	resp.Body.Close()
	if j := p.wait(p.submit("alice", "15").ID); j.Status != "completed" {
		t.Errorf("job %+v", j)
	}
	if code := p.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	args := append([]string{"serve", "--http", "127.0.0.1:0", "--data", t.TempDir()}, secure...)
	if out, err := program(append(args, "--cluster", "other")...).CombinedOutput(); err == nil ||
		!strings.Contains(string(out), `not for the name of the cluster, "other"`) {
		t.Errorf("started in another cluster: %v\n%s", err, out)
	}
}
