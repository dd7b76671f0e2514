package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/wait"
)

// An operator pauses callers and lets them go on, sets weights and deadlines, cancels all
// jobs of a caller, and looks at lists. Each round has a caller of its own that no one else
// submits for: so the operator knows what each answer must say, and an order that had no
// answer and is carried out late does not reach into another round.

const (
	roundJobs = 4
	// shortDeadline is how long a job with a deadline has. While its caller is paused it
	// can't end before.
	shortDeadline = 1500 * time.Millisecond
)

// round is what an operator does with one caller.
type round struct {
	*workload
	caller         string
	rng            *rand.Rand
	paused, weight register
	jobs           []*submission
	late           bool // an order to cancel all had no answer: it may be carried out at any time
}

// operator makes one round after the other until more ends; ctx is that of the requests.
func (s *workload) operator(ctx, more context.Context, place int, rng *rand.Rand) {
	for n := 1; more.Err() == nil; n++ {
		r := &round{workload: s, caller: fmt.Sprintf("operated-%d-%d", place, n), rng: rng}
		r.run(ctx)
		for _, l := range r.jobs {
			s.note(*l)
		}
		wait.For(more, time.Duration(rng.Int64N(int64(20*s.think))))
	}
}

// run makes one of four kinds of a round.
func (r *round) run(ctx context.Context) {
	r.weigh(ctx)
	switch r.rng.IntN(4) {
	case 0: // what waits while the caller is paused goes on
		r.pause(ctx, true)
		r.submitSome(ctx, random.Uniform(r.rng), 0)
		r.look(ctx)
		wait.For(ctx, time.Duration(r.rng.Int64N(int64(2*time.Second))))
		r.look(ctx)
		r.pause(ctx, false)
	case 1: // what waits while the caller is paused is cancelled, and all of it
		r.pause(ctx, true)
		r.submitSome(ctx, random.Uniform(r.rng), 0)
		r.cancelAll(ctx)
		r.submitSome(ctx, random.Uniform(r.rng), 0)
		r.pause(ctx, false)
	case 2: // jobs that may run are cancelled
		r.submitSome(ctx, random.Semiprime(r.rng, slowDigits), 0)
		r.cancelAll(ctx)
		r.submitSome(ctx, random.Uniform(r.rng), 0)
	case 3: // deadlines pass, of jobs that wait and of those that may run
		r.pause(ctx, r.rng.IntN(2) == 0)
		r.submitSome(ctx, random.Semiprime(r.rng, slowDigits), shortDeadline)
		wait.For(ctx, shortDeadline)
		r.pause(ctx, false)
	}
	r.weigh(ctx)
	r.list(ctx)
	r.getMany(ctx)
}

// submitSome submits jobs: one for the given number, the others for short ones. Each of
// them ends by itself that long after, unless that is zero.
func (r *round) submitSome(ctx context.Context, number string, life time.Duration) {
	for range roundJobs {
		l := &submission{Caller: r.caller, Number: number, Key: fmt.Sprintf("%016x", r.rng.Uint64()), Began: time.Now(), Held: r.paused.is("true")}
		if life > 0 {
			l.Deadline = l.Began.Add(life).UTC().Truncate(time.Microsecond)
		}
		if r.late {
			l.Cancel = maybe
		}
		r.submit(ctx, l)
		r.jobs = append(r.jobs, l)
		number = random.Uniform(r.rng)
	}
}

// pause pauses the caller, or lets it go on, and looks whether nodes say so. A caller goes
// on as soon as that was sent.
func (r *round) pause(ctx context.Context, paused bool) {
	if !paused {
		for _, l := range r.jobs {
			if l.Held && l.Resumed.IsZero() {
				l.Resumed = time.Now()
			}
		}
	}
	r.set(ctx, &r.paused, "paused", strconv.FormatBool(paused))
}

// weigh gives the caller another weight, and looks whether nodes say so.
func (r *round) weigh(ctx context.Context) {
	r.set(ctx, &r.weight, "weight", strconv.Itoa(1+r.rng.IntN(9)))
}

// set changes a setting until that is answered, and reads it back.
func (r *round) set(ctx context.Context, setting *register, name, value string) {
	path := "/callers/" + r.caller
	_, unsure, done := r.order(ctx, http.MethodPut, path, fmt.Sprintf(`{%q:%s}`, name, value), http.StatusOK)
	if unsure {
		setting.wrote(value, false)
	}
	if done {
		setting.wrote(value, true)
	}
	var account struct {
		Paused bool `json:"paused"`
		Weight int  `json:"weight"`
	}
	status, raw, err := r.ask(ctx, http.MethodGet, path, "")
	if !done || err != nil || status != http.StatusOK || json.Unmarshal(raw, &account) != nil {
		return
	}
	read := map[string]string{"paused": strconv.FormatBool(account.Paused), "weight": strconv.Itoa(account.Weight)}[name]
	r.orders.read(setting.may(read), "%s of %s is %s, want %s or one of %q", name, r.caller, read, setting.last, setting.open)
}

// look reads all jobs. Those of a caller that is paused have not begun.
func (r *round) look(ctx context.Context) {
	for _, l := range r.jobs {
		if l.Outcome != accepted {
			continue
		}
		status, raw, err := r.read(ctx, l.ID, "")
		var j client.Job
		if err == nil && status == http.StatusOK && json.Unmarshal(raw, &j) == nil && l.Held && l.Resumed.IsZero() {
			r.orders.read(j.Status == "pending" || j.Status == "cancelled", "job %s is %s although %s is paused", l.ID, j.Status, l.Caller)
		}
	}
}

// cancelAll cancels all jobs of the caller, and waits until that is done: then each has
// ended.
func (r *round) cancelAll(ctx context.Context) {
	raw, unsure, done := r.order(ctx, http.MethodDelete, "/compute?caller_id="+r.caller, "", http.StatusAccepted)
	r.late = r.late || unsure
	var op operation
	if done {
		r.orders.read(json.Unmarshal(raw, &op) == nil && op.ID != "", "the order to cancel all jobs of %s was answered with %.200s", r.caller, raw)
		done = r.follow(ctx, &op)
	}
	if !done && !unsure {
		return
	}
	var certain, held int
	for _, l := range r.jobs {
		switch {
		case !done:
			l.Cancel = maybe
		case l.Held:
			l.Cancel = cancelled
		default:
			l.Cancel, l.Swept = swept, time.Now()
		}
		if l.Outcome == accepted {
			certain++
			if l.Held {
				held++
			}
		}
	}
	if done && !unsure && certain == len(r.jobs) && held == certain {
		r.orders.read(op.Done == held && op.Skipped == 0, "the operation %s on %d jobs of %s, which is paused, changed %d and skipped %d", op.ID, held, r.caller, op.Done, op.Skipped)
	}
	r.look(ctx)
}

// operation is what nodes say of an order about many jobs.
type operation struct {
	ID      string `json:"operation"`
	Status  string `json:"status"`
	Matched int    `json:"matched"`
	Done    int    `json:"done"`
	Skipped int    `json:"skipped"`
}

// follow asks how far an operation is until it is done. Once accepted, it is known
// everywhere, and it has never done less than before.
func (r *round) follow(ctx context.Context, op *operation) (done bool) {
	for began := time.Now(); time.Since(began) < longestTrial && ctx.Err() == nil; wait.For(ctx, againAfter) {
		status, raw, err := r.ask(ctx, http.MethodGet, "/operations/"+op.ID, "")
		if err != nil || status != http.StatusOK && status != http.StatusNotFound {
			continue
		}
		now := operation{}
		right := status == http.StatusOK && json.Unmarshal(raw, &now) == nil && now.after(op)
		r.orders.read(right, "the operation %+v is now %d %.300s", *op, status, raw)
		if !right {
			return false
		}
		if *op = now; op.Status == "done" {
			return true
		}
	}
	return false
}

// after reports whether an operation may be this one when it was that one before.
func (o *operation) after(before *operation) bool {
	return o.ID == before.ID && o.Done >= before.Done && o.Skipped >= before.Skipped && o.Matched >= before.Matched && o.Done+o.Skipped <= o.Matched
}

// list lists the jobs of the caller: each that was accepted is there, once, and has
// ended as before.
func (r *round) list(ctx context.Context) {
	before := r.ends()
	status, raw, err := r.ask(ctx, http.MethodGet, "/compute?limit=1000&caller_id="+r.caller, "")
	var page struct{ Jobs []json.RawMessage }
	if err != nil || status != http.StatusOK {
		return
	}
	if !r.orders.read(json.Unmarshal(raw, &page) == nil, "the list of %s is %.200s", r.caller, raw) {
		return
	}
	r.compare(before, page.Jobs)
}

// getMany asks for the jobs of the caller in one request, and compares as list does.
func (r *round) getMany(ctx context.Context) {
	before := r.ends()
	var ids strings.Builder
	for id := range before {
		ids.WriteString(id + "\n")
	}
	if len(before) == 0 {
		return
	}
	status, raw, err := r.ask(ctx, http.MethodPost, "/compute/get", ids.String())
	lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	if err != nil || status != http.StatusOK || len(lines) != len(before) {
		return // the node has died meanwhile
	}
	jobs := make([]json.RawMessage, 0, len(lines))
	for _, line := range lines {
		var answer struct{ Status any } // a word of a job, a number of a problem
		err := json.Unmarshal(line, &answer)
		switch status, problem := answer.Status.(float64); {
		case err != nil || problem && status != http.StatusNotFound:
			return // it says nothing of the job
		case !problem:
			jobs = append(jobs, line)
		}
	}
	r.compare(before, jobs)
}

// ends are the accepted jobs with what was seen of their ends.
func (r *round) ends() map[string]uint64 {
	ends := map[string]uint64{}
	for _, l := range r.jobs {
		if l.Outcome == accepted {
			ends[l.ID] = r.sightings.ended(l.ID)
		}
	}
	return ends
}

// compare compares many jobs that were read at once with what was seen before.
func (r *round) compare(before map[string]uint64, jobs []json.RawMessage) {
	found := map[string]json.RawMessage{}
	for _, raw := range jobs {
		id := client.RequestID(raw)
		r.orders.read(id == "" || found[id] == nil, "job %s is listed twice", id)
		found[id] = raw
	}
	for id, end := range before {
		status := http.StatusOK
		if found[id] == nil {
			status = http.StatusNotFound
		}
		r.sightings.see(id, end, status, found[id])
	}
}

// order sends an order to one node after the other until one says that it is done. unsure
// says that an attempt had no answer.
func (r *round) order(ctx context.Context, method, path, body string, want int) (raw []byte, unsure, done bool) {
	for began := time.Now(); time.Since(began) < longestTrial && ctx.Err() == nil; wait.For(ctx, againAfter) {
		status, raw, err := r.ask(ctx, method, path, body)
		switch {
		case err != nil && notSent(err):
		case err != nil || status == http.StatusGatewayTimeout:
			unsure = true
		case status == want:
			return raw, unsure, true
		case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		default:
			r.orders.read(false, "%s %s %s: %d %.200s", method, path, body, status, raw)
			return raw, unsure, false
		}
	}
	return nil, unsure, false
}

// ask sends one request to some node.
func (r *round) ask(ctx context.Context, method, path, body string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	header := http.Header{}
	switch {
	case method == http.MethodPut:
		header.Set("Content-Type", "application/json")
	case body != "":
		header.Set("Content-Type", "application/x-ndjson")
	}
	return r.balancer.pick().send(ctx, method, path, header, body)
}
