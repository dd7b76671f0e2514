package http_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	keystore "fairfactor/store/memory"
)

func TestKeysOverTheAPI(t *testing.T) {
	k := startKeyed(t)
	client, err := httpd.NewClient(k.url)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.Authorise(k.operator)
	key, secret, err := client.AddKey(t.Context(), fairfactor.RoleCaller, "carol", "")
	if err != nil || key.Role != fairfactor.RoleCaller || key.Callers != "carol" || !strings.Contains(secret, key.ID) {
		t.Fatalf("%+v, %v", key, err)
	}
	if a := k.as(secret, "POST", "/compute", `{"number":"7"}`, "X-Caller-ID: carol"); a.status != 202 {
		t.Errorf("the new key: %d %s", a.status, a.body)
	}
	if a := k.as(secret, "GET", "/keys/current", ""); a.text("key_id") != key.ID || a.text("caller") != "carol" || a.text("role") != "caller" {
		t.Errorf("what the key allows: %s", a.body)
	}
	var all []fairfactor.APIKey
	for after := ""; ; after = all[len(all)-1].ID {
		page, err := client.Keys(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if len(page) < 2 {
			break
		}
	}
	if len(all) != 5 {
		t.Errorf("%d keys: %+v", len(all), all)
	}
	if a := k.as(k.operator, "GET", "/keys", ""); strings.Contains(a.body, secret) || strings.Contains(a.body, "hash") {
		t.Error("the list of keys shows a secret or its hash")
	}
	if err := client.RevokeKey(t.Context(), key.ID); err != nil {
		t.Error(err)
	}
	if a := k.as(secret, "GET", "/keys/current", ""); a.status != 401 {
		t.Errorf("a revoked key: %d", a.status)
	}
	if err := client.RevokeKey(t.Context(), key.ID); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("revoked again: %v", err)
	}
	if err := client.RevokeKey(t.Context(), k.operatorID); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("the only operator's key revoked: %v", err)
	}
	client.Authorise(k.viewer)
	if _, _, err := client.AddKey(t.Context(), fairfactor.RoleViewer, "", ""); fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(err.Error(), "operator") {
		t.Errorf("a viewer adds a key: %v", err)
	}
}

func TestSenselessKeysAreRefused(t *testing.T) {
	k := startKeyed(t)
	for _, body := range []string{`{"role":"admin"}`, `{"role":"caller"}`, `{"role":"caller","caller":"a b"}`, `{"role":"viewer","caller":"a"}`, `{"role":1}`, `{"role":null}`} {
		k.as(k.operator, "POST", "/keys", body, "Content-Type: application/json").problem(t, body, 422, "bad-api-key")
	}
	k.as(k.operator, "POST", "/keys", `{"role":"viewer","hash":"x"}`, "Content-Type: application/json").problem(t, "unknown member", 400, "bad-request")
}

// A node that asks for no keys shows and changes none: a stranger could give himself
// one for later.
func TestNoKeysWithoutKeys(t *testing.T) {
	ring, err := httpd.OpenKeyring(t.Context(), keystore.NewKeys(), httpd.KeyringOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]*httpd.Keyring{"open": nil, "without a key": ring} {
		s := startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
			cfg.Keys = keys
			return httpd.New(cfg)
		})
		for _, call := range []string{"GET /keys", "POST /keys", "DELETE /keys/x"} {
			method, path, _ := strings.Cut(call, " ")
			s.do(method, path, `{"role":"operator"}`).problem(t, name+" "+call, 403, "forbidden")
		}
		if a := s.do("GET", "/keys/current", ""); a.status != 200 || a.text("role") != "operator" || a.doc["key_id"] != nil {
			t.Errorf("%s: %s", name, a.body)
		}
		s.submit("7")
	}
	if _, _, err := ring.AddKey(t.Context(), fairfactor.RoleViewer, "", ""); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("a first key that is no operator's: %v", err)
	}
}

// flaky is a store of keys that can be cut off.
type flaky struct {
	*keystore.Keys
	away  atomic.Bool
	asked atomic.Int64
}

func (f *flaky) APIKeys(ctx context.Context, known uint64) (uint64, []fairfactor.APIKey, error) {
	f.asked.Add(1)
	if f.away.Load() {
		return 0, nil, errors.New("away")
	}
	return f.Keys.APIKeys(ctx, known)
}

// Nodes that share a store follow each other, and a node that can't follow stops
// believing in what it knows.
func TestKeyringFollows(t *testing.T) {
	shared := keystore.NewKeys()
	mine := &flaky{Keys: shared}
	ring, err := httpd.OpenKeyring(t.Context(), mine, httpd.KeyringOptions{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	if ring.Asks() {
		t.Error("a node asks for keys though there never was one")
	}
	ctx, stop := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() { ring.Follow(ctx); close(followed) }()
	defer func() { stop(); <-followed }()
	other, err := httpd.OpenKeyring(t.Context(), shared, httpd.KeyringOptions{})
	if err != nil {
		t.Fatal(err)
	}
	key, secret, err := other.AddKey(t.Context(), fairfactor.RoleOperator, "", "")
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.Keys = ring
		return httpd.New(cfg)
	})
	status := func() int { return s.do("GET", "/nodes", "", "Authorization: Bearer "+secret).status }
	eventually(t, "the key of another node is known", func() bool { return ring.Asks() && status() == 200 })
	if err := shared.RevokeAPIKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key is refused", func() bool { return status() == 401 })
	if !ring.Asks() {
		t.Error("when the last key is gone the node lets everyone in")
	}
	mine.away.Store(true)
	ring.ForgetSince(time.Minute)
	s.do("GET", "/nodes", "", "Authorization: Bearer "+secret).problem(t, "keys that are old", 503, "unavailable")
	mine.away.Store(false)
	eventually(t, "the store is back", func() bool { return status() == 401 })
}

// A subscriber is told that its key was revoked, and hears nothing more.
func TestRevokedKeyEndsItsStreamsAtOnce(t *testing.T) {
	k := startKeyed(t)
	source := newJournal(t)
	s := &telling{source: source, service: startServer(t, k.jobs, func(cfg httpd.Config) *httpd.Server {
		cfg.Keys, cfg.Events, cfg.Jobs = k.ring, source, sourceJobs{cfg.Jobs, source}
		return httpd.New(cfg)
	})}
	mine := s.subscribe("/events?caller_id=alice", "Authorization: Bearer "+k.alices).ready()
	others := s.subscribe("/events", "Authorization: Bearer "+k.viewer).ready()
	if err := k.ring.RevokeKey(t.Context(), k.aliceID); err != nil {
		t.Fatal(err)
	}
	if e := mine.next(); e.name != "closed" || !strings.Contains(e.data, "revoked") {
		t.Errorf("the stream of a revoked key: %+v", e)
	}
	if e := mine.next(); !e.closed {
		t.Errorf("after its end: %+v", e)
	}
	source.accept("alice", 1)
	if e := others.next(); e.name != "accepted" {
		t.Errorf("another key's stream: %+v", e)
	}
}

// What has begun with a key ends with it: a long poll gets no answer about the job, a
// batch takes no more lines.
func TestRevokedKeyEndsWhatHasBegun(t *testing.T) {
	k := startKeyed(t)
	job := k.aliceJob()
	polled := make(chan *answer, 1)
	go func() { polled <- k.as(k.alices, "GET", "/compute/"+job+"?wait=60", "") }() // longer than the test's client waits
	eventually(t, "the poll waits", func() bool { return k.jobs.polls() > 0 })
	body, lines := io.Pipe()
	answered := make(chan *answer, 1)
	go func() {
		a, err := k.try("POST", "/compute/batch", body, "Authorization: Bearer "+k.alices, "X-Caller-ID: alice", ndjson)
		if err == nil {
			t.Errorf("the batch ended as if all of it had been read: %d %s", a.status, a.body)
		}
		answered <- a
	}()
	for range 1000 { // one group
		if _, err := io.WriteString(lines, "{\"number\":\"7\"}\n"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the group is submitted", func() bool { return k.jobs.count() >= 1001 })
	if err := k.ring.RevokeKey(t.Context(), k.aliceID); err != nil {
		t.Fatal(err)
	}
	before := k.jobs.count()
	go func() {
		for range 2000 {
			if _, err := io.WriteString(lines, "{\"number\":\"7\"}\n"); err != nil {
				return
			}
		}
		lines.Close()
	}()
	<-answered
	body.Close()
	if after := k.jobs.count(); after != before {
		t.Errorf("%d jobs were submitted with a revoked key", after-before)
	}
	a := <-polled // at once
	a.problem(t, "the poll of a revoked key", 401, "no-key")
	if a.header.Get("Www-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
}

// TestGroupOfAKey: a caller that is new is put in the group of the key, whatever the node
// groups by; one whose key has none in that of its key's id with --group-by key. A group must
// be a name, and is for callers' keys only.
func TestGroupOfAKey(t *testing.T) {
	for _, by := range []httpd.GroupBy{httpd.GroupByNone, httpd.GroupByPrefix, httpd.GroupByKey} {
		ring, err := httpd.OpenKeyring(t.Context(), keystore.NewKeys(), httpd.KeyringOptions{Always: true})
		if err != nil {
			t.Fatal(err)
		}
		add := func(role fairfactor.Role, callers, group string) (fairfactor.APIKey, string) {
			key, secret, err := ring.AddKey(t.Context(), role, callers, group)
			if err != nil {
				t.Fatal(err)
			}
			return key, secret
		}
		_, operator := add(fairfactor.RoleOperator, "", "")
		_, acme := add(fairfactor.RoleCaller, "*", "acme")
		plain, other := add(fairfactor.RoleCaller, "*", "")
		s := startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
			cfg.Keys, cfg.GroupBy = ring, by
			return httpd.New(cfg)
		})
		ungrouped := map[httpd.GroupBy]string{httpd.GroupByPrefix: "b", httpd.GroupByKey: plain.ID}[by]
		for _, row := range []struct{ caller, secret, want string }{{"a:1", acme, "acme"}, {"b:1", other, ungrouped}, {"a:1", other, "acme"}} {
			if a := s.do("POST", "/compute", `{"number":"15"}`, "X-Caller-ID: "+row.caller, "Authorization: Bearer "+row.secret); a.status != 202 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if a := s.do("GET", "/callers/"+row.caller, "", "Authorization: Bearer "+operator); a.text("group") != row.want {
				t.Errorf("grouped by %d, %s is in the group %q, want %q: %s", by, row.caller, a.text("group"), row.want, a.body)
			}
		}
		if a := s.do("POST", "/keys", `{"role":"caller","caller":"*","group":"no group"}`, "Authorization: Bearer "+operator, "Content-Type: application/json"); a.status != 400 && a.status != 422 {
			t.Errorf("a group that is no name: %d %s", a.status, a.body)
		}
		if a := s.do("POST", "/keys", `{"role":"viewer","group":"acme"}`, "Authorization: Bearer "+operator, "Content-Type: application/json"); a.status != 400 && a.status != 422 {
			t.Errorf("a viewer's key with a group: %d %s", a.status, a.body)
		}
		if a := s.do("POST", "/keys", `{"role":"caller","caller":"*","group":"acme"}`, "Authorization: Bearer "+operator, "Content-Type: application/json"); a.status != 201 || a.text("group") != "acme" {
			t.Errorf("a key with a group: %d %s", a.status, a.body)
		}
	}
}
