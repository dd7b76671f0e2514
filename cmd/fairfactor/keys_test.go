package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairfactor/store/postgres/pgtest"
)

// keyed runs a verb about keys, which must succeed, and returns what it prints.
func keyed(t *testing.T, args ...string) string {
	t.Helper()
	cmd := program(append([]string{"keys"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("keys %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// asks returns the status with which a node answers GET of a path with a key.
func asks(t *testing.T, url, path, key string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// The way of the documentation, on one node: the first key in the directory, the
// others through the node.
func TestKeysOfAnEmbeddedNode(t *testing.T) {
	dir := t.TempDir()
	if out, err := program("keys", "add", "--role", "viewer", "--data", dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "operator") {
		t.Errorf("a first key that is no operator's: %v %s", err, out)
	}
	operator := keyed(t, "add", "--role", "operator", "--data", dir)
	accesses := filepath.Join(t.TempDir(), "access.log")
	p := serve(t, dir, "--access-log", accesses)
	if out, err := program("keys", "list", "--data", dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "another node is using") {
		t.Errorf("the directory of a node that runs: %v %s", err, out)
	}
	if status, _, err := p.do("POST", "/compute", "team-a", `{"number":"91"}`); status != 401 || err != nil {
		t.Errorf("without a key: %d %v", status, err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(operator+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	caller := keyed(t, "add", "--url", p.url, "--api-key-file", file, "--role", "caller", "--caller", "team-*")
	t.Setenv("FAIRFACTOR_KEY", caller)
	if out, err := program("submit", "--url", p.url, "--caller", "team-a", "--wait", "91").CombinedOutput(); err != nil || !strings.Contains(string(out), "91: 7 13") {
		t.Errorf("submit with a key: %v %s", err, out)
	}
	if out, err := program("submit", "--url", p.url, "--caller", "other", "91").CombinedOutput(); err == nil || !strings.Contains(string(out), "team-*") {
		t.Errorf("submit for another caller: %v %s", err, out)
	}
	t.Setenv("FAIRFACTOR_KEY", "")
	list := keyed(t, "list", "--url", p.url, "--api-key-file", file, "-o", "json")
	id := strings.Split(caller, "_")[1]
	if !strings.Contains(list, id) || strings.Contains(list, caller) || strings.Count(list, "key_id") != 2 {
		t.Errorf("the list: %s", list)
	}
	keyed(t, "revoke", "--url", p.url, "--api-key-file", file, id)
	if status := asks(t, p.url, "/keys/current", caller); status != 401 {
		t.Errorf("a revoked key: %d", status)
	}
	p.terminate()
	lines, err := os.ReadFile(accesses)
	if err != nil || !strings.Contains(string(lines), `"path":"/keys/`+id+`","status":204`) {
		t.Errorf("the access log: %v %s", err, lines)
	}
	if !strings.Contains(p.log.String(), "msg=change who="+strings.Split(operator, "_")[1]) {
		t.Error("the log does not say who revoked the key")
	}
	for _, secret := range []string{caller, operator} {
		if strings.Contains(p.log.String()+string(lines), secret) {
			t.Error("a log has a key in it")
		}
	}
	open := serve(t, dir, "--open")
	if status := asks(t, open.url, "/nodes", ""); status != 200 {
		t.Errorf("with --open: %d", status)
	}
}

// An address that others reach needs a key or --open.
func TestReachableAddressNeedsKeys(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	refused := program("serve", "--http", "0.0.0.0:0", "--data", dir)
	go func() { <-ctx.Done(); refused.Process.Kill() }()
	out, err := refused.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "fairfactor keys add") || !strings.Contains(string(out), "--open") {
		t.Errorf("without keys: %v %s", err, out)
	}
	open := serve(t, dir, "--http", "0.0.0.0:0", "--open")
	if !strings.Contains(open.log.String(), "THE API IS OPEN") {
		t.Error("the log does not say that the API is open")
	}
	open.terminate()
	operator := keyed(t, "add", "--role", "operator", "--data", dir)
	p := serve(t, dir, "--http", "0.0.0.0:0")
	url := strings.Replace(p.url, "[::]", "127.0.0.1", 1)
	if without, with := asks(t, url, "/nodes", ""), asks(t, url, "/nodes", operator); without != 401 || with != 200 {
		t.Errorf("without a key %d, with one %d", without, with)
	}
}

// Two nodes on one PostgreSQL: a key that one of them revokes is refused by the
// other within a second.
func TestKeyRevokedOnOneNodeIsRefusedByAll(t *testing.T) {
	server := pgtest.Start(t)
	file := filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(file, []byte(server.Database(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAIRFACTOR_STORE_FILE", file)
	first, second := serve(t, t.TempDir()), serve(t, t.TempDir())
	if status := asks(t, second.url, "/nodes", ""); status != 200 {
		t.Errorf("without keys: %d", status)
	}
	operator := keyed(t, "add", "--role", "operator")
	for _, p := range []*process{first, second} {
		within(t, "the nodes ask for keys", func() bool { return asks(t, p.url, "/nodes", "") == 401 && asks(t, p.url, "/nodes", operator) == 200 })
	}
	t.Setenv("FAIRFACTOR_KEY", operator)
	var worst time.Duration
	for i := range 5 {
		viewer := keyed(t, "add", "--role", "viewer", "--url", first.url)
		within(t, "the other node knows the key", func() bool { return asks(t, second.url, "/nodes", viewer) == 200 })
		keyed(t, "revoke", "--url", first.url, strings.Split(viewer, "_")[1])
		begun := time.Now() // later than the node has answered
		if status := asks(t, first.url, "/nodes", viewer); status != 401 {
			t.Errorf("the node that revoked the key says %d", status)
		}
		within(t, fmt.Sprintf("key %d is refused", i), func() bool { return asks(t, second.url, "/nodes", viewer) == 401 })
		worst = max(worst, time.Since(begun))
	}
	t.Logf("a revoked key was refused by the other node after %v at most", worst)
	for _, p := range []*process{first, second} {
		if strings.Contains(p.log.String(), operator) || strings.Contains(p.log.String(), ":secret@") {
			t.Error("a log has a secret in it")
		}
	}
}

// within waits until a condition holds, on a machine that may do much else.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after a minute still not: %s", what)
		}
	}
}

// Secrets among the arguments are blanked, and the program keeps its own copy of them.
func TestSecretsAreConcealed(t *testing.T) {
	var blanked []string
	args := []string{"submit", "--api-key", "ff_1", "--api-key=ff_2", "--store=postgres://", "--store-file", "x", "--gossip-key", "5a", "--key", "k", "--api-key"}
	own := conceal(args, func(secret string) { blanked = append(blanked, secret) })
	if got := strings.Join(blanked, " "); got != "ff_1 ff_2 postgres:// 5a" || strings.Join(own, " ") != strings.Join(args, " ") {
		t.Errorf("blanked: %q, kept %q", got, own)
	}
}
