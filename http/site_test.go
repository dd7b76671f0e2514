package http_test

import (
	"compress/gzip"
	"io"
	"net/netip"
	"strings"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
)

// startAs starts a server that knows where it is.
func startAs(t *testing.T, change func(*httpd.Config)) *service {
	t.Helper()
	return startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		change(&cfg)
		return httpd.New(cfg)
	})
}

// ask sends a request with a Host and other header lines.
func (s *service) ask(method, path, host string, lines ...string) *answer {
	s.t.Helper()
	head := method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, line := range lines {
		head += line + "\r\n"
	}
	a, err := s.exchange(head + "Connection: close\r\nContent-Length: 14\r\n\r\n" + `{"number":"7"}`)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// TestHosts: a page that makes a browser take a name of its own for the node's
// address (DNS rebinding) gets nothing.
func TestHosts(t *testing.T) {
	s := startAs(t, func(cfg *httpd.Config) { cfg.Hosts = []string{"factor.example.com", ".internal"} })
	for host, known := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:5555": true, "192.168.1.7:80": true, "[::1]": true, "[::1]:5555": true, "localhost": true, "localhost:5555": true,
		"a.localhost": true, "node": true, "node-1:5555": true, "factor.example.com": true, "FACTOR.example.com:443": true, "factor.example.com.": true, "a.b.internal": true,
		"evil.example": false, "evil.example:5555": false, "example.com": false, "xfactor.example.com": false, "127.0.0.1.evil.example": false, "1.example": false,
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS"} {
			a := s.ask(method, "/compute", host, "X-Caller-ID: a")
			if known == (a.status == 421) {
				t.Errorf("%s with Host %s: %d %s", method, host, a.status, a.body)
			}
			if !known {
				a.problem(t, method+" with Host "+host, 421, "unknown-host")
			}
		}
	}
	any := startAs(t, func(cfg *httpd.Config) { cfg.Hosts = []string{"*"} })
	if a := any.ask("GET", "/livez", "evil.example"); a.status != 200 {
		t.Errorf("a node that takes any Host: %d", a.status)
	}
}

// TestOrigins: pages of other sites can neither submit nor read, unless they are
// allowed.
func TestOrigins(t *testing.T) {
	s := startAs(t, func(cfg *httpd.Config) {
		cfg.Origins, cfg.TrustedProxies = []string{"https://app.example.com"}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for _, row := range []struct {
		what    string
		allowed bool
		lines   []string
	}{
		{"no origin", true, nil},
		{"its own", true, []string{"Origin: http://node:1"}},
		{"one that is allowed", true, []string{"Origin: https://app.example.com"}},
		{"a browser's word", true, []string{"Origin: https://proxy.example", "Sec-Fetch-Site: same-origin"}},
		{"the proxy's own", true, []string{"Origin: https://proxy.example", "X-Forwarded-Host: proxy.example"}},
		{"a stranger's", false, []string{"Origin: https://evil.example"}},
		{"a stranger's, cross-site", false, []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}},
		{"a file's", false, []string{"Origin: null"}},
		{"another port", false, []string{"Origin: http://node:2"}},
		{"the allowed one's neighbour", false, []string{"Origin: https://app.example.com.evil.example"}},
	} {
		for _, method := range []string{"GET", "POST"} {
			a := s.ask(method, "/compute", "node:1", append(row.lines, "X-Caller-ID: a", "Content-Type: application/json")...)
			if row.allowed != (a.status < 300) {
				t.Errorf("%s with %s: %d %s", method, row.what, a.status, a.body)
			}
			if !row.allowed {
				a.problem(t, method+" with "+row.what, 403, "foreign-origin")
			}
		}
	}
	before := s.jobs.count()
	s.ask("POST", "/compute", "node", "Origin: https://evil.example", "Content-Type: text/plain", "X-Caller-ID: a").problem(t, "what a beacon sends", 403, "foreign-origin")
	s.ask("POST", "/compute?caller_id=a", "node").problem(t, "a request that needs no preflight", 415, "unsupported-media-type")
	s.ask("POST", "/compute?caller_id=a", "node", "Content-Type: application/x-www-form-urlencoded").problem(t, "a form", 415, "unsupported-media-type")
	s.ask("POST", "/compute/batch?caller_id=a", "node").problem(t, "a batch that needs no preflight", 415, "unsupported-media-type")
	if n := s.jobs.count(); n != before {
		t.Errorf("%d jobs of strangers", n-before)
	}
}

func TestCORS(t *testing.T) {
	s := startAs(t, func(cfg *httpd.Config) { cfg.Origins = []string{"https://app.example.com"} })
	a := s.ask("OPTIONS", "/compute", "node", "Origin: https://app.example.com", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-caller-id")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "X-Caller-ID") ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "POST") || a.header.Get("Access-Control-Max-Age") == "" || a.header.Get("Vary") != "Origin" {
		t.Errorf("a preflight: %d %v", a.status, a.header)
	}
	a = s.ask("POST", "/compute", "node", "Origin: https://app.example.com", "X-Caller-ID: a")
	if a.status != 202 || a.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "Location") {
		t.Errorf("a submission: %d %v", a.status, a.header)
	}
	a = s.ask("OPTIONS", "/compute", "node", "Origin: https://evil.example", "Access-Control-Request-Method: POST")
	if a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("a stranger's preflight: %v", a.header)
	}
	if a := s.ask("GET", "/livez", "node"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without an origin: %v", a.header)
	}
	any := startAs(t, func(cfg *httpd.Config) { cfg.Origins = []string{"*"} })
	if a := any.ask("GET", "/livez", "node", "Origin: https://evil.example"); a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != "https://evil.example" {
		t.Errorf("any origin: %d %v", a.status, a.header)
	}
}

func TestChecks(t *testing.T) {
	for _, row := range []struct {
		check     func(string) error
		good, bad []string
	}{
		{httpd.CheckHost, []string{"example.com", ".example.com", "*", "node"}, []string{"", "http://a", "a:80", "*.example.com", "a b"}},
		{httpd.CheckOrigin, []string{"https://a.example", "http://localhost:3000", "*"}, []string{"", "a.example", "https://a.example/", "https://A.example", "ftp://a", "https://u@a.example"}},
		{httpd.CheckBasePath, []string{"", "/a", "/a/b-c_d.e~f"}, []string{"/", "a", "/a/", "//a", "/a//b", "/a b", "/\r\n", "/" + strings.Repeat("x", 128)}},
	} {
		for _, text := range row.good {
			if err := row.check(text); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		for _, text := range row.bad {
			if err := row.check(text); fairfactor.CodeOf(err) != fairfactor.Invalid {
				t.Errorf("%q is taken: %v", text, err)
			}
		}
	}
}

// TestLocationHasThePrefix that a proxy has cut off.
func TestLocationHasThePrefix(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, row := range []struct {
		what, base string
		proxies    []netip.Prefix
		path       string
		line       string
		prefix     string
	}{
		{"no prefix", "", nil, "/compute", "X: y", "/compute/"},
		{"a base path that the proxy cuts off", "/ff", nil, "/compute", "X: y", "/ff/compute/"},
		{"a base path that it leaves", "/ff", nil, "/ff/compute", "X: y", "/ff/compute/"},
		{"a trusted proxy", "", loopback, "/compute", "X-Forwarded-Prefix: /a/b", "/a/b/compute/"},
		{"a trusted proxy and a base path", "/ff", loopback, "/compute", "X-Forwarded-Prefix: /a", "/a/compute/"},
		{"a stranger", "", nil, "/compute", "X-Forwarded-Prefix: /a", "/compute/"},
		{"nonsense", "", loopback, "/compute", "X-Forwarded-Prefix: //evil.example", "/compute/"},
	} {
		s := startAs(t, func(cfg *httpd.Config) { cfg.BasePath, cfg.TrustedProxies = row.base, row.proxies })
		a := s.ask("POST", row.path, "node", "X-Caller-ID: a", row.line)
		want := row.prefix + a.text("request_id")
		if a.status != 202 || a.header.Get("Location") != want {
			t.Errorf("%s: %d, Location %q, want %q", row.what, a.status, a.header.Get("Location"), want)
		}
		s.jobs.finish(s.jobs.last(), fairfactor.Failed, nil, "too hard")
		a = s.ask("POST", row.path+"/"+a.text("request_id")+"/retry", "node", row.line)
		if a.status != 202 || a.header.Get("Location") != want {
			t.Errorf("%s: a retry: %d, Location %q, want %q", row.what, a.status, a.header.Get("Location"), want)
		}
	}
	s := startAs(t, func(cfg *httpd.Config) { cfg.BasePath = "/ff" })
	for path, status := range map[string]int{"/ff": 200, "/ff/": 200, "/": 200, "/ff/livez": 200, "/fflivez": 404, "/ff/ff/livez": 404} {
		if a := s.do("GET", path, ""); a.status != status {
			t.Errorf("GET %s: %d, want %d", path, a.status, status)
		}
	}
}

// TestGroups: the server says which group a new caller is put in.
func TestGroups(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, row := range []struct {
		what    string
		by      httpd.GroupBy
		proxies []netip.Prefix
		caller  string
		lines   []string
		group   string
	}{
		{"none", httpd.GroupByNone, nil, "team:alice", nil, ""},
		{"a prefix", httpd.GroupByPrefix, nil, "team:alice:2", nil, "team"},
		{"no prefix", httpd.GroupByPrefix, nil, "alice", nil, ""},
		{"an empty prefix", httpd.GroupByPrefix, nil, ":alice", nil, ""},
		{"an address", httpd.GroupByAddress, nil, "a", nil, "127.0.0.1"},
		{"a stranger's word", httpd.GroupByAddress, nil, "a", []string{"X-Forwarded-For: 1.2.3.4"}, "127.0.0.1"},
		{"a proxy's word", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 1.2.3.4"}, "1.2.3.4"},
		{"what the client has put before it", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
		{"two proxies", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 6.6.6.6, 1.2.3.4,10.1.2.3"}, "1.2.3.4"},
		{"two lines", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 10.1.2.3"}, "1.2.3.4"},
		{"proxies only", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 10.9.9.9, 10.1.2.3"}, "10.9.9.9"},
		{"a port", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 1.2.3.4:567"}, "1.2.3.4"},
		{"IPv6 with a port", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: [2001:db8:1:2:3::4]:567"}, "2001:db8:1:2::"},
		{"IPv6", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 2001:db8:1:2:3::4"}, "2001:db8:1:2::"},
		{"IPv4 in IPv6", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: ::ffff:1.2.3.4"}, "1.2.3.4"},
		{"nonsense", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: 1.2.3.4, unknown"}, "127.0.0.1"},
		{"an empty list", httpd.GroupByAddress, loopback, "a", []string{"X-Forwarded-For: ,"}, "127.0.0.1"},
	} {
		s := startAs(t, func(cfg *httpd.Config) { cfg.GroupBy, cfg.TrustedProxies = row.by, row.proxies })
		if a := s.ask("POST", "/compute", "node", append(row.lines, "X-Caller-ID: "+row.caller)...); a.status != 202 {
			t.Errorf("%s: %d %s", row.what, a.status, a.body)
			continue
		}
		if a := s.do("GET", "/callers/"+row.caller, ""); a.text("group") != row.group || row.group == "" && a.doc["group"] != nil {
			t.Errorf("%s: group %v, want %q", row.what, a.doc["group"], row.group)
		}
		if a := s.ask("POST", "/compute/batch", "node", append(row.lines, "X-Caller-ID: "+row.caller+"2")...); a.status != 200 {
			t.Errorf("%s: a batch: %d %s", row.what, a.status, a.body)
		}
		if a := s.do("GET", "/callers/"+row.caller+"2", ""); a.text("group") != row.group {
			t.Errorf("%s: a batch: group %v, want %q", row.what, a.doc["group"], row.group)
		}
	}
	if by, err := httpd.ParseGroupBy("address"); by != httpd.GroupByAddress || err != nil {
		t.Errorf("address: %v %v", by, err)
	}
	if _, err := httpd.ParseGroupBy("name"); fairfactor.CodeOf(err) != fairfactor.Invalid {
		t.Errorf("name: %v", err)
	}
}

func TestGroupsChange(t *testing.T) {
	s := start(t)
	s.submit("7")
	if a := s.do("PUT", "/callers/alice", `{"group":"team-a"}`); a.status != 200 || a.text("group") != "team-a" || a.number("weight") != 1 {
		t.Errorf("a group: %d %s", a.status, a.body)
	}
	if a := s.do("PUT", "/callers/alice", `{"weight":3,"group":"team-b"}`); a.status != 200 || a.text("group") != "team-b" || a.number("weight") != 3 {
		t.Errorf("both: %d %s", a.status, a.body)
	}
	for _, body := range []string{`{"group":""}`, `{"group":null}`} {
		if a := s.do("PUT", "/callers/alice", body); a.status != 200 || a.doc["group"] != nil || a.number("weight") != 3 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	for _, body := range []string{`{"group":"a b"}`, `{"group":7}`, `{"group":"` + strings.Repeat("x", 65) + `"}`} {
		s.do("PUT", "/callers/alice", body).problem(t, body, 422, "bad-group")
	}
	s.do("PUT", "/callers/stranger", `{"group":"a"}`).problem(t, "an unknown caller", 404, "not-found")
	if a := s.do("PUT", "/groups/team-a", `{"weight":4}`); a.status != 200 || a.body != `{"group":"team-a","weight":4}`+"\n" || s.jobs.groups["team-a"] != 4 {
		t.Errorf("a group's weight: %d %s", a.status, a.body)
	}
	s.do("PUT", "/groups/team-a", `{"weight":0}`).problem(t, "no weight", 422, "bad-weight")
	s.do("PUT", "/groups/team-a", `{}`).problem(t, "nothing", 400, "bad-request")
	s.do("PUT", "/groups/a%20b", `{"weight":1}`).problem(t, "no name", 422, "bad-group")
}

// TestCompression of answers that are long, for clients that take it.
func TestCompression(t *testing.T) {
	s := start(t)
	id := s.submit(strings.Repeat("7", 200))
	remaining := make([]string, 20)
	for i := range remaining {
		remaining[i] = strings.Repeat("123456789", 10)
	}
	s.jobs.begin(id, &fairfactor.Progress{Phase: "sieve", Remaining: remaining})
	for path, long := range map[string]bool{"/": true, "/openapi.json": true, "/compute/" + id.String(): true, "/compute?limit=1": true, "/livez": false, "/callers": false} {
		plain, packed := s.do("GET", path, ""), s.do("GET", path, "", "Accept-Encoding: br, gzip;q=0.8")
		if plain.header.Get("Content-Encoding") != "" || long != (plain.header.Get("Vary") == "Accept-Encoding") || long != (packed.header.Get("Content-Encoding") == "gzip") {
			t.Errorf("%s: %v, with gzip %v", path, plain.header, packed.header)
			continue
		}
		if !long {
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || string(text) != plain.body || len(packed.body) >= len(plain.body) {
			t.Errorf("%s: %v, %d bytes of %d", path, err, len(packed.body), len(plain.body))
		}
		if tag := plain.header.Get("Etag"); tag != "" && packed.header.Get("Etag") != "W/"+tag {
			t.Errorf("%s: tags %s and %s", path, tag, packed.header.Get("Etag"))
		}
	}
	if a := s.do("GET", "/", "", "Accept-Encoding: gzip;q=0, identity"); a.header.Get("Content-Encoding") != "" {
		t.Errorf("gzip;q=0: %v", a.header)
	}
}

func TestUnknownParameters(t *testing.T) {
	s := start(t)
	id := s.submit("7").String()
	for _, request := range []string{
		"GET /compute?stauts=failed", "GET /compute?limit=1&x", "GET /compute/" + id + "?caller_id=a", "DELETE /compute/" + id + "?force=1", "POST /compute/" + id + "/retry?x=1",
		"POST /compute?caller=a", "POST /compute/batch?wait=1", "GET /callers?cursor=a", "GET /callers/alice?x", "GET /fairness?x=1", "GET /nodes?x=1", "GET /livez?x=1", "GET /metrics?x=1",
	} {
		method, path, _ := strings.Cut(request, " ")
		a := s.do(method, path, `{"number":"7"}`, "X-Caller-ID: a")
		a.problem(t, request, 400, "bad-request")
		if a.text("parameter") == "" {
			t.Errorf("%s: %s", request, a.body)
		}
	}
	if a := s.do("GET", "/?utm_source=x", ""); a.status != 200 {
		t.Errorf("the page with a parameter: %d", a.status)
	}
}

// TestProblemsHaveEachMemberOnce: a fact never has the name of another member.
func TestProblemsHaveEachMemberOnce(t *testing.T) {
	s := start(t)
	a := s.do("GET", "/compute?status=bogus", "")
	a.problem(t, "an unknown status", 400, "bad-request")
	if strings.Count(a.body, `"status":`) != 1 || a.text("parameter") != "status" || a.text("value") != "bogus" {
		t.Errorf("%s", a.body)
	}
	p := httpd.ProblemText("type", "title", "status", "detail", "code", "retry_after", "mine", "mine")
	for _, name := range []string{"type", "title", "status", "detail", "code", "retry_after", "mine"} {
		if n := strings.Count(p, `"`+name+`":`); n != 1 {
			t.Errorf("%d members %s in %s", n, name, p)
		}
	}
}

// TestFormThatIsJSON: curl -d says that its body is a form.
func TestFormThatIsJSON(t *testing.T) {
	s := start(t)
	const form = "Content-Type: application/x-www-form-urlencoded"
	if a := s.do("POST", "/compute", ` {"number":"15"}`, "X-Caller-ID: a", form); a.status != 202 || a.text("number") != "15" {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, body := range []string{"number=15", "", "15"} {
		s.do("POST", "/compute", body, "X-Caller-ID: a", form).problem(t, body, 415, "unsupported-media-type")
	}
	if a := s.do("PUT", "/callers/a", `{"weight":2}`, form); a.status != 200 {
		t.Errorf("a weight: %d %s", a.status, a.body)
	}
}
