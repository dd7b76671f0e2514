package sim

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/store/memory"
)

// run is one run.
type run struct {
	w    *world
	opts Options
	c    *cluster
	over bool

	// The store, and what it is known to have been told.
	store      *memory.Store
	standby    *memory.Store // what it was when the standby had its last copy
	since      uint64        // activations with a lower epoch believe in what is lost
	went       bool          // it lost what it had acknowledged
	failing    float64
	claims     map[string]*process        // who claimed an epoch of a caller
	ends       map[string]int             // of a job in a place of its queue
	fatal      map[fairfactor.ID][]string // processes that died while they ran a job
	unfinished int
	visits     visits
	struck     map[string]bool // processes that a turn killed
	happenings []happening     // what followers are to be told
	followers  []*follower
	requeued   map[fairfactor.ID]int // times that a job was put back into its queue

	clients int // that have requests to make
	history []*op
	known   map[string][]fairfactor.ID // jobs by caller, that clients have heard of
	numbers int                        // that were submitted
	hard    int                        // of these, hard ones
	ticks   int64                      // see count
	keys    map[string]string          // idempotency key -> number, by caller/key
	used    time.Duration              // CPU
}

// Result is what came of a run.
type Result struct {
	Options Options
	Faults  []string // promises that were broken, nil if none was
	Steps   uint64
	Sum     uint64        // of all that was traced
	Took    time.Duration // from the end of the faults and the requests to that of the last job
	Jobs    int
	Answers int // that were checked
	Struck  int // processes that a turn killed
}

// bound is how long it may take after all faults and requests until every job has
// ended.
const bound = 150 * time.Second

// Run has happen what the options say and returns what came of it. The same options
// give the same run. trace, which may be nil, gets a line for each thing of note.
func Run(opts Options, trace io.Writer) Result {
	w := newWorld(opts.Seed)
	w.trace = trace
	r := &run{
		w: w, opts: opts, store: memory.New(), claims: map[string]*process{}, ends: map[string]int{},
		fatal: map[fairfactor.ID][]string{}, requeued: map[fairfactor.ID]int{}, struck: map[string]bool{},
		known: map[string][]fairfactor.ID{}, keys: map[string]string{},
	}
	r.c = &cluster{w: w, run: r, byID: map[string]*process{}, cut: map[[2]*place]bool{}, last: map[[2]*place]time.Duration{}}
	if !opts.Embedded {
		r.c.table = memory.NewMembers(func() time.Time { return at(w.now, w.now) })
	}
	for i := range opts.Nodes {
		r.c.places = append(r.c.places, &place{name: "n" + strconv.Itoa(i), slow: 1})
	}
	for _, at := range r.c.places {
		r.c.boot(at)
	}
	for i := range opts.Clients {
		r.clients++
		w.start(0, nil, func() {
			r.client(i)
			r.clients--
		})
	}
	if opts.Visits > 0 {
		r.visits = visits{given: map[fairfactor.ID]bool{}, deleted: map[fairfactor.ID]bool{}, retired: map[uint64]bool{}}
		r.clients++
		w.start(0, nil, func() {
			r.visit()
			r.clients--
		})
		w.start(0, nil, r.sweepUp)
	}
	begin, _ := r.store.Events(ctxNone, fairfactor.Position{}, 1, nil)
	for i := range opts.Followers {
		f := &follower{at: begin.Next}
		r.followers = append(r.followers, f)
		w.start(0, nil, func() { r.follow(i, f) })
	}
	r.copies()
	r.inject()
	result := Result{Options: opts}
	r.finish(&result)
	result.Steps, result.Sum, result.Faults, result.Jobs, result.Answers = w.steps, w.sum, w.faults, r.numbers, len(r.history)
	result.Struck = len(r.struck)
	r.close()
	return result
}

// finish runs until all is done, and checks what was said.
func (r *run) finish(result *Result) {
	w := r.w
	if !w.run(10*time.Minute, func() bool { return w.now >= faultsUntil && r.clients == 0 }) {
		w.broke("%d clients still wait for an answer", r.clients)
		return
	}
	w.say("all requests were answered, %d jobs are unfinished", r.unfinished)
	quiet := w.now
	if !w.run(quiet+bound, func() bool { return r.unfinished == 0 }) {
		w.broke("%d jobs have not ended %v after the faults", r.unfinished, bound)
		r.unended()
		return
	}
	result.Took = w.now - quiet
	r.clients = 1
	w.start(0, nil, func() {
		r.lookBack()
		r.clients--
	})
	if !w.run(w.now+2*time.Minute, func() bool { return r.clients == 0 }) {
		w.broke("the last requests are not answered")
		return
	}
	if !w.run(w.now+2*time.Minute, r.caughtUp) {
		w.say("followers do not catch up")
	}
	r.check()
}

// unended names the jobs that have not ended.
func (r *run) unended() {
	for _, job := range r.stored() {
		if !job.State.Final() {
			r.w.broke("job %d of %s is %s", job.ID.Seq, job.Caller, job.State)
		}
	}
}

// close lets go of all that waits.
func (r *run) close() {
	r.over = true
	for _, p := range r.c.all {
		p.die()
	}
	for t := range r.w.tasks {
		r.w.end(t)
	}
}

// claimed notes who may write for a caller.
func (r *run) claimed(p *process, name string, claim fairfactor.Claim) {
	if claim.Epoch > 0 {
		r.claims[fmt.Sprint(name, claim.Number, claim.Epoch)] = p
		r.w.say("%s claims %s: number %d, epoch %d, queued %d", p.id, name, claim.Number, claim.Epoch, claim.Caller.Queued)
	}
}

// wrote looks at a change that reached the store.
func (r *run) wrote(p *process, ch *fairfactor.Change, err error) {
	job := ""
	if ch.Job != nil {
		job = fmt.Sprint(ch.Job.ID.Seq, " ", ch.Job.State)
	}
	r.w.say("%s writes %d of %s, epoch %d, job %s: %v", p.id, ch.Op, ch.Caller, ch.Epoch, job, err)
	if err != nil {
		return
	}
	if who := r.claims[fmt.Sprint(ch.Caller, ch.Number, ch.Epoch)]; who != p {
		r.w.broke("%s wrote for %s with epoch %d, which it has not claimed", p.id, ch.Caller, ch.Epoch)
	}
	if r.happened(ch); ch.Op == fairfactor.Requeue {
		r.requeued[ch.Job.ID]++
	}
	switch ch.Op {
	case fairfactor.Accept, fairfactor.Requeue:
		if r.visits.retired[ch.Number] && !r.went {
			r.w.broke("job %d of %s was accepted with the number %d of an account that is gone", ch.Job.ID.Seq, ch.Caller, ch.Number)
		}
		r.unfinished++
		if have, err := r.store.Caller(ctxNone, ch.Caller); err != nil || have.Queued > r.opts.Queue {
			r.w.broke("the queue of %s has %d jobs, %v; its limit is %d", ch.Caller, have.Queued, err, r.opts.Queue)
		}
		return
	case fairfactor.Finish:
		r.unfinished--
	case fairfactor.AcceptEnded:
	default:
		return
	}
	end := fmt.Sprint(ch.Caller, " ", ch.Number, " ", ch.Job.ID.Seq, " ", ch.Job.Order)
	if r.ends[end]++; r.ends[end] > 1 {
		r.w.broke("job %d of %s ended twice", ch.Job.ID.Seq, ch.Caller)
	}
}

// stored returns all jobs that the store has.
func (r *run) stored() (jobs []fairfactor.Job) {
	q := fairfactor.Query{Limit: fairfactor.MaxPage}
	for {
		page, err := r.store.List(context.Background(), q)
		if err != nil {
			r.w.broke("the store does not list its jobs: %v", err)
			return nil
		}
		jobs = append(jobs, page.Jobs...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return jobs
		}
	}
}

// ran counts what turns used.
func (r *run) ran(_ *process, cpu time.Duration) { r.used += cpu }

// spoils tells whether a turn goes wrong.
func (r *run) spoils() bool { return r.w.chance(r.opts.Spoil) }

var errSpoiled = fairfactor.Errorf(fairfactor.Internal, "the turn went wrong")

// service is that of a process.
type service = actors.Service
