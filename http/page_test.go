package http_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// front hands everything on to a node, unless pass says no: then the connection breaks.
func front(t *testing.T, node string, pass func(*http.Request) bool) string {
	t.Helper()
	return frontServer(t, node, pass).URL
}

func frontServer(t *testing.T, node string, pass func(*http.Request) bool) *httptest.Server {
	t.Helper()
	target, err := url.Parse(node)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !pass(r) {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}

// nodeForPage is a service with something to see in each part of the page.
func nodeForPage() fairfactor.Jobs {
	job := func(seq uint64, state fairfactor.State, number, reason string, factors ...fairfactor.Factor) fairfactor.Job {
		return fairfactor.Job{ID: fairfactor.ID{Caller: 1, Seq: seq}, Caller: "nightly", Number: number, State: state, Reason: reason, Factors: factors, Submitted: time.Now(), CPU: 1500 * time.Microsecond}
	}
	running := job(2, fairfactor.Running, strings.Repeat("123", 30), "")
	running.Progress = &fairfactor.Progress{Phase: "sieve", Percent: 41.7}
	done := job(1, fairfactor.Completed, "360", "", fairfactor.Factor{Prime: "2", Exponent: 3}, fairfactor.Factor{Prime: "3", Exponent: 2}, fairfactor.Factor{Prime: "5", Exponent: 1})
	done.Finished = time.Now()
	return named{&told{
		page:     fairfactor.Page{Jobs: []fairfactor.Job{running, job(3, fairfactor.Failed, "77", "<b>bold</b><script>document.title='owned'</script>"), done}},
		callers:  []fairfactor.Caller{{Name: "client-1", Weight: 1}, {Name: "nightly", Weight: 2, Queued: 1235, Running: 1, Completed: 7, Failed: 3, Cancelled: 4, CPU: 90 * time.Minute, Turns: 99, Oldest: time.Now().Add(-time.Hour)}},
		fairness: fairfactor.Fairness{Quantum: 100 * time.Microsecond, Bound: 600 * time.Millisecond, Lag: 150 * time.Millisecond, MaxLag: 450 * time.Millisecond, Jain: 0.98765, Violations: 2, Active: 2, HandedOut: 4567},
		nodes: []fairfactor.Node{{ID: "1", Name: "<i>node-a</i>", State: "alive", Self: true, Workers: []fairfactor.Worker{
			{Caller: "nightly", Job: running.ID.String(), Number: running.Number, Since: time.Now()}, {},
		}, Counts: fairfactor.NodeCounts{Accepted: 5000, Completed: 4900, Failed: 3, Cancelled: 4, Turns: 6000, CPU: time.Hour}}},
	}}
}

// named is a service whose callers have names.
type named struct{ *told }

func (n named) Caller(_ context.Context, name string) (fairfactor.Caller, error) {
	for _, c := range n.callers {
		if c.Name == name {
			return c, nil
		}
	}
	return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %s", name)
}

func TestPageOverview(t *testing.T) {
	t.Parallel()
	w := open(t, clientOf(t, nodeForPage()).String())
	w.reads(".tile[data-name='jobs that wait']", "1,234", "of 2 callers with work")
	w.reads(".tile[data-name='oldest of them']", "60 min", "nightly")
	w.reads(".tile[data-name='workers busy']", "1 of 2", "1 of 1 node alive")
	w.reads("#fairness dl", "lag now 150 ms", "largest lag 450 ms", "bound 600 ms", "violations 2", "Jain index 0.988", "quantum 100 µs", "turns handed out 4,567")
	w.wait("the chart of the lag says what it shows", `document.querySelector("#fairness svg").getAttribute("aria-label") === "lag between callers: now 150 ms, largest 450 ms, bound 600 ms"`)
	w.wait("the lag is drawn against the bound", `document.querySelector("#fairness .line").getAttribute("d").includes("L") && document.querySelector("#fairness .rule")`)
	w.reads("tr", "nightly 1,234 1 7 60 min", "failed 77 <b>bold</b><script>document.title='owned'</script>", "completed 360 23 · 32 · 5", "running 1231…3123 (90 digits) sieve 41 %")
	w.reads("#version", "fairfactor/test")
	w.wait("no alarm", `document.getElementById("alarm").hidden && document.title === "Overview - fairfactor"`)
}

// TestPageShares: what two callers got while the page looked, next to their share.
func TestPageShares(t *testing.T) {
	t.Parallel()
	w := open(t, clientOf(t, &growing{told: &told{}}).String())
	// Each round busy-1 gets 1 s and busy-2, which has twice its weight, 2 s.
	w.wait("the shares are what the weights say", `(() => {
		const rows = [...document.querySelectorAll("#shares tbody tr")].map(r => r.innerText.replace(/\s+/g, " "));
		return rows.length === 2 && /^busy-1 1 (\S+) s \1 s /.test(rows[0]) && /^busy-2 2 (\S+) s \1 s /.test(rows[1]);
	})()`)
	w.wait("the rate of jobs is that of the looks, about one a second", `(n => n > 0 && n <= 500)(Number(document.querySelector(".tile[data-name='completed a second'] strong").innerText))`)
	w.wait("lines are drawn", `document.querySelectorAll("#shares path.line").length === 4`)
	before := w.eval(`document.querySelector("#shares svg").getAttribute("aria-label")`)
	w.reload()
	w.wait("the history outlives a reload", `document.querySelector("#shares svg path.line.c0") && document.querySelector("#shares svg path.line.c0").getAttribute("d").split("L").length > 2`)
	if before == w.eval(`document.querySelector("#shares svg").getAttribute("aria-label")`) {
		t.Errorf("the accounts have not grown: %v", before)
	}
}

// growing is a service whose callers get CPU with each look, as their weights say, and
// which has completed a hundred jobs more at each look.
type growing struct {
	*told
	looks [3]atomic.Int64 // at busy-1, at busy-2, at the nodes
}

func (g *growing) RankedCallers(ctx context.Context, _ fairfactor.CallerQuery) (page fairfactor.CallerPage, err error) {
	for _, name := range []string{"busy-1", "busy-2"} {
		c, _ := g.Caller(ctx, name)
		page.Callers = append(page.Callers, c)
	}
	return page, nil
}

func (g *growing) List(context.Context, fairfactor.Query) (fairfactor.Page, error) {
	var page fairfactor.Page
	for i, name := range []string{"busy-1", "busy-2", "busy-1"} {
		page.Jobs = append(page.Jobs, fairfactor.Job{ID: fairfactor.ID{Caller: 1, Seq: uint64(i + 1)}, Caller: name, Number: "91", State: fairfactor.Running, Submitted: time.Now()})
	}
	return page, nil
}

func (g *growing) Caller(_ context.Context, name string) (fairfactor.Caller, error) {
	weight := int(name[len(name)-1] - '0')
	n := time.Duration(g.looks[weight-1].Add(1))
	return fairfactor.Caller{Name: name, Weight: weight, Queued: 9, Running: 1, CPU: n * time.Duration(weight) * time.Second}, nil
}

func (g *growing) Nodes(context.Context) ([]fairfactor.Node, error) {
	done := uint64(g.looks[2].Add(1)) * 100
	return []fairfactor.Node{{ID: "1", State: "alive", Workers: make([]fairfactor.Worker, 1), Counts: fairfactor.NodeCounts{Completed: done}}}, nil
}

func TestPageFactorsANumber(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := open(t, s.url)
	w.types("[name=number]", " 600 851 475 143")
	w.types("[name=caller]", "page:1")
	w.click("button", "Factor")
	w.reads("#answer", "600851475143", "accepted and on disk, waits for its turn")
	s.jobs.finish(s.newest(), fairfactor.Completed, []fairfactor.Factor{{Prime: "71", Exponent: 1}, {Prime: "839", Exponent: 1}, {Prime: "1471", Exponent: 1}, {Prime: "6857", Exponent: 1, Probable: true}}, "")
	w.reads("#answer", "600851475143 = 71 · 839 · 1471 · 6857", "4 primes, ", "Baillie-PSW test: 6857")
	w.click("#answer a", "Show the job")
	w.at("#/jobs/" + s.newest().String())
	w.reads("h1", "Job 600851475143 completed")
}

// TestPageTakesAnExpression: what is not plain digits goes as an expression, and the
// page goes on with its value.
func TestPageTakesAnExpression(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := open(t, s.url)
	w.types("[name=number]", "12x")
	w.press("Enter")
	w.reads("#answer", `an operator is missing before "x" (at byte 2)`)
	w.types("[name=number]", " 2^67 - 1 ")
	w.press("Enter")
	w.reads("#answer", "147573952589676412927 accepted")
	w.click("#answer button", "Cancel")
	w.reads("#answer", "cancelled")
	if job, err := s.jobs.Job(deadline(), s.newest()); err != nil || job.State != fairfactor.Cancelled {
		t.Errorf("%v %v", job.State, err)
	}
}

// TestPageLostAnswer: a number whose answer was lost is sent again under the same key.
func TestPageLostAnswer(t *testing.T) {
	t.Parallel()
	s := start(t)
	var losing atomic.Bool
	losing.Store(true)
	w := open(t, front(t, s.url, func(r *http.Request) bool {
		if r.Method != "POST" || !losing.Load() {
			return true
		}
		again, err := http.NewRequest("POST", s.url+r.URL.Path, r.Body)
		if err == nil {
			again.Header = r.Header
			_, err = client.Do(again)
		}
		if err != nil {
			t.Error(err)
		}
		return false
	}))
	w.types("[name=number]", "91")
	w.click("button", "Factor")
	w.reads("#answer", "Press the button again: the number will not be taken twice.")
	losing.Store(false)
	w.click("button", "Factor")
	w.reads("#answer", "accepted and on disk")
	if n := s.jobs.count(); n != 1 {
		t.Errorf("%d jobs", n)
	}
}

// TestPageNodeDies: the page says so, keeps what it knows, and goes on when the node is
// back.
func TestPageNodeDies(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.submit("91")
	var dead atomic.Bool
	w := open(t, front(t, s.url, func(*http.Request) bool { return !dead.Load() }))
	for hash, shows := range map[string]string{"#/": "pending 91", "#/jobs": "pending alice 91", "#/jobs/" + id.String(): "Job 91 pending", "#/callers": "alice 1", "#/callers/alice": "pending 91", "#/nodes": "actors on 127.0.0.1:1"} {
		w.eval(`location.hash = "` + hash + `"`)
		w.reads("main", shows)
		dead.Store(true)
		w.reads("#alarm", "The node does not answer. Trying again every second.")
		w.reads("#health", "last answer ")
		w.reads("main", shows)
		dead.Store(false)
		w.wait("the alarm is over", `document.getElementById("alarm").hidden && !document.body.classList.contains("stale")`)
		w.reads("#health", "live")
	}
	dead.Store(true)
	w.reads("#alarm", "The node does not answer.")
	s.jobs.finish(id, fairfactor.Failed, nil, "too hard")
	dead.Store(false)
	w.eval(`location.hash = "#/jobs/` + id.String() + `"`)
	w.reads("main", "failed: too hard")
}

// TestPageThatIsNotSeen asks nothing by itself, but the form works on.
func TestPageThatIsNotSeen(t *testing.T) {
	t.Parallel()
	var rounds atomic.Int32
	w := open(t, front(t, start(t).url, func(r *http.Request) bool {
		if r.URL.Path == "/nodes" {
			rounds.Add(1)
		}
		return true
	}))
	w.reads("#health", "live")
	w.eval(`Object.defineProperty(document, "hidden", { value: true, configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`)
	w.eval(`new Promise(done => setTimeout(done, 100))`) // what is on its way arrives
	before := rounds.Load()
	w.eval(`new Promise(done => setTimeout(done, 2500))`)
	if n := rounds.Load(); n != before {
		t.Errorf("the page asked %d times", n-before)
	}
	w.types("[name=number]", "12x")
	w.click("button", "Factor")
	w.reads("#answer", "an operator is missing")
	w.eval(`Object.defineProperty(document, "hidden", { value: false }); document.dispatchEvent(new Event("visibilitychange"))`)
	for end := time.Now().Add(time.Minute); rounds.Load() == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the page that is seen again does not ask")
		}
	}
}

// TestPageBelowAPath: behind a base path everything works as at the root.
func TestPageBelowAPath(t *testing.T) {
	t.Parallel()
	s := startAs(t, func(cfg *httpd.Config) { cfg.BasePath = "/tools/factor" })
	s.submit("91")
	if a, err := s.raw("GET", "/tools/factor"); err != nil || a.status != 308 || a.header.Get("Location") != "/tools/factor/" {
		t.Errorf("without the slash: %v %v", a, err)
	}
	// A proxy that cuts the path off, which other paths do not reach.
	mux := http.NewServeMux()
	mux.Handle("/below/", http.StripPrefix("/below", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.addr})))
	proxy := httptest.NewServer(mux)
	t.Cleanup(proxy.Close)
	for _, base := range []string{s.url + "/tools/factor", proxy.URL + "/below/"} {
		w := open(t, base+"#/jobs")
		w.reads("td", "alice")
		w.click("td a", "91")
		w.reads("h1", "Job 91 pending")
	}
}
