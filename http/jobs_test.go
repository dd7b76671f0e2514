package http_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"fairfactor"
)

var sevenThirteen = []fairfactor.Factor{{Prime: "7", Exponent: 1}, {Prime: "13", Exponent: 1}}

func TestJobInEachState(t *testing.T) {
	s := start(t)
	get := func(id fairfactor.ID) *answer { return s.do("GET", "/compute/"+id.String(), "") }
	id := s.submit("91")
	if a := get(id); a.status != 200 || a.body != fmt.Sprintf(`{"request_id":"%s","caller_id":"alice","number":"91","status":"pending","result":null,`+
		`"submitted_at":"2024-05-06T07:08:09.124456Z","started_at":null,"finished_at":null,"attempts":0,"turn":0,"cpu_us":0,"error":null}`+"\n", id) {
		t.Errorf("pending: %d %s", a.status, a.body)
	}
	s.jobs.begin(id, &fairfactor.Progress{Phase: `sieve "x"`, Percent: 12.5, Left: 1500 * time.Millisecond, Found: sevenThirteen[:1], Remaining: []string{"13"}})
	if a := get(id); !strings.Contains(a.body, `"status":"running"`) || !strings.Contains(a.body, `"started_at":"2024-05-06T07:08:09.125456Z"`) || a.header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(a.body, `"progress":{"phase":"sieve \"x\"","percent":12.5,"left_seconds":1.5,"found":{"7":1},"remaining":["13"]}`) {
		t.Errorf("running: %v %s", a.header, a.body)
	}
	s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	if a := get(id); a.text("status") != "completed" || !strings.Contains(a.body, `"result":{"7":1,"13":1}`) || a.number("turn") != 1 || a.number("cpu_us") != 1234 || a.number("attempts") != 1 || strings.Contains(a.body, "progress") {
		t.Errorf("completed: %s", a.body)
	}

	one := s.submit("1")
	s.jobs.finish(one, fairfactor.Completed, nil, "")
	if a := get(one); !strings.Contains(a.body, `"result":{}`) {
		t.Errorf("1: %s", a.body)
	}
	big := s.submit("8")
	s.jobs.finish(big, fairfactor.Completed, []fairfactor.Factor{{Prime: "2", Exponent: 3}, {Prime: "1009", Exponent: 1, Probable: true}, {Prime: "1013", Exponent: 1, Probable: true}}, "")
	if a := get(big); !strings.Contains(a.body, `"result":{"2":3,"1009":1,"1013":1},"probable":["1009","1013"],`) {
		t.Errorf("probable primes: %s", a.body)
	}
	failed := s.submit("91")
	s.jobs.finish(failed, fairfactor.Failed, sevenThirteen[:1], "took too much\x00 \xff CPU\n")
	if a := get(failed); a.text("status") != "failed" || !strings.Contains(a.body, `"result":null,"found":{"7":1},`) || a.text("error") != "took too much\x00 \uFFFD CPU\n" {
		t.Errorf("failed: %s", a.body)
	}
}

func TestUnknownJobs(t *testing.T) {
	s := start(t)
	known := s.submit("7").String()
	unknown := fairfactor.ID{Nonce: 1, Caller: 99, Seq: 1}.String()
	for _, id := range []string{"230432", unknown, known[:25], known + "0", strings.ToUpper(known) + "x", "..", "%2e%2e", "%", "%zz", "%00", "a%2Fb", strings.Repeat("x", 3000), "batch%20"} {
		for _, what := range []string{"GET ", "GET ?wait=1", "DELETE ", "POST /retry"} {
			method, rest, _ := strings.Cut(what, " ")
			a, err := s.raw(method, "/compute/"+id+rest)
			if err != nil {
				t.Errorf("%s /compute/%.40s%s: %v", method, id, rest, err)
				continue
			}
			a.problem(t, method+" /compute/"+id[:min(len(id), 40)]+rest, 404, "not-found")
		}
	}
}

func TestEntityTags(t *testing.T) {
	s := start(t)
	id := s.submit("91")
	path := "/compute/" + id.String()
	pending := s.do("GET", path, "")
	tag := pending.header.Get("Etag")
	if len(tag) != 18 {
		t.Fatalf("ETag %q", tag)
	}
	if a := s.do("GET", path, "", "If-None-Match: "+tag); a.status != 304 || a.body != "" || a.header.Get("Etag") != tag {
		t.Errorf("the same tag: %d %q", a.status, a.body)
	}
	s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
	a := s.do("GET", path, "", "If-None-Match: "+tag)
	if a.status != 200 || a.header.Get("Etag") == tag || a.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("the job has changed: %d %v", a.status, a.header)
	}
	tag = a.header.Get("Etag")
	for header, status := range map[string]int{
		tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, `"x",W/` + tag + ` , "y"`: 304, "*": 304,
		`"x"`: 200, strings.Trim(tag, `"`): 200, "": 200, "**": 200,
	} {
		if a := s.do("GET", path+"?wait=60", "", "If-None-Match: "+header); a.status != status {
			t.Errorf("If-None-Match: %s: %d, want %d", header, a.status, status)
		}
	}
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, how := range []struct{ query, header string }{{"?wait=60", "X: y"}, {"", "Prefer: wait=60"}, {"?wait=99999", "X: y"}} {
		id := s.submit("91")
		done := make(chan *answer, 1)
		go func() { done <- s.do("GET", "/compute/"+id.String()+how.query, "", how.header) }()
		s.jobs.begin(id, nil)
		s.jobs.finish(id, fairfactor.Completed, sevenThirteen, "")
		select {
		case a := <-done:
			if a.status != 200 || a.text("status") != "completed" || (a.header.Get("Preference-Applied") != "") != (how.query == "") {
				t.Errorf("%v: %d %v %s", how, a.status, a.header, a.body)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%v: no answer though the job has ended", how)
		}
	}
	id := s.submit("91").String()
	begun := time.Now()
	if a := s.do("GET", "/compute/"+id+"?wait=1", ""); a.status != 200 || a.text("status") != "pending" || time.Since(begun) < time.Second {
		t.Errorf("a job that does not end: %d %s after %v", a.status, a.body, time.Since(begun))
	}
	for _, bad := range []string{"x", "-1", "1.5", "1s", "", "%201"} {
		s.do("GET", "/compute/"+id+"?wait="+bad, "").problem(t, "wait="+bad, 400, "bad-request")
	}
	if a := s.do("GET", "/compute/"+id, "", "Prefer: wait=soon"); a.status != 200 || a.header.Get("Preference-Applied") != "" {
		t.Errorf("nonsense in Prefer: %d %v", a.status, a.header)
	}
}

func TestListPages(t *testing.T) {
	s := start(t)
	var want []string
	for i := range 25 {
		caller := []string{"alice", "bob"}[i%2]
		a := s.do("POST", "/compute", fmt.Sprintf(`{"number":"%d"}`, 100+i), "X-Caller-ID: "+caller)
		want = append(want, a.text("request_id"))
	}
	var got []string
	pages, next := 0, ""
	for {
		a := s.do("GET", "/compute?limit=7&cursor="+url.QueryEscape(next), "")
		jobs, ok := a.doc["jobs"].([]any)
		if a.status != 200 || !ok || len(jobs) > 7 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, j := range jobs {
			got = append(got, j.(map[string]any)["request_id"].(string))
		}
		pages++
		if next = a.text("next"); next == "" {
			if value, there := a.doc["next"]; !there || value != nil {
				t.Errorf("next on the last page is %v", value)
			}
			break
		}
	}
	if pages != 4 || len(got) != len(want) {
		t.Fatalf("%d jobs on %d pages", len(got), pages)
	}
	for i := range got {
		if got[i] != want[len(want)-1-i] {
			t.Fatalf("job %d is %s, want %s: newest first", i, got[i], want[len(want)-1-i])
		}
	}
	if a := s.do("GET", "/compute?caller_id=bob&status=pending&limit=1000", ""); len(a.doc["jobs"].([]any)) != 12 || strings.Contains(a.body, "alice") {
		t.Errorf("bob's: %s", a.body)
	}
	if a := s.do("GET", "/compute?status=failed", ""); a.body != `{"jobs":[],"next":null}`+"\n" {
		t.Errorf("none: %s", a.body)
	}
}

func TestListRefusals(t *testing.T) {
	s := start(t)
	s.submit("7")
	for _, query := range []string{
		"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1.0", "limit=1&limit=2", "status=done", "status=Pending", "status=state(1)",
		"caller_id=a/b", "caller_id=a&caller_id=b", "cursor=nonsense", "cursor=c-99", "cursor=%00",
	} {
		if a := s.do("GET", "/compute?"+query, ""); a.status != 400 {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "after=" + strings.Repeat("x", 65), "after=a&after=b"} {
		s.do("GET", "/callers?"+query, "").problem(t, query, 400, "bad-request")
	}
}

func TestCancelAndRetry(t *testing.T) {
	s := start(t)
	id := s.submit("91")
	path := "/compute/" + id.String()
	s.do("POST", path+"/retry", "").problem(t, "retry of a pending job", 409, "conflict")
	if a := s.do("DELETE", path, ""); a.status != 200 || a.text("status") != "cancelled" || a.text("finished_at") == "" {
		t.Errorf("cancel: %d %s", a.status, a.body)
	}
	again := s.do("DELETE", path, "")
	again.problem(t, "a second cancel", 409, "conflict")
	if again.text("request_id") != id.String() {
		t.Errorf("the facts are wrong: %s", again.body)
	}
	id = s.submit("91")
	path = "/compute/" + id.String()
	s.jobs.finish(id, fairfactor.Failed, nil, "too hard")
	if a := s.do("POST", path+"/retry", ""); a.status != 202 || a.text("status") != "pending" || a.header.Get("Location") != path {
		t.Errorf("retry: %d %v %s", a.status, a.header, a.body)
	}
}

func TestCallers(t *testing.T) {
	s := start(t)
	// Callers named . and .. come from versions that took them; they stay reachable.
	for _, name := range []string{"carol", "alice", "..", ".", "b:o@b"} {
		if _, err := s.jobs.Submit(deadline(), name, []fairfactor.Submission{{Number: "91"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	a := s.do("GET", "/callers?limit=2", "")
	if a.status != 200 || a.text("next") != ".." || !strings.HasPrefix(a.body, `{"callers":[{"caller_id":".","group":null,"weight":1,"paused":false,"queued":1,"running":0,"completed":0,"failed":0,"cancelled":0,"cpu_seconds":0,"turns":0,"oldest_waiting_seconds":`) {
		t.Errorf("first page: %d %s", a.status, a.body)
	}
	for path, want := range map[string]string{"?prefix=a": "alice", "?prefix=alice": "alice", "?prefix=b:o": "b:o@b", "?prefix=alicf": "", "?prefix=.&limit=1": ".", "?prefix=c&sort=name": "carol"} {
		a := s.do("GET", "/callers"+path, "")
		if a.status != 200 || strings.Count(a.body, "caller_id") != min(len(want), 1) || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s, want %q", path, a.status, a.body, want)
		}
	}
	if _, err := s.jobs.Submit(deadline(), "carol", []fairfactor.Submission{{Number: "91"}}, nil); err != nil {
		t.Fatal(err)
	}
	busy := s.do("GET", "/callers?sort=-queued&limit=1", "")
	if busy.status != 200 || strings.Count(busy.body, "caller_id") != 1 || !strings.Contains(busy.body, `"caller_id":"carol"`) || busy.text("next") == "" {
		t.Errorf("the busiest: %d %s", busy.status, busy.body)
	}
	if rest := s.do("GET", "/callers?sort=-queued&after="+url.QueryEscape(busy.text("next")), ""); rest.status != 200 || strings.Count(rest.body, "caller_id") != 4 || rest.doc["next"] != nil {
		t.Errorf("the others: %d %s", rest.status, rest.body)
	}
	if a := s.do("GET", "/callers?sort=-cpu&prefix=b", ""); a.status != 200 || strings.Count(a.body, "caller_id") != 1 {
		t.Errorf("by CPU: %d %s", a.status, a.body)
	}
	s.do("GET", "/callers?sort=queued", "").problem(t, "an order without an index", 400, "bad-request")
	s.do("GET", "/callers?sort=-running&after=x", "").problem(t, "no cursor of that order", 400, "bad-request")
	s.do("GET", "/callers?prefix=%20", "").problem(t, "no prefix", 400, "bad-request")
	a = s.do("GET", "/callers?limit=5&after=..", "")
	if len(a.doc["callers"].([]any)) != 3 || a.doc["next"] != nil {
		t.Errorf("second page: %d %s", a.status, a.body)
	}
	for _, name := range []string{"..", ".", "%2e%2e", "b:o@b", "b%3Ao%40b"} {
		plain, err := url.PathUnescape(name)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := s.raw("GET", "/callers/"+name); err != nil || a.status != 200 || a.text("caller_id") != plain || a.text("oldest_submitted_at") == "" || a.number("oldest_waiting_seconds") <= 0 {
			t.Errorf("GET /callers/%s: %v %+v", name, err, a)
		}
	}
	s.do("GET", "/callers/stranger", "").problem(t, "an unknown caller", 404, "not-found")
	s.do("GET", "/callers/a%20b", "").problem(t, "no caller's name", 400, "bad-caller")
	if a := s.do("PUT", "/callers/alice", ` {"weight": 1000} `, "Content-Type: application/json"); a.status != 200 || a.number("weight") != 1000 {
		t.Errorf("weight: %d %s", a.status, a.body)
	}
	for body, status := range map[string]int{
		`{"weight":0}`: 422, `{"weight":1001}`: 422, `{"weight":-1}`: 422, `{"weight":1.5}`: 422, `{"weight":2e0}`: 422, `{"weight":"2"}`: 422, `{"weight":null}`: 422,
		`{"weight":99999999999999999999}`: 422, `{}`: 400, `{"weight":2,"weight":3}`: 400, `{"weight":2,"x":1}`: 400, ``: 400, `2`: 400, `{"weight":+2}`: 400, `{"weight":02}`: 400,
	} {
		if a := s.do("PUT", "/callers/alice", body); a.status != status {
			t.Errorf("PUT %s: %d %s, want %d", body, a.status, a.body, status)
		}
	}
	s.do("PUT", "/callers/alice", "weight=2", "Content-Type: text/plain").problem(t, "another type", 415, "unsupported-media-type")
}

func TestFairnessAndNodes(t *testing.T) {
	s := start(t)
	s.submit("7")
	if a := s.do("GET", "/fairness", ""); a.body != `{"quantum_us":100,"bound_us":600000,"lag_us":12000,"max_lag_us":80000,"jain":0.98765,"violations":0,"active":3,"dormant":1,"waiting":40,"open":2,"handed_out":0,"epoch":7,`+
		`"between_groups":{"in_line":2,"bound_us":600000,"lag_us":12000,"max_lag_us":80000,"violations":3},"inside_groups":{"in_line":1,"bound_us":1000000,"lag_us":1000,"max_lag_us":2000,"violations":0},`+
		`"unfinished_jobs":0,"backlog_cpu_us":0,"oldest_waiting_since":null}`+"\n" {
		t.Errorf("fairness: %s", a.body)
	}
	if a := s.do("GET", "/nodes", ""); a.body != `{"nodes":[{"id":"01j","name":"one","address":"127.0.0.1:1","gossip":"127.0.0.1:2","state":"alive","self":true,"workers":[`+
		`{"caller_id":null,"request_id":null,"number":null,"since":null},{"caller_id":"alice","request_id":"5x9k2m7qj4tw0000000g000001","number":"91","since":"2024-05-06T07:08:09.124456Z"}],`+
		`"accepted":9,"completed":5,"failed":2,"cancelled":1,"turns":12,"cpu_seconds":2.5}]}`+"\n" {
		t.Errorf("nodes: %s", a.body)
	}
}
