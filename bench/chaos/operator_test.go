package chaos

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/random"
)

// TestCompareOrders lays what operators were told next to stores that keep it and that do
// not.
func TestCompareOrders(t *testing.T) {
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	never := time.Time{}
	held := submission{Held: true, Resumed: at}
	stays := submission{Held: true}
	timed := submission{Deadline: at}
	sweep := submission{Cancel: swept, Swept: at}
	for name, o := range map[string]struct {
		told              submission
		status            string
		started, finished time.Time
		fault             func(*verdict) int // nil if no promise was broken
	}{
		"held":                             {held, "completed", at.Add(time.Second), at.Add(time.Second), nil},
		"held, began before":               {held, "completed", at.Add(-time.Second), at.Add(time.Second), func(v *verdict) int { return v.Early }},
		"held, was never told to go on":    {stays, "completed", at, at, func(v *verdict) int { return v.Early }},
		"held, and did not go on":          {held, "pending", never, never, func(v *verdict) int { return v.Unfinished }},
		"held, and cancelled by no one":    {held, "cancelled", never, at, func(v *verdict) int { return v.Failed }},
		"held and cancelled":               {submission{Held: true, Cancel: cancelled}, "cancelled", never, at, nil},
		"held, cancelled, but not":         {submission{Held: true, Resumed: at, Cancel: cancelled}, "completed", at, at, func(v *verdict) int { return v.Uncancelled }},
		"held, cancelled, but ran":         {submission{Held: true, Resumed: at, Cancel: cancelled}, "cancelled", at.Add(-time.Minute), at, func(v *verdict) int { return v.Early }},
		"in time":                          {timed, "completed", at.Add(-time.Minute), at.Add(-time.Second), nil},
		"its time is over":                 {timed, "cancelled", never, at.Add(time.Minute), nil},
		"cancelled before its time":        {timed, "cancelled", never, at.Add(-time.Second), func(v *verdict) int { return v.Mistimed }},
		"goes on although its time ends":   {timed, "completed", at, at.Add(time.Minute), func(v *verdict) int { return v.Mistimed }},
		"waits although its time ends":     {timed, "pending", never, never, func(v *verdict) int { return v.Unfinished }},
		"failed in time":                   {timed, "failed", at, at, func(v *verdict) int { return v.Failed }},
		"swept":                            {sweep, "cancelled", at, at.Add(-time.Second), nil},
		"swept, had ended":                 {sweep, "completed", at.Add(-time.Minute), at.Add(-time.Second), nil},
		"swept, and went on":               {sweep, "completed", at.Add(-time.Minute), at.Add(time.Second), func(v *verdict) int { return v.Uncancelled }},
		"came after all were cancelled":    {submission{}, "cancelled", never, at, func(v *verdict) int { return v.Failed }},
		"cancelled by what had no answer":  {submission{Cancel: maybe}, "cancelled", never, at, nil},
		"swept by what had no answer, not": {submission{Cancel: maybe}, "completed", at, at, nil},
	} {
		l := o.told
		l.Caller, l.Number, l.Outcome, l.ID, l.Key = "operated-1-1", "15", accepted, idOf(1, 1), "k"
		job := client.Job{ID: l.ID, Caller: l.Caller, Number: l.Number, Status: o.status, Started: o.started, Finished: o.finished, Turn: 1}
		if o.status == "completed" {
			job.Result = factorsOf("3 5")
		}
		v := compareLogs([]submission{l}, []stored{{Job: job}})
		if v.Accepted != 1 || (v.broken() > 0) != (o.fault != nil) || o.fault != nil && o.fault(v) != 1 {
			t.Errorf("%s: %+v", name, v)
		}
		if v.Completed+v.Cancelled+v.Missed+v.Unfinished+v.Failed != 1 {
			t.Errorf("%s: the job is not counted once: %+v", name, v)
		}
	}
}

// TestPausedCallersAreNotInTheHandOuts: they wait by order.
func TestPausedCallersAreNotInTheHandOuts(t *testing.T) {
	jobs := []stored{
		{Job: client.Job{Caller: "operated-1-1", Turn: 1}, turns: 1},
		{Job: client.Job{Caller: "operated-1-2", Turn: 2}, turns: 1},
	}
	logs := []submission{{Caller: "operated-1-1"}, {Caller: "operated-1-1", Held: true}, {Caller: "operated-1-2"}}
	if log := handOutsIn(jobs, logs, time.Millisecond); len(log) != 1 || log[0].Place != 2 {
		t.Errorf("%+v", log)
	}
}

// TestRegister writes a setting, with and without answers.
func TestRegister(t *testing.T) {
	var r register
	see := func(value string, may, is bool) {
		t.Helper()
		if r.may(value) != may || r.is(value) != is {
			t.Errorf("%+v: %s may be: %t, is: %t", r, value, r.may(value), r.is(value))
		}
	}
	see("1", true, false) // not written yet
	r.wrote("2", true)
	see("2", true, true)
	see("1", false, false)
	r.wrote("3", false) // an attempt without an answer, and one with it
	r.wrote("3", true)
	see("3", true, true)
	see("2", false, false)
	r.wrote("4", true) // the first attempt may still be carried out
	see("4", true, false)
	see("3", true, false)
	see("2", false, false)
}

// TestOperationAfter compares an operation with what it was before.
func TestOperationAfter(t *testing.T) {
	before := operation{ID: "a", Matched: 4, Done: 2, Skipped: 1}
	for now, want := range map[operation]bool{
		{ID: "a", Matched: 4, Done: 2, Skipped: 1}:                 true,
		{ID: "a", Matched: 5, Done: 3, Skipped: 2, Status: "done"}: true,
		{ID: "b", Matched: 4, Done: 2, Skipped: 1}:                 false,
		{ID: "a", Matched: 4, Done: 1, Skipped: 2}:                 false,
		{ID: "a", Matched: 4, Done: 3, Skipped: 0}:                 false,
		{ID: "a", Matched: 3, Done: 2, Skipped: 1}:                 false,
		{ID: "a", Matched: 4, Done: 4, Skipped: 1}:                 false,
	} {
		if now.after(&before) != want {
			t.Errorf("%+v after %+v, want %t", now, before, want)
		}
	}
}

// TestOrders has nodes give answers that are right, wrong, and none, and counts what an
// operator makes of them.
func TestOrders(t *testing.T) {
	id, other := idOf(1, 1), idOf(1, 2)
	waits := fmt.Sprintf(`{"request_id":%q,"status":"pending"}`, id)
	runs := fmt.Sprintf(`{"request_id":%q,"status":"running"}`, id)
	ended := fmt.Sprintf(`{"request_id":%q,"status":"cancelled","finished_at":"2031-01-01T00:00:00Z"}`, id)
	gone := fmt.Sprintf(`{"type":"about:blank","status":404,"request_id":%q}`, id)
	page := func(jobs ...string) string { return `{"jobs":[` + strings.Join(jobs, ",") + `],"next":null}` }
	const accepts, done = `202 {"operation":"o","matched":1}`, `200 {"operation":"o","status":"done","matched":1,"done":1,"skipped":0}`
	type step func(*round)
	pause := func(r *round) { r.pause(t.Context(), true) }
	look := func(r *round) { r.look(t.Context()) }
	list := func(r *round) { r.list(t.Context()) }
	get := func(r *round) { r.getMany(t.Context()) }
	cancel := func(r *round) { r.cancelAll(t.Context()) }
	for name, o := range map[string]struct {
		do      []step
		answers []string // one for each request, in order
		wrong   int      // answers that contradict an order
		stale   int      // answers that contradict an earlier one about a job
		cancel  cancellation
	}{
		"paused":                    {[]step{pause}, []string{"200 {}", `200 {"paused":true}`}, 0, 0, ""},
		"paused, and then not":      {[]step{pause}, []string{"200 {}", `200 {"paused":false}`}, 1, 0, ""},
		"paused after a refusal":    {[]step{pause}, []string{"503 {}", "200 {}", `200 {"paused":true}`}, 0, 0, ""},
		"paused after no answer":    {[]step{pause}, []string{"504 {}", "200 {}", `200 {"paused":true}`}, 0, 0, ""},
		"pausing is refused":        {[]step{pause}, []string{"400 {}", "503 {}"}, 1, 0, ""},
		"nothing is said":           {[]step{pause}, []string{"200 {}", "503 {}"}, 0, 0, ""},
		"a held job waits":          {[]step{look}, []string{"200 " + waits}, 0, 0, ""},
		"a held job runs":           {[]step{look}, []string{"200 " + runs}, 1, 0, ""},
		"listed":                    {[]step{list}, []string{"200 " + page(waits)}, 0, 0, ""},
		"listed with those unknown": {[]step{list}, []string{"200 " + page(waits, strings.ReplaceAll(waits, id, other))}, 0, 0, ""},
		"not listed":                {[]step{list}, []string{"200 " + page()}, 0, 1, ""},
		"listed twice":              {[]step{list}, []string{"200 " + page(waits, waits)}, 1, 0, ""},
		"ended, and listed as such": {[]step{look, list}, []string{"200 " + ended, "200 " + page(ended)}, 0, 0, ""},
		"ended, and listed not":     {[]step{look, list}, []string{"200 " + ended, "200 " + page(waits)}, 0, 1, ""},
		"no list":                   {[]step{list}, []string{"503 {}"}, 0, 0, ""},
		"no array of jobs":          {[]step{list}, []string{"200 []"}, 1, 0, ""},
		"got":                       {[]step{get}, []string{"200 " + waits + "\n"}, 0, 0, ""},
		"got, and not there":        {[]step{get}, []string{"200 " + gone + "\n"}, 0, 1, ""},
		"got, and no answer":        {[]step{get}, []string{"200 " + strings.Replace(gone, "404", "503", 1) + "\n"}, 0, 0, ""},
		"got after its end":         {[]step{look, get}, []string{"200 " + ended, "200 " + waits + "\n"}, 0, 1, ""},
		"cancelled":                 {[]step{cancel}, []string{accepts, done, "200 " + ended}, 0, 0, cancelled},
		"cancelled at last": {
			[]step{cancel},
			[]string{"503 {}", accepts, "503 {}", `200 {"operation":"o","status":"running","matched":1}`, done, "200 " + ended},
			0, 0, cancelled,
		},
		"cancelled, and runs":          {[]step{cancel}, []string{accepts, done, "200 " + runs}, 1, 0, cancelled},
		"cancelled by no operation":    {[]step{cancel}, []string{"202 {}", "404 {}"}, 2, 0, ""},
		"the operation is forgotten":   {[]step{cancel}, []string{accepts, "404 {}"}, 1, 0, ""},
		"the operation skips":          {[]step{cancel}, []string{accepts, strings.Replace(done, `"done":1,"skipped":0`, `"done":0,"skipped":1`, 1), "200 " + ended}, 1, 0, cancelled},
		"an earlier one may have done": {[]step{cancel}, []string{"504 {}", accepts, strings.Replace(done, `"done":1,"skipped":0`, `"done":0,"skipped":1`, 1), "200 " + ended}, 0, 0, cancelled},
		"cancelled or not":             {[]step{cancel}, []string{"504 {}", "400 {}", "200 " + waits}, 1, 0, maybe},
	} {
		answers := o.answers
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/readyz" {
				return
			}
			if len(answers) == 0 {
				t.Errorf("%s: %s %s comes after the last answer", name, r.Method, r.URL)
				return
			}
			status, body, _ := strings.Cut(answers[0], " ")
			answers = answers[1:]
			code := 0
			fmt.Sscan(status, &code)
			w.WriteHeader(code)
			io.WriteString(w, body)
		}))
		b := newBalancer([]string{strings.TrimPrefix(node.URL, "http://")}, 1, checkTime)
		job := &submission{Caller: "operated-1-1", Outcome: accepted, ID: id, Held: true}
		r := &round{workload: &workload{balancer: b}, caller: job.Caller, rng: random.New(1, 1), jobs: []*submission{job}}
		for _, do := range o.do {
			do(r)
		}
		v := &verdict{}
		v.look(&r.sightings, &r.orders)
		if v.Disobeyed != o.wrong || v.Stale != o.stale || v.broken() != o.wrong+o.stale || job.Cancel != o.cancel || len(answers) > 0 {
			t.Errorf("%s: %d answers contradict an order and %d an earlier one, cancelled: %q, answers left: %q; %q", name, v.Disobeyed, v.Stale, job.Cancel, answers, v.Examples)
		}
		b.close()
		node.Close()
	}
}
