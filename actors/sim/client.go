package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"fairfactor"
)

// verb is what a client asks for.
type verb int

const (
	submit verb = iota
	get
	list
	cancel
	retry
	await
	cancelAll
	retryAll
)

var verbs = [...]string{"submit", "get", "list", "cancel", "retry", "wait", "cancel all of", "retry all of"}

// op is one request of a client and its answer.
type op struct {
	verb      verb
	client    int
	caller    string
	call, end int64 // when it was made and answered, in one count of all of these
	number    string
	key       string
	id        fairfactor.ID
	state     fairfactor.State // that the answer shows
	code      fairfactor.Code  // of the error
	replay    bool
	unknown   bool                               // no answer, or one that does not say
	again     bool                               // it was asked more than once on its way
	jobs      map[fairfactor.ID]fairfactor.State // list
	answer    fairfactor.Job
	sweep     *sweep // cancelAll and retryAll
}

func (o *op) String() string {
	text := fmt.Sprintf("client %d: %s %s", o.client, verbs[o.verb], o.caller)
	switch {
	case o.verb == submit:
		text += fmt.Sprintf(" %.12s key %q", o.number, o.key)
	case o.verb != list && o.sweep == nil:
		text += fmt.Sprintf(" %d", o.id.Seq)
	}
	switch {
	case o.unknown:
		text += " -> unknown"
	case o.code != "":
		text += " -> " + string(o.code)
	case o.verb == submit:
		text += fmt.Sprintf(" -> job %d %v, replay %v", o.id.Seq, o.state, o.replay)
	case o.verb == list:
		text += fmt.Sprintf(" -> %d jobs", len(o.jobs))
	case o.sweep != nil:
		text += " -> " + o.sweep.String()
	default:
		text += fmt.Sprintf(" -> %v", o.state)
	}
	return text
}

// patience is how long a client waits for an answer.
const patience = 30 * time.Second

// client makes requests, one after the other.
func (r *run) client(i int) {
	rng := rand.New(rand.NewPCG(r.opts.Seed, uint64(i)+0xc11e))
	r.w.sleep(time.Duration(rng.Int64N(int64(2 * time.Second))))
	for range r.opts.Requests {
		r.request(i, rng, fmt.Sprint("c", rng.IntN(r.opts.Callers)))
		if !r.opts.Hurry {
			r.w.sleep(time.Duration(rng.Int64N(int64(3 * time.Second))))
		} else if rng.IntN(5) == 0 {
			r.w.sleep(time.Duration(rng.Int64N(int64(12 * time.Second))))
		}
	}
}

func (r *run) request(client int, rng *rand.Rand, name string) {
	known := r.known[name]
	what := rng.IntN(100)
	if len(known) == 0 {
		what = 99
	}
	keyed := rng.Float64() < r.opts.Keyed
	var id fairfactor.ID
	if len(known) > 0 {
		id = known[len(known)-1-rng.IntN(min(len(known), 6))]
	}
	o := &op{client: client, caller: name, id: id}
	switch changes := r.opts.Changes; {
	case rng.IntN(100) < r.opts.Sweeps && len(known) > 0:
		r.sweep(o, rng.IntN(2) == 0)
	case what < changes:
		r.one(o, cancel, func(ctx context.Context, s *service) (fairfactor.Job, error) { return s.Cancel(ctx, id) })
	case what < 2*changes:
		r.one(o, retry, func(ctx context.Context, s *service) (fairfactor.Job, error) { return s.Retry(ctx, id) })
	case what < 2*changes+15:
		r.one(o, get, func(ctx context.Context, s *service) (fairfactor.Job, error) { return s.Job(ctx, id) })
	case what < 2*changes+21:
		r.list(o)
	case what < 2*changes+28:
		r.submit(rng, o, 2+rng.IntN(4), keyed)
	case what >= 2*changes+33:
		r.submit(rng, o, 1, keyed)
	default:
		limit := time.Duration(rng.Int64N(int64(8 * time.Second)))
		r.one(o, await, func(ctx context.Context, s *service) (fairfactor.Job, error) {
			ctx, cancel := r.w.within(ctx, limit)
			defer cancel()
			return s.Wait(ctx, id)
		})
	}
}

// reply is what a client hears of what it asked for.
type reply struct {
	answered bool
	sent     bool // the process may have heard of it
	again    bool // it was asked more than once on its way
}

// ask has a process do something for a client.
func (r *run) ask(do func(context.Context, *service)) (got reply) {
	w := r.w
	at := r.c.places[w.rng.IntN(len(r.c.places))]
	p := at.proc
	if p == nil || !p.started || p.closing || p.lapsed() && !p.paused {
		w.sleep(20 * time.Millisecond)
		return got
	}
	limit := w.now + patience
	for w.now < limit && !got.answered && !p.dead {
		w.wait(limit, func(wake func()) {
			p.waiters = append(p.waiters, wake)
			if got.sent {
				return
			}
			got.sent = true
			w.start(w.often(200*time.Microsecond, 20*time.Millisecond), p, func() {
				ctx, cancel := w.within(context.Background(), patience)
				defer cancel()
				do(ctx, p.service)
				again := w.current.again
				w.after(w.often(200*time.Microsecond, 20*time.Millisecond), nil, func() {
					if !p.dead {
						got.answered, got.again = true, again
						wake()
					}
				})
			})
		})
	}
	return got
}

// count is the next number in the count of calls and ends.
func (r *run) count() int64 {
	r.ticks++
	return r.ticks
}

// note puts requests into the history.
func (r *run) note(ops ...*op) {
	for _, o := range ops {
		r.history = append(r.history, o)
		r.w.say("%v", o)
	}
}

// submit submits numbers, some with keys that were used before.
func (r *run) submit(rng *rand.Rand, like *op, n int, keyed bool) {
	var subs []fairfactor.Submission
	var ops []*op
	wait := rng.IntN(4) == 0
	for range n {
		o := *like
		o.verb, o.id, o.number = submit, fairfactor.ID{}, r.number(rng)
		if keyed {
			o.key = "k" + strconv.Itoa(rng.IntN(4))
			name := o.caller + "/" + o.key
			if was := r.keys[name]; was != "" && rng.IntN(6) > 0 {
				o.number = was
			} else if was == "" {
				r.keys[name] = o.number
			}
		}
		subs = append(subs, fairfactor.Submission{Number: o.number, Key: o.key, Wait: wait})
		ops = append(ops, &o)
	}
	for _, o := range ops {
		o.call = r.count()
	}
	var receipts []fairfactor.Receipt
	var err error
	got := r.ask(func(ctx context.Context, s *service) { receipts, err = s.Submit(ctx, like.caller, subs, nil) })
	for i, o := range ops {
		o.end = r.count()
		own := err
		if got.answered && err == nil {
			o.id, o.state, o.replay, o.answer, own = receipts[i].Job.ID, receipts[i].Job.State, receipts[i].Replay, receipts[i].Job, receipts[i].Err
		}
		r.classify(o, got, own)
		if o.code == "" && !o.unknown {
			r.learn(o.caller, o.id)
		}
	}
	r.note(ops...)
}

// learn has clients know of a job.
func (r *run) learn(name string, id fairfactor.ID) {
	for _, have := range r.known[name] {
		if have == id {
			return
		}
	}
	r.known[name] = append(r.known[name], id)
}

// classify says what an answer means.
func (r *run) classify(o *op, got reply, err error) {
	o.again = got.again
	switch {
	case !got.sent:
		o.code = fairfactor.Unavailable
	case !got.answered || errors.Is(err, fairfactor.ErrUnanswered) || fairfactor.CodeOf(err) == fairfactor.Canceled:
		o.unknown = true
	case err != nil:
		if o.code = fairfactor.CodeOf(err); o.code == fairfactor.Internal {
			r.w.broke("%v: %v", o, err)
		}
	}
}

// one makes a request for one job.
func (r *run) one(o *op, what verb, do func(context.Context, *service) (fairfactor.Job, error)) {
	o.verb, o.call = what, r.count()
	var job fairfactor.Job
	var err error
	got := r.ask(func(ctx context.Context, s *service) { job, err = do(ctx, s) })
	o.end = r.count()
	r.classify(o, got, err)
	if o.code == "" && !o.unknown {
		o.state, o.answer = job.State, job
	}
	r.note(o)
}

// list reads all jobs of a caller, page by page or at once.
func (r *run) list(o *op) {
	o.verb, o.call = list, r.count()
	var page fairfactor.Page
	var err error
	got := r.ask(func(ctx context.Context, s *service) {
		page, err = s.List(ctx, fairfactor.Query{Caller: o.caller, Limit: fairfactor.MaxPage})
	})
	o.end = r.count()
	r.classify(o, got, err)
	o.jobs = map[fairfactor.ID]fairfactor.State{}
	for _, job := range page.Jobs {
		o.jobs[job.ID] = job.State
	}
	r.note(o)
}

// lookBack gets each job once more, and the account of each caller.
func (r *run) lookBack() {
	for _, name := range sorted(r.known) {
		for _, id := range r.known[name] {
			r.one(&op{client: r.opts.Clients, caller: name, id: id}, get, func(ctx context.Context, s *service) (fairfactor.Job, error) { return s.Job(ctx, id) })
		}
	}
	var fair fairfactor.Fairness
	var err error
	if r.ask(func(ctx context.Context, s *service) { fair, err = s.Fairness(ctx) }).answered && err == nil {
		if fair.Violations > 0 {
			r.w.broke("the scheduler broke its bound of %v %d times, by a lag of %v", fair.Bound, fair.Violations, fair.MaxLag)
		}
	}
}

// number returns a number that no one has submitted in this run.
func (r *run) number(rng *rand.Rand) string {
	r.numbers++
	if rng.Float64() < r.opts.Long && r.hard < len(hard) {
		r.hard++
		return hard[r.hard-1]
	}
	return strconv.Itoa(1_000_000_007 + 2*r.numbers)
}
