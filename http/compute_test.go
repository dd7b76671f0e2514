package http_test

import (
	"errors"
	"strings"
	"testing"

	"fairfactor"
)

func TestSubmitAnswersWithTheJobsPlace(t *testing.T) {
	s := start(t)
	a := s.post(`{"number":"0091"}`)
	if a.status != 202 || a.text("status") != "pending" || a.text("caller_id") != "alice" || a.text("number") != "91" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if len(a.doc) != 4 {
		t.Errorf("the 202 has other members than promised: %s", a.body)
	}
	if want := "/compute/" + a.text("request_id"); a.header.Get("Location") != want {
		t.Errorf("Location %q, want %q", a.header.Get("Location"), want)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" || a.header.Get("Server") != "fairfactor/test" {
		t.Errorf("header %v", a.header)
	}
	if got := s.do("GET", a.header.Get("Location"), ""); got.status != 200 || got.text("number") != "91" {
		t.Errorf("GET of the Location: %d %s", got.status, got.body)
	}
}

func TestNumbersAtTheEdge(t *testing.T) {
	s := start(t)
	digits := strings.Repeat("9", maxDigits)
	for _, row := range []struct {
		body   string
		status int
		kind   string
	}{
		{`{"number":"1"}`, 202, ""},
		{`{"number":"007"}`, 202, ""},
		{`{"number":"` + strings.Repeat("0", 5000) + digits + `"}`, 202, ""},
		{`{"number":7}`, 202, ""},
		{`{"number":123456789012345678901234567890}`, 202, ""},
		{" {\n\t\"number\" :\r\"7\" } \n", 202, ""},
		{`{"\u006eumber":"7"}`, 202, ""},
		{`{"number":"\u0037"}`, 202, ""},

		{`{"number":"0"}`, 422, "bad-number"},
		{`{"number":"000"}`, 422, "bad-number"},
		{`{"number":""}`, 422, "bad-number"},
		{`{"number":"-6"}`, 422, "bad-number"},
		{`{"number":"+6"}`, 422, "bad-number"},
		{`{"number":"1e9"}`, 422, "bad-number"},
		{`{"number":"0x10"}`, 422, "bad-number"},
		{`{"number":" 7"}`, 422, "bad-number"},
		{`{"number":"7 "}`, 422, "bad-number"},
		{`{"number":"7\n"}`, 422, "bad-number"},
		{`{"number":"7.0"}`, 422, "bad-number"},
		{`{"number":"1_000"}`, 422, "bad-number"},
		{`{"number":"٧"}`, 422, "bad-number"},
		{`{"number":"７"}`, 422, "bad-number"},
		{`{"number":"7\u0000"}`, 422, "bad-number"},
		{`{"number":"\ud800"}`, 422, "bad-number"},
		{`{"number":"9` + digits + `"}`, 422, "bad-number"},
		{`{"number":0}`, 422, "bad-number"},
		{`{"number":-6}`, 422, "bad-number"},
		{`{"number":-0}`, 422, "bad-number"},
		{`{"number":7.0}`, 422, "bad-number"},
		{`{"number":7.5}`, 422, "bad-number"},
		{`{"number":1e9}`, 422, "bad-number"},
		{`{"number":1E400}`, 422, "bad-number"},
		{`{"number":9` + digits + `}`, 422, "bad-number"},
		{`{"number":null}`, 422, "bad-number"},
		{`{"number":true}`, 422, "bad-number"},
		{`{"number":["7"]}`, 422, "bad-number"},
		{`{"number":{"number":"7"}}`, 422, "bad-number"},

		{``, 400, "bad-request"},
		{` `, 400, "bad-request"},
		{`{}`, 400, "bad-request"},
		{`[]`, 400, "bad-request"},
		{`7`, 400, "bad-request"},
		{`"7"`, 400, "bad-request"},
		{`null`, 400, "bad-request"},
		{`{"number":"7"`, 400, "bad-request"},
		{`{"number":"7",}`, 400, "bad-request"},
		{`{"number":"7"}}`, 400, "bad-request"},
		{`{"number":"7"} {"number":"8"}`, 400, "bad-request"},
		{`{"number":"7"}x`, 400, "bad-request"},
		{`{"number":"7"}` + "\x00", 400, "bad-request"},
		{`{"number":007}`, 400, "bad-request"},
		{`{"number":+7}`, 400, "bad-request"},
		{`{"number":0x10}`, 400, "bad-request"},
		{`{"number":NaN}`, 400, "bad-request"},
		{`{'number':'7'}`, 400, "bad-request"},
		{`{number:"7"}`, 400, "bad-request"},
		{`{"number":"7","number":"7"}`, 400, "bad-request"},
		{`{"number":"7","numbe\u0072":"8"}`, 400, "bad-request"},
		{`{"Number":"7"}`, 400, "bad-request"},
		{`{"number":"7","x":1}`, 400, "bad-request"},
		{`{"x":1}`, 400, "bad-request"},
		{`{"":"7"}`, 400, "bad-request"},
		{"{\"number\":\"7\xff\"}", 400, "bad-request"},
		{"{\"number\":\"7\n\"}", 400, "bad-request"},
		{"\xef\xbb\xbf" + `{"number":"7"}`, 400, "bad-request"},
		{`{"number":"7"/**/}`, 400, "bad-request"},
		{`{"number":` + strings.Repeat("[", 30000), 400, "bad-request"},
	} {
		a := s.post(row.body)
		if row.status == 202 {
			if a.status != 202 {
				t.Errorf("%.60q: %d %s", row.body, a.status, a.body)
			}
			continue
		}
		a.problem(t, "body "+row.body[:min(len(row.body), 60)], row.status, row.kind)
	}
}

func TestProblemNamesTheOffendingValue(t *testing.T) {
	s := start(t)
	a := s.post(`{"number":"` + strings.Repeat("12345", 60) + `"}`)
	a.problem(t, "300 digits", 422, "bad-number")
	if a.text("number") != "1234512345123451234512345123451234512345…" || a.number("max_digits") != maxDigits || a.number("length") != 300 {
		t.Errorf("the facts are wrong: %s", a.body)
	}
	a = s.post("{\"number\":\"\xc3\x28\"}")
	a.problem(t, "broken UTF-8", 400, "bad-request")
	a = s.do("POST", "/compute", `{"number":"7"}`, "X-Caller-ID: <script>")
	a.problem(t, "caller", 400, "bad-caller")
	if a.text("caller_id") != "<script>" {
		t.Errorf("the facts are wrong: %s", a.body)
	}
}

func TestCallerIDs(t *testing.T) {
	s := start(t)
	long := strings.Repeat("x", fairfactor.MaxCallerBytes)
	for _, row := range []struct {
		query   string
		headers []string
		caller  string // empty for a refusal
	}{
		{"", []string{"X-Caller-ID: a.B_c:d@e-9"}, "a.B_c:d@e-9"},
		{"", []string{"x-caller-id: lower"}, "lower"},
		{"?caller_id=query", nil, "query"},
		{"?caller_id=a%3Ab", nil, "a:b"},
		{"?caller_id=same", []string{"X-Caller-ID: same"}, "same"},
		{"?caller_id=same&caller_id=same", nil, "same"},
		{"", []string{"X-Caller-ID: twice", "X-Caller-ID: twice"}, "twice"},
		{"", []string{"X-Caller-ID: " + long}, long},
		{"", nil, ""},
		{"?caller_id=", nil, ""},
		{"", []string{"X-Caller-ID: "}, ""},
		{"?caller_id=", []string{"X-Caller-ID: some"}, ""},
		{"?caller_id=one", []string{"X-Caller-ID: two"}, ""},
		{"?caller_id=one&caller_id=two", nil, ""},
		{"", []string{"X-Caller-ID: one", "X-Caller-ID: two"}, ""},
		{"", []string{"X-Caller-ID: a b"}, ""},
		{"", []string{"X-Caller-ID: ."}, ""},
		{"", []string{"X-Caller-ID: .."}, ""},
		{"?caller_id=..", nil, ""},
		{"", []string{"X-Caller-ID: ..."}, "..."},
		{"", []string{"X-Caller-ID: a/b"}, ""},
		{"", []string{"X-Caller-ID: é"}, ""},
		{"?caller_id=a%00b", nil, ""},
		{"", []string{"X-Caller-ID: x" + long}, ""},
	} {
		a := s.do("POST", "/compute"+row.query, `{"number":"7"}`, append(row.headers, "Content-Type: application/json")...)
		if row.caller != "" {
			if a.status != 202 || a.text("caller_id") != row.caller {
				t.Errorf("%q %q: %d %s", row.query, row.headers, a.status, a.body)
			}
		} else if a.status != 400 {
			t.Errorf("%q %q: %d %s, want 400", row.query, row.headers, a.status, a.body)
		}
	}
}

func TestSameKeyGivesTheSameJob(t *testing.T) {
	s := start(t)
	key := "Idempotency-Key: " + strings.Repeat("k", fairfactor.MaxKeyBytes)
	first := s.post(`{"number":"91"}`, key)
	if first.status != 202 {
		t.Fatalf("%d %s", first.status, first.body)
	}
	id, err := fairfactor.ParseID(first.text("request_id"))
	if err != nil {
		t.Fatal(err)
	}
	s.jobs.begin(id, nil)
	again := s.post(`{"number":"0091"}`, key)
	if again.status != 202 || again.text("request_id") != id.String() || again.text("status") != "running" {
		t.Errorf("while it runs: %d %s", again.status, again.body)
	}
	s.jobs.finish(id, fairfactor.Completed, []fairfactor.Factor{{Prime: "7", Exponent: 1}, {Prime: "13", Exponent: 1}}, "")
	again = s.post(`{"number":"91"}`, key)
	if again.status != 200 || again.text("request_id") != id.String() || !strings.Contains(again.body, `"result":{"7":1,"13":1}`) {
		t.Errorf("when it is done: %d %s", again.status, again.body)
	}
	other := s.post(`{"number":"92"}`, key)
	other.problem(t, "the key with another number", 422, "key-in-use")
	if other.text("number") != "92" {
		t.Errorf("the facts are wrong: %s", other.body)
	}
	s.post(`{"number":"91"}`, key+"k").problem(t, "a longer key", 400, "bad-request")
	if stranger := s.do("POST", "/compute?caller_id=bob", `{"number":"91"}`, key, "Content-Type: application/json"); stranger.status != 202 || stranger.text("request_id") == id.String() {
		t.Errorf("another caller's job with the same key: %d %s", stranger.status, stranger.body)
	}
}

func TestPreferWait(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.post(`{"number":"91"}`, "Prefer: wait=0")
	if a.status != 202 || a.header.Get("Preference-Applied") != "wait=0" {
		t.Errorf("wait=0: %d %v %s", a.status, a.header, a.body)
	}
	a = s.post(`{"number":"91"}`, "Prefer: wait=1")
	if a.status != 202 || a.text("status") != "pending" || a.header.Get("Preference-Applied") != "wait=1" {
		t.Errorf("a job that does not end in time: %d %s", a.status, a.body)
	}
	for _, header := range []string{"wait=x", "wait", "wait=", "wait=-1", "wait=1.5", "wait=9999999999", "respond-async"} {
		if a := s.post(`{"number":"91"}`, "Prefer: "+header); a.status != 202 || a.header.Get("Preference-Applied") != "" {
			t.Errorf("Prefer: %s: %d %v", header, a.status, a.header)
		}
	}
	for _, query := range []string{"x", "", "-1", "1.5", "9999999999"} {
		s.do("POST", "/compute?caller_id=alice&wait="+query, `{"number":"91"}`).problem(t, "wait="+query, 400, "bad-request")
	}
	for _, header := range []string{"wait=30", "WAIT = 30", `wait="30"`, "respond-async, wait=30;strict", "wait=100000"} {
		done := make(chan *answer, 1)
		before := s.jobs.count()
		go func() { done <- s.post(`{"number":"91"}`, "Prefer: "+header) }()
		eventually(t, "the job is accepted", func() bool { return s.jobs.count() > before })
		s.jobs.finish(s.jobs.last(), fairfactor.Completed, []fairfactor.Factor{{Prime: "7", Exponent: 1}, {Prime: "13", Exponent: 1}}, "")
		a := <-done
		want := "wait=30"
		if header == "wait=100000" {
			want = "wait=60"
		}
		if a.status != 200 || a.text("status") != "completed" || a.header.Get("Preference-Applied") != want || a.header.Get("Location") == "" {
			t.Errorf("Prefer: %s: %d %v %s", header, a.status, a.header, a.body)
		}
	}
}

func TestRefusalsOfJobsAndNode(t *testing.T) {
	s := start(t)
	s.jobs.maxQueue = 2
	s.submit("7")
	id := s.submit("8")
	full := s.post(`{"number":"9"}`)
	full.problem(t, "a full queue", 429, "limit")
	if full.header.Get("Retry-After") != "2" || full.number("retry_after") != 2 {
		t.Errorf("Retry-After %q for 1.5 s", full.header.Get("Retry-After"))
	}
	s.notReady(fairfactor.Errorf(fairfactor.Unavailable, "the node is draining: use another one"))
	for _, path := range []string{"/compute", "/compute/batch", "/compute/" + id.String() + "/retry"} {
		a := s.do("POST", path, `{"number":"9"}`, "X-Caller-ID: alice")
		a.problem(t, path+" while draining", 503, "unavailable")
		if a.header.Get("Retry-After") == "" || a.text("detail") != "the node is draining: use another one" {
			t.Errorf("%s while draining: %v %s", path, a.header, a.body)
		}
	}
	s.do("GET", "/readyz", "").problem(t, "/readyz while draining", 503, "unavailable")
	for _, path := range []string{"/compute/" + id.String(), "/compute", "/callers/alice", "/livez"} {
		if a := s.do("GET", path, ""); a.status != 200 {
			t.Errorf("GET %s while draining: %d", path, a.status)
		}
	}
	s.notReady(nil)
	if a := s.do("GET", "/readyz", ""); a.status != 200 {
		t.Errorf("/readyz: %d", a.status)
	}
}

func TestEveryCodeHasItsStatus(t *testing.T) {
	s := start(t)
	id := s.submit("7").String()
	secret := errors.New("secret: /var/lib/jobs")
	for _, row := range []struct {
		code   fairfactor.Code
		status int
		kind   string
	}{
		{fairfactor.Invalid, 400, "bad-request"},
		{fairfactor.NotFound, 404, "not-found"},
		{fairfactor.Conflict, 409, "conflict"},
		{fairfactor.Limit, 429, "limit"},
		{fairfactor.Unavailable, 503, "unavailable"},
		{fairfactor.Canceled, 503, "unavailable"},
		{fairfactor.Internal, 500, "internal"},
		{"unheard of", 500, "internal"},
	} {
		s.jobs.fail(fairfactor.Wrap(row.code, secret, "a sentence"))
		for _, a := range []*answer{
			s.post(`{"number":"7"}`), s.do("GET", "/compute/"+id, ""), s.do("GET", "/compute/"+id+"?wait=1", ""), s.do("GET", "/compute", ""),
			s.do("DELETE", "/compute/"+id, ""), s.do("POST", "/compute/"+id+"/retry", ""), s.do("GET", "/callers", ""), s.do("GET", "/callers/alice", ""),
			s.do("PUT", "/callers/alice", `{"weight":2}`), s.do("GET", "/fairness", ""), s.do("GET", "/nodes", ""),
		} {
			a.problem(t, string(row.code), row.status, row.kind)
			if strings.Contains(a.body, "secret") || (row.status == 500) == strings.Contains(a.body, "a sentence") {
				t.Errorf("%s: %s", row.code, a.body)
			}
			if row.status == 503 || row.status == 429 {
				if a.header.Get("Retry-After") != "1" {
					t.Errorf("%s: Retry-After is %q", row.code, a.header.Get("Retry-After"))
				}
			}
		}
	}
	s.jobs.fail(fairfactor.Wrap(fairfactor.Unavailable, fairfactor.ErrUnanswered, "a sentence"))
	s.post(`{"number":"7"}`).problem(t, "an answer that was lost", 504, "unanswered")
	s.jobs.fail(secret)
	s.post(`{"number":"7"}`).problem(t, "an error without a code", 500, "internal")
	if !strings.Contains(s.log.String(), "secret") {
		t.Error("the cause of a 500 is not in the log")
	}
}

// TestKeysThatCanNotBeOne: a key is one header of printable ASCII.
func TestKeysThatCanNotBeOne(t *testing.T) {
	s := start(t)
	for _, headers := range [][]string{
		{"Idempotency-Key: a", "Idempotency-Key: b"},
		{"Idempotency-Key: \xff\xfe"},
		{"Idempotency-Key: " + strings.Repeat("k", fairfactor.MaxKeyBytes+1)},
	} {
		if a := s.post(`{"number":"91"}`, headers...); a.status != 400 {
			t.Errorf("%q: %d %s", headers, a.status, a.body)
		}
	}
	if n := s.jobs.count(); n != 0 {
		t.Errorf("%d jobs were accepted", n)
	}
}
