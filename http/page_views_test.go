package http_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// newest is the id of the job that was submitted last.
func (s *service) newest() fairfactor.ID {
	s.t.Helper()
	var id fairfactor.ID
	eventually(s.t, "there is a job", func() bool {
		page, err := s.jobs.List(deadline(), fairfactor.Query{Limit: 1})
		if err != nil || len(page.Jobs) == 0 {
			return false
		}
		id = page.Jobs[0].ID
		return true
	})
	return id
}

func TestPageJobs(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 120 {
		a := s.do("POST", "/compute", fmt.Sprintf(`{"number":"%d"}`, 1000+i), "X-Caller-ID: "+[]string{"alice", "bob"}[i%2])
		if a.status != 202 {
			t.Fatal(a.body)
		}
	}
	w := open(t, s.url+"/#/jobs")
	w.reads("tr", "pending bob 1119", "pending alice 1070")
	w.click(".pages a", "Next")
	w.reads("tr", "pending bob 1069")
	w.reload()
	w.reads("tr", "pending bob 1069", "pending alice 1020")
	w.click(".pages a", "Next")
	w.reads("tr", "pending bob 1019", "pending alice 1000")
	w.click(".pages a", "Previous")
	w.reads("tr", "pending bob 1069")
	w.click(".pages a", "First page")
	w.reads("tr", "pending bob 1119")

	w.types("[name=caller_id]", "alice")
	w.click("button", "Find")
	w.at("#/jobs?caller_id=alice")
	w.wait("only alice's", `[...document.querySelectorAll("tbody tr")].every(r => r.innerText.includes("alice"))`)
	s.jobs.finish(s.newest(), fairfactor.Failed, nil, "too hard") // bob's
	w.click("a", "Clear")
	w.click("[name=status][value=failed]", "")
	w.at("#/jobs?status=failed")
	w.reads("tr", "failed bob 1119 too hard")
	w.click("[name=status][value=pending]", "")
	w.at("#/jobs?status=pending,failed")
	w.reads("tr", "failed bob 1119 too hard", "pending alice 1118")
	w.types("[name=number]", "1,119")
	w.press("Enter")
	w.at("#/jobs?status=pending,failed&number=1119")
	w.wait("one job", `document.querySelectorAll("tbody tr").length === 1`)
	w.eval(`location.hash = "#/jobs?until=2020-01-02T03:04:05Z"`)
	w.reads("section", "No job matches the filters.")
	w.eval(`document.querySelector("[name=until]").value = ""; document.querySelector("[name=since]").value = "2024-05-06T00:00:00"`)
	w.click("button", "Find")
	w.reads("tr", "failed bob 1119 too hard")
	w.click("a", "Clear")
	w.click("[name=quarantined]", "")
	w.at("#/jobs?quarantined=true")
	w.reads("section", "No job matches the filters.")
	w.eval(`location.hash = "#/jobs?number=12x"`)
	w.reads(".refused", "number")
	w.types("[name=number]", s.newest().String())
	w.press("Enter")
	w.at("#/jobs/" + s.newest().String())
	w.reads("h1", "Job 1119 failed")
}

func TestPageJobsChange(t *testing.T) {
	t.Parallel()
	s := start(t)
	failed := s.submit("91")
	s.jobs.finish(failed, fairfactor.Failed, nil, "too hard")
	s.submit("92")
	s.submit("93")
	w := open(t, s.url+"/#/jobs")
	w.click("[type=checkbox]", "Tick all on this page")
	w.reads(".buttons", "3 ticked")
	w.click("button", "Retry 1")
	w.reads("#said", "1 will be tried again")
	w.reads("tr", "pending alice 91")
	w.click("[type=checkbox]", "Tick job 92")
	w.click("[type=checkbox]", "Tick job 93")
	w.click("button", "Cancel 2")
	w.reads("#said", "2 cancelled")
	w.reads("tr", "cancelled alice 92", "cancelled alice 93")
	if job, err := s.jobs.Job(deadline(), failed); err != nil || job.State != fairfactor.Pending {
		t.Errorf("the job that was to be tried again is %v, %v", job.State, err)
	}
	// What can't be changed any more is said.
	w.click("[type=checkbox]", "Tick job 91")
	s.jobs.finish(failed, fairfactor.Completed, sevenThirteen, "")
	w.click("button", "Cancel 1")
	w.reads("#said", "0 cancelled; 1 not: ")
}

func TestPageJob(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.submit("91")
	w := open(t, s.url+"/#/jobs/"+id.String())
	w.reads("h1", "Job 91 pending")
	w.reads(".life", "Accepted by the node", "Durable on disk before the answer 202", "First turn waits for")
	s.jobs.begin(id, &fairfactor.Progress{Phase: "curves", Percent: 80})
	w.reads("#progress", "curves 80 %", "time left not known yet")
	s.jobs.begin(id, &fairfactor.Progress{Phase: "sieve", Percent: 41.7, Left: 90e9, Found: sevenThirteen[:1], Remaining: []string{"13"}})
	w.reads("#progress", "sieve 41 %", "about 90.0 s left", "Found so far: 7", "Still composite: 13")
	w.reads(".phases", "curves", "sieve")
	w.wait("the bar shows it", `document.querySelector("#progress [role=progressbar]").getAttribute("aria-valuenow") === "42"`)
	s.jobs.finish(id, fairfactor.Completed, []fairfactor.Factor{{Prime: "7", Exponent: 1}, {Prime: "13", Exponent: 1, Probable: true}}, "")
	w.reads("h1", "Job 91 completed")
	w.reads("section", "91 = 7 · 13", "2 digits, 2 primes, 1.23 ms of CPU")
	w.reads(".life", "First turn place 1, after", "Turns 1.23 ms of CPU", "Verified its primes multiply to the number")
	w.reads("tr", "7 1 1 deterministic test", "13 1 2 passed the Baillie-PSW test, not proven")
	if told := w.eval(`document.querySelector(".life").innerText`); strings.Contains(fmt.Sprint(told), "Deliver") {
		t.Errorf("a job without a callback: %v", told)
	}
	w.wait("there is nothing to cancel or try again", `![...document.querySelectorAll("button")].some(b => /Cancel|Try/.test(b.innerText))`)
	for button, text := range map[string]string{"Copy as text": "91 = 7 * 13", "Copy as JSON": `"probable": [`} {
		w.eval(`window.copied = ""; navigator.clipboard.writeText = async text => { window.copied = text; }`)
		w.click("button", button)
		w.wait("the clipboard has "+text, fmt.Sprintf(`window.copied.includes(%q)`, text))
		w.reads("#said", "is on the clipboard.")
	}
}

func TestPageJobChanges(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.submit("91")
	w := open(t, s.url+"/#/jobs/"+id.String())
	s.jobs.finish(id, fairfactor.Failed, sevenThirteen[:1], "too hard")
	w.reads("section", "failed: too hard", "Found before it ended: 7")
	w.click("button", "Try again")
	w.reads("h1", "Job 91 pending")
	w.reads("#said", "at the end of its caller's queue")
	w.click("button", "Cancel this job")
	w.reads("h1", "Job 91 cancelled")
	if job, err := s.jobs.Job(deadline(), id); err != nil || job.State != fairfactor.Cancelled {
		t.Errorf("the job is %v, %v", job.State, err)
	}
	w.eval(`location.hash = "#/jobs/n1f6x5v4wc0000000400000004"`)
	w.reads("main", "there is no job n1f6x5v4wc0000000400000004")
	w.eval(`location.hash = "#/nonsense"`)
	w.reads("h1", "Nothing here")
}

func TestPageCallers(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 60 {
		s.do("POST", "/compute", `{"number":"91"}`, fmt.Sprintf("X-Caller-ID: c%02d", i))
	}
	w := open(t, s.url+"/#/callers")
	w.reads("tr", "c00 1 0 0", "c49 1 0 0")
	w.reads("h2", "All callers, most that waits first")
	s.jobs.begin(s.newest(), nil)
	for range 2 {
		s.do("POST", "/compute", `{"number":"91"}`, "X-Caller-ID: c58")
	}
	w.wait("the longest queue comes first", `document.querySelector("tbody tr:first-child a[href='#/callers/c58']")`)
	w.eval(`const s = document.querySelector("[name=sort]"); s.value = "-running"; s.dispatchEvent(new Event("change", { bubbles: true }))`)
	w.at("#/callers?sort=-running")
	w.reads("h2", "All callers, most that runs first")
	w.wait("the one that runs comes first", `document.querySelector("tbody tr:first-child a[href='#/callers/c59']")`)
	w.eval(`location.hash = "#/callers?sort=name"`)
	w.reads("h2", "All callers by name")
	w.wait("by name", `document.querySelector("tbody tr:first-child a[href='#/callers/c00']") && document.querySelector("[name=sort]").value === "name"`)
	w.types("[name=prefix]", "c4")
	w.click("button", "Find")
	w.at("#/callers?sort=name&prefix=c4")
	w.wait("those that begin so", `document.querySelectorAll("tbody tr").length === 10 && document.querySelector("tbody tr").innerText.includes("c40")`)
	w.click("a", "Clear")
	w.click(".pages a", "Next")
	w.reads("tr", "c50 1 0 0", "c57 1 0 0")
	w.click("td a", "c59")
	w.at("#/callers/c59")
	w.reads("h1", "Caller c59")
	w.reads("tr", "running 91")
	w.types("[name=weight]", "7")
	w.types("[name=group]", "team-a")
	w.click("button", "Save")
	w.reads("#said", "Saved.")
	w.reads("dl", "weight 7", "group team-a")
	w.types("[name=group]", "a b")
	w.wait("a wrong name is not sent", `!document.querySelector("[name=group]").checkValidity()`)
	w.click("h2 a", "all")
	w.at("#/jobs?caller_id=c59")
	if c, err := s.jobs.Caller(deadline(), "c59"); err != nil || c.Weight != 7 || c.Group != "team-a" {
		t.Errorf("%+v %v", c, err)
	}
	w.eval(`location.hash = "#/callers/unheard"`)
	w.reads(".refused", "unheard")
	if _, err := s.jobs.SetPaused(deadline(), "c58", true); err != nil {
		t.Fatal(err)
	}
	w.eval(`location.hash = "#/callers?prefix=c58"`)
	w.reads("tr", "c58 paused 3 0 0")
}

func TestPageNodes(t *testing.T) {
	t.Parallel()
	w := open(t, clientOf(t, nodeForPage()).String()+"/#/nodes")
	w.reads("section", "<i>node-a</i> alive", "1 of 2 workers busy", "accepted 5,000 completed 4,900 failed 3 cancelled 4 turns 6,000 CPU 60 min")
	w.reads(".workers li", "worker 1 12312…23123 (90 digits) of nightly for ", "worker 2 idle")
	w.click(".workers a", "nightly")
	w.at("#/callers/nightly")
}

// knowing is a service that knows the factors of some numbers.
type knowing struct{ *memory }

func (knowing) Factorization(_ context.Context, number string) (fairfactor.Factorization, error) {
	if number == "91" {
		return fairfactor.Factorization{Number: "91", Status: "FF", Factors: sevenThirteen, Cofactor: "1"}, nil
	}
	return fairfactor.Factorization{Number: number, Status: "CF", Factors: []fairfactor.Factor{{Prime: "3", Exponent: 2, Probable: true}}, Cofactor: "1009"}, nil
}

func (k knowing) Factorizations(ctx context.Context, cursor string, _ int) ([]fairfactor.Factorization, string, error) {
	f, err := k.Factorization(ctx, map[string]string{"": "91", "more": "9081"}[cursor])
	return []fairfactor.Factorization{f}, map[string]string{"": "more"}[cursor], err
}

func (knowing) Teach(context.Context, []fairfactor.Known) ([]error, error) { return nil, nil }

func TestPageKnownNumbers(t *testing.T) {
	t.Parallel()
	jobs := newMemory()
	s := startServer(t, jobs, func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = knowing{jobs}
		return httpd.New(cfg)
	})
	w := open(t, s.url+"/#/known")
	w.reads("tr", "91 7 · 13")
	w.click(".pages a", "Next")
	w.reads("tr", "9081 32")
	w.click("td a", "9081")
	w.at("#/known?n=9081")
	w.reads("section", "CF composite, some primes known", "9081 = 32 · 1009", "4 digits; what is left has 4")
	w.reads("tr", "3 2 1 passed the Baillie-PSW test, not proven")
	w.click("a", "Factor it")
	w.wait("the number is in the form", `document.querySelector("#form [name=number]").value === "9081"`)
	w.click("nav a", "Known")
	w.types("[name=n]", " 9 1 ")
	w.press("Enter")
	w.at("#/known?n=91")
	w.reads("section", "FF composite, all primes known", "91 = 7 · 13")
	w.types("[name=n]", "3^2*1009")
	w.press("Enter")
	w.reads("section", "CF composite, some primes known", "9081 = 32 · 1009")
	w.types("[name=n]", "0")
	w.press("Enter")
	w.reads(".refused", "positive")
	w.wait("the form stays", `document.querySelector("[name=n]").value === "0"`)
}

// TestPageForHands: each view fits a phone, and what can be pressed is at least 24 pixels
// high and wide (WCAG 2.2, 2.5.8; links in a sentence are excepted).
func TestPageForHands(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.submit(strings.Repeat("9", 180))
	w := open(t, s.url)
	for _, size := range []int{360, 1280} {
		w.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": size, "height": 800, "deviceScaleFactor": 1, "mobile": size < 600}, nil)
		for hash, shows := range map[string]string{"#/": "Newest jobs", "#/jobs": "alice", "#/jobs/" + id.String(): "Durable", "#/callers": "alice", "#/callers/alice": "pending", "#/nodes": "Nodes", "#/known?n=1x": "Known numbers"} {
			w.eval(`location.hash = "` + hash + `"`)
			w.reads("main", shows)
			if wide := w.eval(`document.documentElement.scrollWidth`).(float64); wide > float64(size) {
				t.Errorf("%s is %v pixels wide on a screen of %d", hash, wide, size)
			}
			small := w.eval(`[...document.querySelectorAll("button, input, select, a")].filter(e => {
				const r = e.getBoundingClientRect();
				return r.width > 1 && (r.height < 24 || r.width < 24) && !(e.tagName === "A" && e.closest("p, dd, span, h2, .detail"));
			}).map(e => e.outerHTML.slice(0, 150)).join("\n")`)
			if small != "" {
				t.Errorf("too small in %s at %d pixels:\n%v", hash, size, small)
			}
		}
	}
}

// TestPageWithKeys: a person without a mouse gets everywhere.
func TestPageWithKeys(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.submit("91")
	w := open(t, s.url)
	w.reads("tr", "pending 91")
	w.press("Tab")
	w.wait("the first stop skips to the content", `document.activeElement.classList.contains("skip")`)
	w.press("Enter")
	w.wait("the content has the focus", `document.activeElement.id === "main"`)
	w.press("Tab")
	w.wait("the field is next", `document.activeElement.name === "number"`)
	w.eval(`document.querySelector("nav a[href='#/jobs']").focus()`)
	w.press("Enter")
	w.at("#/jobs")
	w.wait("the new view has the focus, and the link says where one is", `document.activeElement.id === "main" && document.querySelector("nav [aria-current=page]").innerText === "Jobs"`)
	w.reads("tr", "pending alice 91")
	w.eval(`document.querySelector("tbody [type=checkbox]").focus()`)
	w.press(" ")
	w.reads(".buttons", "1 ticked")
	s.submit("93")
	w.eval(`document.querySelector("tbody a").focus()`)
	names := w.eval(`[...document.querySelectorAll("button, input, select, a, [role=region]")].filter(e => !(e.innerText.trim() || e.getAttribute("aria-label") || e.labels && e.labels.length)).map(e => e.outerHTML).join()`)
	if names != "" {
		t.Errorf("without a name: %v", names)
	}
}

// TestPageAsksForAKey: with a key the page shows what its role allows.
func TestPageAsksForAKey(t *testing.T) {
	t.Parallel()
	k := startKeyed(t)
	path := k.aliceJob()
	w := open(t, k.url+"/#/jobs")
	w.reads("h1", "This node asks for a key")
	enter := func(key string) {
		w.types("[name=key]", key)
		w.click("button", "Use this key")
	}
	enter("ff_wrong")
	w.reads("main", "the key is not known here")
	enter(k.operator)
	w.reads("tr", "pending alice 7")
	w.reload()
	w.reads("tr", "pending alice 7")
	w.click("button", "Forget the key")
	w.reads("h1", "This node asks for a key")

	enter(k.viewer)
	w.reads("tr", "pending alice 7")
	w.wait("a viewer ticks nothing", `!document.querySelector("[type=checkbox][aria-label^=Tick]")`)
	w.eval(`location.hash = "#/"`)
	w.reads("section", "Newest jobs")
	w.wait("a viewer submits nothing", `!document.getElementById("form")`)
	w.eval(`location.hash = "#/callers/alice"`)
	w.reads("dl", "completed 0")
	w.wait("a viewer sets nothing", `!document.querySelector("[name=weight]")`)
	w.click("button", "Forget the key")

	enter(k.bobs)
	w.eval(`location.hash = "#/"`)
	w.types("[name=number]", "91")
	w.wait("the caller is the one of the key", `document.querySelector("[name=caller]").value === "bob"`)
	w.press("Enter")
	w.reads("#answer", "accepted and on disk")
	w.click("nav a", "Jobs")
	w.reads("tr", "pending bob 91")
	w.eval(`location.hash = "#/jobs/` + strings.TrimPrefix(path, "/compute/") + `"`)
	w.reads(".refused", "there is no job")
	w.click("button", "Forget the key")

	enter(k.alices)
	w.eval(`location.hash = "#/jobs"`)
	w.reads(".refused", "name one of them with ?caller_id=")
	w.types("[name=caller_id]", "alice")
	w.press("Enter")
	w.reads("tr", "pending alice 7")
}

// TestPageJobEvents: where the node tells events, the page asks for a job once only, and
// again when the node died.
func TestPageJobEvents(t *testing.T) {
	t.Parallel()
	s := startTelling(t, time.Second, 100)
	job := s.source.accept("alice", 1)[0]
	var asked atomic.Int32
	var dead atomic.Bool
	node := frontServer(t, s.url, func(r *http.Request) bool {
		if r.URL.Path == "/compute/"+job.ID.String() {
			asked.Add(1)
		}
		return !dead.Load()
	})
	w := open(t, node.URL+"/#/jobs/"+job.ID.String())
	w.reads("h1", "Job 1001 pending")
	job.State, job.Started, job.Progress = fairfactor.Running, time.Now(), &fairfactor.Progress{Phase: "curves", Percent: 12}
	s.source.runs(job)
	w.reads("#progress", "curves 12 %")
	job.Progress = &fairfactor.Progress{Phase: "sieve, 7 of 9 relations", Percent: 77}
	s.source.runs(job)
	w.reads("#progress", "sieve, 7 of 9 relations 77 %")
	w.reads(".phases", "curves", "sieve")
	if n := asked.Load(); n != 1 {
		t.Errorf("the page asked %d times", n)
	}
	dead.Store(true) // and with it the stream
	node.CloseClientConnections()
	w.reads("#alarm", "The node does not answer.")
	w.reads("#progress", "sieve, 7 of 9 relations 77 %")
	job.Progress.Percent = 88
	s.source.runs(job)
	dead.Store(false)
	w.reads("#progress", "sieve, 7 of 9 relations 88 %")
	w.wait("the alarm is over", `document.getElementById("alarm").hidden`)
	s.source.runs()
	s.source.finish("alice", fairfactor.Completed, job)
	w.reads("section", "1001 = 1001")
}

// TestPageEmptiesAQueue, after asking; other callers keep theirs.
func TestPageEmptiesAQueue(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 30 {
		s.do("POST", "/compute", `{"number":"91"}`, "X-Caller-ID: "+[]string{"alice", "bob"}[i%2])
	}
	w := open(t, s.url+"/#/callers/alice")
	w.reads("dl", "queued 15")
	w.click("button", "Empty the queue")
	w.reads("dialog", "Empty the queue of alice?", "Its 15 jobs that have not ended are cancelled.")
	w.wait("the safe answer has the focus", `document.activeElement.innerText === "Keep things as they are"`)
	w.press("Enter")
	w.wait("the question has gone", `!document.querySelector("dialog")`)
	w.click("button", "Empty the queue")
	w.reads("dialog", "Empty the queue of alice?")
	w.click("dialog button", "Empty the queue")
	w.reads("#said", "15 jobs suit.")
	w.reads("#operation", "Cancelled 15")
	w.at("#/callers/alice?operation=op0")
	w.reads("dl", "queued 0", "cancelled 15")
	w.wait("nothing is left to empty", `![...document.querySelectorAll("button")].some(b => b.innerText.includes("Empty"))`)
	w.reload()
	w.reads("#operation", "Cancelled 15")
	if c, err := s.jobs.Caller(deadline(), "bob"); err != nil || c.Queued != 15 {
		t.Errorf("bob has %d jobs, %v", c.Queued, err)
	}
}

func TestPagePausesACaller(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.submit("91")
	w := open(t, s.url+"/#/callers/alice")
	w.click("button", "Pause")
	w.reads("h1", "Caller alice paused")
	w.reads("#said", "Its jobs wait until it is resumed.")
	if c, err := s.jobs.Caller(deadline(), "alice"); err != nil || !c.Paused {
		t.Errorf("%+v %v", c, err)
	}
	w.click("button", "Resume")
	w.wait("it is not paused", `!document.querySelector("h1").innerText.includes("paused")`)
	if c, err := s.jobs.Caller(deadline(), "alice"); err != nil || c.Paused {
		t.Errorf("%+v %v", c, err)
	}
}

func TestPageBoundsACaller(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.submit("91")
	w := open(t, s.url+"/#/callers/alice")
	w.types("[name=max_rate]", "50")
	w.types("[name=max_queue]", "1000")
	w.click("button", "Save")
	w.reads("dl", "most a second 50", "most in queue 1,000")
	if c, err := s.jobs.Caller(deadline(), "alice"); err != nil || c.Bounds != (fairfactor.Bounds{MaxRate: 50, MaxQueue: 1000}) {
		t.Errorf("%+v %v", c, err)
	}
	w.types("[name=max_rate]", "")
	w.click("button", "Save")
	w.wait("the bound has gone", `!document.querySelector("dl").innerText.includes("most a second")`)
	if c, err := s.jobs.Caller(deadline(), "alice"); err != nil || c.Bounds != (fairfactor.Bounds{MaxQueue: 1000}) {
		t.Errorf("%+v %v", c, err)
	}
}

// TestPageChangesAllThatIsFound, on all pages of a list.
func TestPageChangesAllThatIsFound(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 60 {
		s.jobs.finish(s.submit("91"), fairfactor.Failed, nil, "too hard")
		s.submit("92")
	}
	w := open(t, s.url+"/#/jobs")
	w.reads("tr", "failed alice 91")
	w.wait("all jobs of all callers can't be cancelled", `![...document.querySelectorAll("button")].some(b => /all/.test(b.innerText))`)
	w.click("[name=status][value=failed]", "")
	w.click("button", "Retry all")
	w.reads("dialog", "Retry all failed jobs that match the filters?")
	w.press("Escape")
	w.wait("the question has gone", `!document.querySelector("dialog")`)
	w.click("button", "Retry all")
	w.click("dialog button", "Retry all")
	w.reads("#operation", "Put back into their queues: 60")
	w.reads("section", "No job matches the filters.")
	w.eval(`location.hash = "#/jobs?caller_id=alice&number=92"`)
	w.click("button", "Cancel all")
	w.click("dialog button", "Cancel all")
	w.reads("#operation", "Cancelled 60")
	w.reads("tr", "cancelled alice 92")
	if c, err := s.jobs.Caller(deadline(), "alice"); err != nil || c.Queued != 60 || c.Cancelled != 60 {
		t.Errorf("%+v %v", c, err)
	}
}
