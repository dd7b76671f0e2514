package http_test

import (
	"slices"
	"strings"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
	keystore "fairfactor/store/memory"
)

// who may use each route while a node asks for keys. A new route needs a line here.
var who = map[string]string{
	"GET /": "anyone", "GET /page/{id}": "anyone", "GET /favicon.ico": "anyone", "GET /livez": "anyone", "GET /readyz": "anyone", "GET /openapi.json": "anyone",
	"GET /keys/current": "any key", "GET /factors/{id}": "any key",
	"GET /factors": "viewer", "POST /factors": "operator",
	"GET /callers": "viewer", "GET /fairness": "viewer", "GET /nodes": "viewer", "GET /metrics": "viewer",
	"PUT /callers/{id}": "operator", "PUT /groups/{id}": "operator",
	"GET /keys": "operator", "POST /keys": "operator", "DELETE /keys/{id}": "operator",
	"POST /compute": "submitter", "POST /compute/batch": "submitter",
	"GET /compute/{id}": "reader of the job", "DELETE /compute/{id}": "owner of the job", "POST /compute/{id}/retry": "owner of the job",
	"GET /compute": "reader of ?caller_id=", "GET /compute/export": "reader of ?caller_id=", "GET /events": "reader of ?caller_id=", "GET /compute/{id}/events": "reader of the job", "POST /compute/get": "reader of each job",
	"GET /callers/{id}": "reader of the caller",
	"DELETE /compute":   "owner of ?caller_id=", "POST /compute/retry": "owner of ?caller_id=", "GET /operations/{id}": "any key",
}

// keyed is a server that asks for keys, with one of each role.
type keyed struct {
	*service
	ring                            *httpd.Keyring
	alices, bobs, viewer, operator  string
	aliceID, operatorID, viewerKeys string
}

func startKeyed(t *testing.T) *keyed {
	t.Helper()
	ring, err := httpd.OpenKeyring(t.Context(), keystore.NewKeys(), httpd.KeyringOptions{Always: true})
	if err != nil {
		t.Fatal(err)
	}
	k := &keyed{ring: ring}
	_, k.operatorID = k.make(t, fairfactor.RoleOperator, "", &k.operator)
	_, k.aliceID = k.make(t, fairfactor.RoleCaller, "alice*", &k.alices)
	k.make(t, fairfactor.RoleCaller, "bob", &k.bobs)
	_, k.viewerKeys = k.make(t, fairfactor.RoleViewer, "", &k.viewer)
	k.service = startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.Keys = ring
		return httpd.New(cfg)
	})
	return k
}

func (k *keyed) make(t *testing.T, role fairfactor.Role, callers string, into *string) (secret, id string) {
	t.Helper()
	key, secret, err := k.ring.AddKey(t.Context(), role, callers, "")
	if err != nil {
		t.Fatal(err)
	}
	*into = secret
	return secret, key.ID
}

// as sends a request with a key, or without one if it is empty.
func (k *keyed) as(key, method, path, body string, headers ...string) *answer {
	k.t.Helper()
	if key != "" {
		headers = append(headers, "Authorization: Bearer "+key)
	}
	return k.do(method, path, body, headers...)
}

// aliceJob submits a number as alice and returns the path of its job.
func (k *keyed) aliceJob() string {
	k.t.Helper()
	a := k.as(k.alices, "POST", "/compute", `{"number":"7"}`, "X-Caller-ID: alice")
	if a.status != 202 {
		k.t.Fatalf("POST as alice: %d %s", a.status, a.body)
	}
	return a.text("request_id")
}

// A property of all routes and all roles: what the table above says, and nothing
// else. That a route is in the table is a part of it.
func TestEveryRouteHasItsRole(t *testing.T) {
	k := startKeyed(t)
	var seen []string
	for _, route := range httpd.Routes() {
		seen = append(seen, route)
		if who[route] == "" {
			t.Errorf("%s: access_test.go does not say who may use it", route)
		}
	}
	for route, role := range who {
		if !slices.Contains(seen, route) {
			t.Errorf("%s: there is no such route", route)
			continue
		}
		method, path, _ := strings.Cut(route, " ")
		k.checkRoute(t, method, path, role)
		if method == "GET" {
			k.checkRoute(t, "HEAD", path, role)
		}
	}
}

func (k *keyed) checkRoute(t *testing.T, method, path, role string) {
	t.Helper()
	job := k.aliceJob()
	mine, others := path, path // what alice's key may be for, and what it may not
	switch {
	case strings.HasPrefix(path, "/compute/{id}"):
		mine, others = strings.Replace(path, "{id}", job, 1), mine
		others = mine
	case strings.Contains(path, "{id}"):
		mine, others = strings.Replace(path, "{id}", "alice2", 1), strings.Replace(path, "{id}", "bob", 1)
	case strings.Contains(role, "?caller_id="), role == "submitter":
		mine, others = path+"?caller_id=alice", path+"?caller_id=bob"
	}
	for _, r := range []struct {
		name, key, path string
		allowed         []string // roles of the table
		refused         int
	}{
		{"a client without a key", "", mine, []string{"anyone"}, 401},
		{"a stranger", "ff_000000000000_" + strings.Repeat("a", 52), mine, []string{"anyone"}, 401},
		{"the viewer", k.viewer, mine, []string{"anyone", "any key", "viewer", "reader of the job", "reader of ?caller_id=", "reader of each job", "reader of the caller"}, 403},
		{"alice", k.alices, mine, []string{"anyone", "any key", "submitter", "reader of the job", "owner of the job", "reader of ?caller_id=", "owner of ?caller_id=", "reader of each job", "reader of the caller"}, 403},
		{"the operator", k.operator, mine, nil, 0},
	} {
		a := k.as(r.key, method, r.path, "")
		allowed := r.allowed == nil || slices.Contains(r.allowed, role)
		if refused := a.status == 401 || a.status == 403; refused == allowed || refused && a.status != r.refused {
			t.Errorf("%s %s by %s: %d %s", method, r.path, r.name, a.status, a.body)
		}
		if challenge := a.header.Get("Www-Authenticate"); (a.status == 401) != strings.HasPrefix(challenge, "Bearer ") || (r.name == "a stranger" && a.status == 401) != strings.Contains(challenge, "invalid_token") {
			t.Errorf("%s %s by %s: %d with WWW-Authenticate %q", method, r.path, r.name, a.status, challenge)
		}
	}
	k.checkOthers(t, method, others, role)
}

// checkOthers asks with a key of one caller for what is another's.
func (k *keyed) checkOthers(t *testing.T, method, path, role string) {
	t.Helper()
	want, key := 403, k.alices
	switch role {
	case "anyone", "any key", "reader of each job":
		return
	case "reader of the job", "owner of the job":
		want, key = 404, k.bobs
	}
	if a := k.as(key, method, path, ""); a.status != want {
		t.Errorf("%s %s by another caller: %d %s, want %d", method, path, a.status, a.body, want)
	}
}

func TestAnotherCallersJobLooksLikeNone(t *testing.T) {
	k := startKeyed(t)
	job := k.aliceJob()
	id, err := fairfactor.ParseID(job)
	if err != nil {
		t.Fatal(err)
	}
	id.Seq += 1000
	for range 2 { // the second time the server knows whose the number in the id is
		for _, method := range []string{"GET", "DELETE"} {
			theirs, none := k.as(k.bobs, method, "/compute/"+job, ""), k.as(k.bobs, method, "/compute/"+id.String(), "")
			if theirs.status != 404 || strings.ReplaceAll(theirs.body, job, "ID") != strings.ReplaceAll(none.body, id.String(), "ID") {
				t.Errorf("%s of another caller's job: %d %s, of none: %s", method, theirs.status, theirs.body, none.body)
			}
		}
	}
	if a := k.as(k.bobs, "GET", "/compute/"+job+"?wait=5", ""); a.status != 404 {
		t.Errorf("a long poll for another caller's job: %d", a.status)
	}
	if a := k.as(k.alices, "GET", "/compute/"+job, ""); a.status != 200 || a.text("status") == "cancelled" {
		t.Errorf("alice sees %d %s", a.status, a.body)
	}
}

// TestGetShowsOwnJobsOnly: among many jobs, another caller's looks like none.
func TestGetShowsOwnJobsOnly(t *testing.T) {
	k := startKeyed(t)
	job := k.aliceJob()
	for key, want := range map[string]string{k.alices: `"pending"`, k.viewer: `"pending"`, k.bobs: "404"} {
		if a := k.as(key, "POST", "/compute/get", job, ndjson); a.status != 200 || !strings.Contains(a.body, `"status":`+want) {
			t.Errorf("want the status %s: %d %s", want, a.status, a.body)
		}
	}
}

func TestCallersKeyNamesItsCaller(t *testing.T) {
	k := startKeyed(t)
	for _, path := range []string{"/compute", "/compute?caller_id=", "/compute?caller_id=alic", "/compute?caller_id=bob"} {
		a := k.as(k.alices, "GET", path, "")
		a.problem(t, path, 403, "forbidden")
		if !strings.Contains(a.text("detail"), "alice*") {
			t.Errorf("%s: %q does not say what the key is for", path, a.text("detail"))
		}
	}
	for _, headers := range [][]string{{"X-Caller-ID: bob"}, {"X-Caller-ID: bob", "X-Caller-ID: alice"}, {}} {
		if a := k.as(k.alices, "POST", "/compute", `{"number":"7"}`, headers...); a.status == 202 {
			t.Errorf("submitted with %v: %s", headers, a.body)
		}
	}
	if a := k.as(k.alices, "POST", "/compute/batch", "{\"number\":\"7\"}\n", "X-Caller-ID: bob"); a.status != 403 {
		t.Errorf("a batch of another caller: %d %s", a.status, a.body)
	}
	if n := len(k.jobs.newest); n != 0 {
		t.Errorf("%d jobs were submitted", n)
	}
}

func TestAuthorizationHeader(t *testing.T) {
	k := startKeyed(t)
	for header, want := range map[string]int{
		"Bearer " + k.viewer: 200, "bearer " + k.viewer: 200, "Bearer  " + k.viewer: 200,
		"Bearer": 401, "Bearer ": 401, "": 401, k.viewer: 401, "Basic " + k.viewer: 401, "Bearer " + k.viewer[:20]: 401, "Bearer " + k.viewer + "a": 401,
	} {
		if a := k.do("GET", "/nodes", "", "Authorization: "+header); a.status != want {
			t.Errorf("%.12q: %d, want %d", header, a.status, want)
		}
	}
	if a := k.do("GET", "/nodes", "", "Authorization: Bearer "+k.viewer, "Authorization: Bearer "+k.operator); a.status != 401 {
		t.Errorf("with two keys: %d", a.status)
	}
	if a := k.do("OPTIONS", "/nodes", ""); a.status != 204 {
		t.Errorf("OPTIONS, which browsers send without a key: %d", a.status)
	}
}
