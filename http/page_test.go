package http_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
)

// browser is the path of a Chromium, which these tests need. FAIRFACTOR_TESTS=bare, as in
// make check, leaves them out.
func browser(t *testing.T) string {
	t.Helper()
	if os.Getenv("FAIRFACTOR_TESTS") == "bare" {
		t.Skip("needs a browser: make test runs it")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no browser found to test the page with: install the Debian package chromium")
	return ""
}

// render opens a page in a browser, lets some seconds of the browser's own
// time pass, and returns the document as it is then.
func render(t *testing.T, url string) string {
	t.Helper()
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: a last process of the browser may still be writing there.
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser(t), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--enable-logging=stderr", "--user-data-dir="+profile,
		"--virtual-time-budget=3500", "--dump-dom", url)
	var log bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &log, 5*time.Second
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, log.Bytes())
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, ":CONSOLE") && !strings.Contains(line, "Failed to load resource") {
			t.Errorf("the browser complains: %s", line)
		}
	}
	body, _, _ := strings.Cut(string(dom), "<script>")
	return body
}

// front serves the page of a node, with a script of the test behind it, and
// hands everything else on to the node, unless pass says no.
func front(t *testing.T, node, script string, pass func(*http.Request) bool) string {
	t.Helper()
	target, err := url.Parse(node)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.URL.Path != "/" {
			return nil
		}
		html, err := io.ReadAll(r.Body)
		html = append(html, "<script>"+script+"</script>"...)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(html)), int64(len(html))
		r.Header.Set("Content-Length", strconv.Itoa(len(html)))
		return err
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && !pass(r) {
			panic(http.ErrAbortHandler)
		}
		r.Header.Del("Accept-Encoding") // the script is appended to plain text
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// part is what stands between two texts of a document.
func part(t *testing.T, dom, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(dom, from)
	inside, _, end := strings.Cut(rest, to)
	if !ok || !end {
		t.Fatalf("the page has no %s ... %s:\n%s", from, to, dom)
	}
	return inside
}

var tags = regexp.MustCompile(`<[^>]*>`)

// rows are the texts of a table's rows, cells separated by bars.
func rows(t *testing.T, dom, id string) (texts []string) {
	t.Helper()
	body := part(t, part(t, dom, `<table id="`+id+`"`, "</table>"), "<tbody>", "</tbody>")
	for row := range strings.SplitSeq(strings.TrimSuffix(body, "</tr>"), "</tr>") {
		texts = append(texts, tags.ReplaceAllString(strings.ReplaceAll(strings.TrimSuffix(row, "</td>"), "</td>", "|"), ""))
	}
	return texts
}

// nodeForPage is a service with something to see in each part of the page.
func nodeForPage() *told {
	job := func(seq uint64, state fairfactor.State, number, reason string, factors ...fairfactor.Factor) fairfactor.Job {
		return fairfactor.Job{ID: fairfactor.ID{Caller: 1, Seq: seq}, Caller: "nightly", Number: number, State: state, Reason: reason, Factors: factors, Submitted: time.Now(), CPU: 1500 * time.Microsecond}
	}
	running := job(2, fairfactor.Running, strings.Repeat("123", 30), "")
	running.Progress = &fairfactor.Progress{Phase: "sieve", Percent: 41.7}
	done := job(1, fairfactor.Completed, "360", "", fairfactor.Factor{Prime: "2", Exponent: 3}, fairfactor.Factor{Prime: "3", Exponent: 2}, fairfactor.Factor{Prime: "5", Exponent: 1})
	done.Finished = time.Now()
	return &told{
		page:     fairfactor.Page{Jobs: []fairfactor.Job{running, job(3, fairfactor.Failed, "77", "<b>bold</b><script>document.title='owned'</script>"), done}},
		callers:  []fairfactor.Caller{{Name: "client-1", Weight: 1}, {Name: "nightly", Weight: 2, Queued: 1234, Running: 1, Completed: 7, Failed: 3, Cancelled: 4, CPU: 90 * time.Minute, Turns: 99, Oldest: time.Now().Add(-time.Hour)}},
		fairness: fairfactor.Fairness{Quantum: 100 * time.Microsecond, Bound: 600 * time.Millisecond, Lag: 150 * time.Millisecond, MaxLag: 450 * time.Millisecond, Jain: 0.98765, Violations: 2, Active: 2, HandedOut: 4567},
		nodes: []fairfactor.Node{{ID: "1", Name: "<i>node-a</i>", State: "alive", Self: true, Workers: []fairfactor.Worker{
			{Caller: "nightly", Job: running.ID.String(), Number: running.Number, Since: time.Now()}, {},
		}}},
	}
}

func TestPageShowsTheNode(t *testing.T) {
	t.Parallel()
	dom := render(t, clientOf(t, nodeForPage()).String())
	if got := rows(t, dom, "callers"); len(got) != 2 || got[0] != "client-1|1|0|0|0|0|0|0|0 s|-" || !strings.HasPrefix(got[1], "nightly|2|1,234|1|7|3|4|99|90 min 0 s|60 min ") {
		t.Errorf("callers: %q", got)
	}
	got := rows(t, dom, "jobs")
	for i, want := range []string{
		"running|nightly|123123…123123 (90 digits)|sieve 41 %|-|",
		"failed|nightly|77|&lt;b&gt;bold&lt;/b&gt;&lt;script&gt;document.title='owned'&lt;/script&gt;|-|",
		"completed|nightly|360|23 · 32 · 5|1.5 ms|",
	} {
		if len(got) != 3 || !strings.HasPrefix(got[i], want) {
			t.Errorf("jobs: %q, want %q in row %d", got, want, i)
		}
	}
	if cell := `<span class="mono">2</span><sup>3</sup> · <span class="mono">3</span><sup>2</sup> · <span class="mono">5</span></td>`; !strings.Contains(dom, cell) {
		t.Errorf("no %s in the page", cell)
	}
	nodes := part(t, dom, `<div id="nodes">`, "</section>")
	if text := tags.ReplaceAllString(nodes, "|"); !strings.Contains(text, "&lt;i&gt;node-a&lt;/i&gt;") || !strings.Contains(text, "1 of 2 workers busy") ||
		!strings.Contains(text, "|12312…23123 (90 digits)|") || !strings.Contains(text, "|idle|") {
		t.Errorf("nodes: %s", text)
	}
	meter := part(t, dom, `<div class="bar"`, "</div>")
	for _, want := range []string{`aria-valuenow="25"`, "width: 25%", "left: calc(75% - 2px)", `aria-valuetext="150 ms of 600 ms"`} {
		if !strings.Contains(meter, want) {
			t.Errorf("no %s in the bar: %s", want, meter)
		}
	}
	facts := tags.ReplaceAllString(part(t, dom, `<dl id="fairness">`, "</dl>"), "|")
	for _, want := range []string{"violations||2|", "largest lag||450 ms|", "Jain index||0.988|", "quantum||100 µs|", "turns handed out||4,567|"} {
		if !strings.Contains(facts, want) {
			t.Errorf("no %s in the facts: %s", want, facts)
		}
	}
	if !strings.Contains(dom, `<section id="alarm" role="alert" hidden="">`) || !strings.Contains(dom, "fairfactor/test") {
		t.Errorf("the page shows an alarm, or no version:\n%s", dom)
	}
}

func TestPageFactorsANumber(t *testing.T) {
	t.Parallel()
	s := start(t)
	press := `document.getElementById("number").value = " 600 851 475 143"; document.getElementById("caller").value = "page:1"; document.getElementById("form").requestSubmit();`
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			page, err := s.jobs.List(context.Background(), fairfactor.Query{Caller: "page:1", Limit: 1})
			if err == nil && len(page.Jobs) == 1 {
				s.jobs.finish(page.Jobs[0].ID, fairfactor.Completed, []fairfactor.Factor{{Prime: "71", Exponent: 1}, {Prime: "839", Exponent: 1}, {Prime: "1471", Exponent: 1}, {Prime: "6857", Exponent: 1, Probable: true}}, "")
				return
			}
		}
	}()
	var rounds atomic.Int32
	dom := render(t, front(t, s.url, press, func(r *http.Request) bool {
		if r.URL.Path == "/nodes" {
			rounds.Add(1)
		}
		return true
	}))
	<-ended
	if n := rounds.Load(); n < 2 {
		t.Errorf("the page asked %d times in some seconds", n)
	}
	if got := tags.ReplaceAllString(part(t, dom, `<p id="equation">`, "</p>"), ""); got != "600851475143 = 71 · 839 · 1471 · 6857" {
		t.Errorf("the page says %q", got)
	}
	if got := part(t, dom, `<span id="words">`, "</span>"); !strings.HasPrefix(got, "4 primes, ") || !strings.HasSuffix(got, "Baillie-PSW test: 6857") {
		t.Errorf("the page says %q", got)
	}
	if got := rows(t, dom, "jobs"); len(got) != 1 || !strings.HasPrefix(got[0], "completed|page:1|600851475143|71 · 839 · 1471 · 6857|") {
		t.Errorf("jobs: %q", got)
	}
}

// TestPageTakesAnExpression: what is not plain digits goes as an expression, and the
// page goes on with its value.
func TestPageTakesAnExpression(t *testing.T) {
	t.Parallel()
	press := `document.getElementById("number").value = " 2^67 - 1 "; document.getElementById("form").requestSubmit();`
	dom := render(t, front(t, start(t).url, press, func(*http.Request) bool { return true }))
	if got := tags.ReplaceAllString(part(t, dom, `<p id="equation">`, "</p>"), ""); got != "147573952589676412927" {
		t.Errorf("the page says %q", got)
	}
}

func TestPageSaysThatTheNodeIsSilent(t *testing.T) {
	t.Parallel()
	var rounds atomic.Int32
	dom := render(t, front(t, start(t).url, "", func(r *http.Request) bool { return r.URL.Path != "/nodes" || rounds.Add(1) < 2 }))
	alarm := part(t, dom, `<section id="alarm"`, "</section>")
	if strings.Contains(alarm, "hidden") || !strings.Contains(alarm, "The node does not answer.") || !strings.Contains(dom, `<body class="stale">`) || !strings.Contains(dom, "last answer ") {
		t.Errorf("no alarm after %d rounds:\n%s", rounds.Load(), dom)
	}
}

// TestPageThatIsNotSeen hides the page after its first round: it must not ask
// again by itself, but the form works on.
func TestPageThatIsNotSeen(t *testing.T) {
	t.Parallel()
	script := `Object.defineProperty(document, "hidden", { value: true }); document.dispatchEvent(new Event("visibilitychange"));
		document.getElementById("number").value = "12x"; document.getElementById("form").requestSubmit();`
	var rounds atomic.Int32
	dom := render(t, front(t, start(t).url, script, func(r *http.Request) bool {
		if r.URL.Path == "/nodes" {
			rounds.Add(1)
		}
		return true
	}))
	if n := rounds.Load(); n != 1 {
		t.Errorf("the page asked %d times", n)
	}
	if got := part(t, dom, `<span id="words">`, "</span>"); !strings.Contains(got, `an operator is missing before "x" (at byte 2)`) {
		t.Errorf("the page says %q", got)
	}
	if jobs := part(t, dom, `<table id="jobs"`, "</section>"); !strings.HasPrefix(jobs, ` hidden=""`) || !strings.Contains(jobs, "No jobs yet") {
		t.Errorf("the page shows a table of no jobs: %s", jobs)
	}
}

func TestPageIsSelfContained(t *testing.T) {
	html := pageOf(t)
	for _, forbidden := range []string{"http://", "https://", " src=", "url(", "@import", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "style=", "onclick"} {
		if strings.Contains(html, forbidden) {
			t.Errorf("the page has %q", forbidden)
		}
	}
}

func pageOf(t *testing.T) string {
	t.Helper()
	a := start(t).do("GET", "/", "")
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Fatalf("GET /: %d %s", a.status, a.header.Get("Content-Type"))
	}
	return a.body
}

// TestPageContrast holds the colours of text against both backgrounds, light
// and dark: at least 4.5 to 1 (WCAG 2.2, 1.4.3).
func TestPageContrast(t *testing.T) {
	schemes := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(pageOf(t), -1)
	if len(schemes) != 2 {
		t.Fatalf("%d colour schemes", len(schemes))
	}
	for i, scheme := range schemes {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6});`).FindAllStringSubmatch(scheme[1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		pairs := [][2]string{{"on-accent", "accent"}}
		for _, text := range []string{"ink", "soft", "accent", "good", "warm", "bad", "run"} {
			pairs = append(pairs, [2]string{text, "paper"}, [2]string{text, "sheet"})
		}
		for _, p := range pairs {
			a, okA := colours[p[0]]
			b, okB := colours[p[1]]
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); !okA || !okB || ratio < 4.5 {
				t.Errorf("scheme %d: %s on %s has the contrast %.2f", i, p[0], p[1], ratio)
			}
		}
	}
}

// luminance is the relative luminance of a colour (WCAG 2.2, definitions).
func luminance(t *testing.T, hex string) (sum float64) {
	t.Helper()
	if len(hex) == 3 {
		hex = fmt.Sprintf("%c%c%c%c%c%c", hex[0], hex[0], hex[1], hex[1], hex[2], hex[2])
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
