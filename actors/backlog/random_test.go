package backlog_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// chaos is a desk where everything that may be late, lost or doubled is.
type chaos struct {
	*desk
	rng     *rand.Rand
	epoch   int
	begun   []*arrival // on their way to the store
	accepts []*arrival // durable, and the backlog was not told
	pages   [][]fairfactor.Waiting
	commits []*fairfactor.Job // ended, not durable
	ending  map[uint64]bool   // sequence numbers in commits
	pool    []backlog.Turn    // in the scheduler's or in workers' hands
	offered map[uint64]bool   // jobs whose first turn was offered in this epoch
	highest uint64            // order of the last one of them
	deaths  int               // of processes
	mourned []uint64          // jobs whose deaths are durable, and the backlog was not told
}

// arrival is a job that comes in.
type arrival struct {
	job      *fairfactor.Job
	admitted bool
	ended    *fairfactor.Job // before it was durable
	retried  bool            // it failed before, and is put back
}

// TestRandomInterleavings submits, pages, runs, loses, doubles, fails, cancels,
// retries, restarts, in random order. After all that every job that was accepted
// must have ended exactly once, and with the right factors if it is completed;
// first turns must have been offered in the order of the queue.
func TestRandomInterleavings(t *testing.T) {
	results := map[string][]byte{}
	for range 4 {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			d := newDesk(t, backlog.Config{MaxDeaths: 3})
			d.results = results
			c := &chaos{desk: d, rng: rand.New(rand.NewPCG(seed, 3))}
			c.restart()
			for range 1500 {
				c.act()
				c.check()
			}
			c.settle()
		})
	}
}

// act does one thing.
func (c *chaos) act() {
	switch n := c.rng.IntN(200); {
	case n < 40:
		c.submit()
	case n < 55:
		c.write()
	case n < 70:
		c.told()
	case n < 90:
		c.page()
		c.piece()
	case n < 120:
		c.offer(1 + c.rng.IntN(8))
	case n < 170:
		c.outcome()
	case n < 185:
		c.commit()
	case n < 190:
		c.cancel()
	case n < 193:
		c.retry()
	case n < 195:
		c.repeat()
	case n < 197:
		c.checkpoint()
	case n < 198 && c.rng.IntN(2) == 0:
		c.restart()
	case n < 198:
		c.die()
	case n < 199 && len(c.pool) > 0: // lost
		i := c.rng.IntN(len(c.pool))
		c.pool = slices.Delete(c.pool, i, i+1)
	}
}

func (c *chaos) submit() {
	number := fmt.Sprint(2 + c.rng.IntN(1_000_000))
	switch c.rng.IntN(100) {
	case 0:
		number = long
	case 1: // many at once, more than a page
		for range backlog.Page {
			c.arrive(c.create("15"))
		}
	}
	c.arrive(c.create(number))
}

func (c *chaos) arrive(job *fairfactor.Job) {
	c.begun = append(c.begun, &arrival{job: job, admitted: c.backlog.Admit(job)})
}

// write makes the next jobs durable, or fails to.
func (c *chaos) write() {
	for range min(len(c.begun), 1+c.rng.IntN(100)) {
		a := c.begun[0]
		c.begun = c.begun[1:]
		if len(c.accepts) == 0 && c.rng.IntN(20) == 0 { // refused, and its turns may be anywhere
			c.backlog.Drop(a.job, a.admitted)
			delete(c.ending, a.job.ID.Seq)
			c.pool = slices.DeleteFunc(c.pool, func(t backlog.Turn) bool { return t.ID.Seq == a.job.ID.Seq && c.rng.IntN(2) == 0 })
			continue
		}
		if a.retried {
			s := c.jobs[a.job.ID.Seq]
			s.job, s.ends = *a.job, s.ends-1
		} else {
			c.jobs[a.job.ID.Seq] = &stored{job: *a.job}
		}
		if a.ended != nil { // accepted and ended at once
			c.finish(a.ended)
		}
		c.accepts = append(c.accepts, a)
	}
}

// told tells the backlog of the next jobs that are durable.
func (c *chaos) told() {
	for range min(len(c.accepts), 1+c.rng.IntN(100)) {
		a := c.accepts[0]
		c.accepts = c.accepts[1:]
		c.backlog.Accept(a.job, a.admitted)
		if a.ended != nil {
			delete(c.ending, a.job.ID.Seq)
			c.backlog.Committed(a.job.ID.Seq)
		}
	}
}

// page asks for a page, or brings the one that was asked for: as it was then.
func (c *chaos) page() {
	if after, ok := c.backlog.NeedPage(); ok {
		c.pages = append(c.pages, c.read(after))
		return
	}
	if len(c.pages) == 0 {
		return
	}
	if c.rng.IntN(8) == 0 {
		c.backlog.Unpaged()
	} else {
		c.backlog.Paged(c.pages[0])
	}
	c.pages = c.pages[1:]
}

// piece brings the piece of a checkpoint that is wanted, or says that it is lost.
func (c *chaos) piece() {
	w, ok := c.backlog.NeedPiece()
	if !ok {
		return
	}
	var data []byte
	for _, s := range c.jobs {
		if s.job.Order == w.Order {
			data = s.pieces[uint32(w.Piece)]
		}
	}
	if err := c.backlog.Loaded(w.Order, w.Piece, data); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chaos) offer(max int) {
	for _, t := range c.backlog.Next(nil, max) {
		if job, ok := c.backlog.Look(t.ID.Seq); !ok {
			c.t.Fatalf("turn %d of job %d, which is not here", t.Turn, t.ID.Seq)
		} else if t.Turn == 0 && !c.offered[job.Order] {
			c.offered[job.Order] = true
			if job.Order <= c.highest {
				c.t.Fatalf("job %d of order %d is offered after %d", t.ID.Seq, job.Order, c.highest)
			}
			c.highest = job.Order
		}
		c.pool = append(c.pool, t)
	}
}

// outcome brings that of any turn: right, wrong, or failed, once or twice.
func (c *chaos) outcome() {
	if len(c.pool) == 0 {
		return
	}
	i := c.rng.IntN(len(c.pool))
	t := c.pool[i]
	if c.rng.IntN(10) > 0 { // otherwise it is run again some time
		c.pool = slices.Delete(c.pool, i, i+1)
	}
	out := c.run(t)
	switch n := c.rng.IntN(20); {
	case n == 0 || t.ID.Seq%8 == 0: // some jobs have no luck, until they are retried late
		out = c.failure(t)
	case n == 1:
		out.Data = []byte("nonsense")
	}
	for range 1 + c.rng.IntN(2) {
		if ended, _ := c.backlog.Outcome(out, start); ended != nil {
			c.end(ended)
		}
	}
}

func (c *chaos) end(job *fairfactor.Job) {
	if c.ending[job.ID.Seq] {
		c.t.Fatalf("job %d ends twice", job.ID.Seq)
	}
	for _, a := range c.begun {
		if a.job.ID.Seq == job.ID.Seq {
			c.ending[job.ID.Seq], a.ended = true, job
			return
		}
	}
	c.ending[job.ID.Seq] = true
	c.commits = append(c.commits, job)
}

// commit makes the next end durable.
func (c *chaos) commit() {
	for range min(len(c.commits), 1+c.rng.IntN(4)) {
		job := c.commits[0]
		c.commits = c.commits[1:]
		c.finish(job)
		delete(c.ending, job.ID.Seq)
		c.backlog.Committed(job.ID.Seq)
	}
}

// cancel does what the caller actor does.
func (c *chaos) cancel() {
	if c.last == 0 {
		return
	}
	seq := 1 + c.rng.Uint64N(c.last)
	if c.backlog.Ending(seq) {
		return
	}
	ended, _, ok := c.backlog.Cancel(seq, "", start)
	if !ok && c.jobs[seq] != nil && !c.jobs[seq].job.State.Final() {
		ended, ok = c.backlog.Expel(c.jobs[seq].job, "", start)
	}
	if ok {
		c.end(ended)
	}
}

// die has a process die with a job in its hands, or says so once more.
func (c *chaos) die() {
	if len(c.pool) == 0 {
		return
	}
	id := c.pool[c.rng.IntN(len(c.pool))].ID
	if c.rng.IntN(4) > 0 {
		c.deaths++
	}
	job, here := c.backlog.Look(id.Seq)
	m, ok := c.backlog.Died(backlog.Died{Seq: id.Seq, Nonce: id.Nonce, Process: fmt.Sprint("p", c.deaths)}, start)
	if ok != here {
		c.t.Fatalf("a death of job %d counts %v, it is in memory %v", id.Seq, ok, here)
	}
	if m.Ended != nil {
		if job.Deaths.Count() != 2 || !m.Ended.Quarantined() {
			c.t.Fatalf("quarantined with one more death than %+v: %+v", job.Deaths, m.Ended)
		}
		c.end(m.Ended)
	}
	if m.Change != nil {
		if s := c.jobs[id.Seq]; s != nil && !s.job.State.Final() {
			s.job, s.checkpoint = *m.Change.Job, m.Change.Checkpoint
			for _, p := range m.Change.Pieces {
				if s.pieces == nil {
					s.pieces = map[uint32][]byte{}
				}
				s.pieces[p.Number] = p.Data
			}
		}
		c.mourned = append(c.mourned, id.Seq)
	}
	for _, t := range c.backlog.Next(nil, 1000) {
		if t.ID.Seq == id.Seq && m.Change != nil {
			c.t.Fatalf("job %d is offered before its death is durable", id.Seq)
		}
		c.pool = append(c.pool, t)
		if j, ok := c.backlog.Look(t.ID.Seq); ok {
			c.offered[j.Order], c.highest = true, max(c.highest, j.Order)
		}
	}
	if c.rng.IntN(2) == 0 {
		c.mourn()
	}
}

// mourn tells the backlog that deaths are durable.
func (c *chaos) mourn() {
	for _, seq := range c.mourned {
		c.backlog.Mourned(seq)
	}
	c.mourned = nil
}

func (c *chaos) retry() {
	for _, seq := range slices.Sorted(maps.Keys(c.jobs)) {
		if c.jobs[seq].job.State == fairfactor.Failed {
			if slices.ContainsFunc(c.begun, func(a *arrival) bool { return a.job.ID.Seq == seq }) {
				continue
			}
			job := c.jobs[seq].job
			c.last++
			job.Order, job.State, job.Factors, job.Reason = c.last, fairfactor.Pending, nil, ""
			c.backlog.Defer()
			c.begun = append(c.begun, &arrival{job: &job, retried: true}) // behind all that are on their way
			return
		}
	}
}

// repeat offers everything again, as to a new scheduler.
func (c *chaos) repeat() { c.pool = c.backlog.Offered(nil) }

// restart is a new activation: what is not durable is gone.
func (c *chaos) restart() {
	c.activate()
	c.epoch++
	c.begun, c.accepts, c.pages, c.commits, c.pool = nil, nil, nil, nil, nil
	c.mourned = nil
	c.ending, c.offered, c.highest = map[uint64]bool{}, map[uint64]bool{}, 0
}

func (c *chaos) check() {
	offered := c.backlog.Offered(nil)
	if len(offered) != c.backlog.Outstanding() {
		c.t.Fatalf("%d turns offered, %d outstanding", len(offered), c.backlog.Outstanding())
	}
	if c.backlog.Empty() && (c.backlog.More() || len(offered) > 0 || len(c.ending) > 0) {
		c.t.Fatal("empty, but there is something to do")
	}
}

// settle lets all that is under way arrive, and then does all work.
func (c *chaos) settle() {
	for round := 0; !c.backlog.Empty() || len(c.begun)+len(c.accepts)+len(c.commits)+len(c.pages) > 0; round++ {
		if round > 100_000 {
			c.t.Fatalf("no end: more %v, offered %v", c.backlog.More(), names(c.backlog.Offered(nil)))
		}
		c.write()
		c.told()
		c.mourn()
		c.page()
		c.piece()
		c.offer(8)
		if len(c.pool) == 0 {
			c.repeat()
		}
		for _, t := range c.pool {
			if ended, _ := c.backlog.Outcome(c.run(t), start); ended != nil {
				c.end(ended)
			}
		}
		c.pool = nil
		c.commit()
	}
	states := map[fairfactor.State]int{}
	for seq, s := range c.jobs {
		states[s.job.State]++
		if !s.job.State.Final() || s.ends != 1 {
			c.t.Errorf("job %d of order %d is %v and has ended %d times", seq, s.job.Order, s.job.State, s.ends)
		}
	}
	c.t.Logf("%d activations; %v", c.epoch, states)
	if c.backlog.Outstanding() != 0 || c.backlog.More() || c.backlog.CountRunning() != 0 {
		c.t.Error("something is left at the end")
	}
}
