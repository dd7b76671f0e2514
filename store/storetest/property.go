package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"fairfactor"
)

// likeTheModel does the same random things to the store and to the model and
// compares every answer.
func likeTheModel(w *world) {
	seed := uint64(time.Now().UnixNano())
	w.Logf("seed %d", seed)
	p := &pair{world: w, rng: rand.New(rand.NewPCG(seed, 0)), twin: &model{}, writers: map[string]fairfactor.Claim{}, begin: w.end()}
	for step := 0; step < 400 && !w.Failed(); step++ {
		switch n := p.rng.IntN(100); {
		case n < 10:
			p.claim()
		case n < 13:
			p.claimScheduler()
		case n < 70:
			p.apply()
		case n < 76:
			p.expire()
		case n < 78 && !w.suite.forgetful:
			p.reopen()
		case n < 80:
			p.weighGroup()
		case n < 82:
			p.trim()
		case n < 85:
			p.forgetSome()
		case n < 86:
			p.trimDeadly()
		default:
			p.compare(p.rng.IntN(comparisons))
		}
	}
	for n := 0; n < comparisons && !w.Failed(); n++ {
		p.compare(n)
	}
}

// pair is a store and the model next to it.
type pair struct {
	*world
	rng     *rand.Rand
	twin    *model
	writers map[string]fairfactor.Claim // current activations
	begin   fairfactor.Position         // before anything happened
}

// callerNames are the callers of a run: few, so that they meet again.
var callerNames = []string{"a", "b", "B", "c:1", "d"}

func (p *pair) name() string { return callerNames[p.rng.IntN(len(callerNames))] }

// oneIn is true once in n times.
func (p *pair) oneIn(n int) bool { return p.rng.IntN(n) == 0 }

// moment returns the time, which moves on at random, to the nanosecond and in
// any zone.
func (p *pair) moment() time.Time {
	p.now = p.now.Add(time.Duration(p.rng.Int64N(int64(3 * time.Millisecond))))
	if p.oneIn(3) {
		return p.now.In(time.FixedZone("", p.rng.IntN(20000)-10000))
	}
	return p.now
}

// number returns a number, one of a few half of the time.
func (p *pair) number() string {
	if p.oneIn(2) {
		return fmt.Sprint(15 + p.rng.IntN(5))
	}
	return fmt.Sprint(p.rng.Uint64())
}

func (p *pair) claim() {
	name, group := p.name(), []string{"", "g", "h"}[p.rng.IntN(3)]
	got, err := p.store.ClaimCaller(p.ctx(), name, group)
	if err != nil {
		p.Fatalf("claim %q: %v", name, err)
	}
	p.same("claim of "+name, got, p.follow(name, group, got))
	p.writers[name] = got
}

// follow has the model make a claim with the number and the epoch that the store
// gave it, where the store is free to choose them: the number of a caller that is
// not known, and any epoch above those before.
func (p *pair) follow(name, group string, got fairfactor.Claim) fairfactor.Claim {
	before := p.twin.called(name)
	fresh := before == nil || !before.known && before.number != got.Number
	if fresh {
		for _, c := range p.twin.callers {
			if c.number == got.Number {
				p.Fatalf("the number %d of %q was given to %q too", got.Number, c.name, name)
			}
		}
	}
	c := before
	if c == nil {
		c = &modelCaller{name: name, weight: 1}
		p.twin.callers = append(p.twin.callers, c)
	}
	if fresh {
		c.number = got.Number // before the claim, which tells its jobs by it
	}
	want, _ := p.twin.ClaimCaller(p.ctx(), name, group)
	if got.Epoch >= want.Epoch {
		c.epoch = got.Epoch
	}
	want.Number, want.Epoch = c.number, c.epoch
	return want
}

// reopen ends the process that owns the store, with all activations in it. What
// a claim alone left behind may be gone.
func (p *pair) reopen() {
	p.world.reopen()
	p.writers = map[string]fairfactor.Claim{}
	p.twin.callers = slices.DeleteFunc(p.twin.callers, func(c *modelCaller) bool { return !c.known })
	for _, c := range p.twin.callers {
		c.epoch = 0
	}
}

func (p *pair) weighGroup() {
	group, weight := []string{"g", "h", ""}[p.rng.IntN(3)], p.rng.IntN(4)
	got, want := p.store.WeighGroup(p.ctx(), group, weight), p.twin.WeighGroup(p.ctx(), group, weight)
	if fairfactor.CodeOf(got) != fairfactor.CodeOf(want) {
		p.Fatalf("weight %d for the group %q: got %v, want %v", weight, group, got, want)
	}
}

func (p *pair) claimScheduler() {
	got, err := p.store.ClaimScheduler(p.ctx())
	want, _ := p.twin.ClaimScheduler(p.ctx())
	if err != nil {
		p.Fatalf("claim of the scheduler: %v", err)
	}
	p.same("claim of the scheduler", got, want)
}

// apply applies a group. Each change is made up with the model standing as the
// changes before it in the group left it.
func (p *pair) apply() {
	changes := make([]fairfactor.Change, p.rng.IntN(12))
	want := make([]error, len(changes))
	for i := range changes {
		changes[i] = p.change()
		want[i] = p.twin.do(&changes[i])
	}
	for i, err := range p.world.apply(changes...) {
		if fairfactor.CodeOf(err) != fairfactor.CodeOf(want[i]) || (err == fairfactor.ErrFenced) != (want[i] == fairfactor.ErrFenced) {
			p.Fatalf("change %d: got %v, want %v\n%+v\n%+v", i, err, want[i], changes[i], changes[i].Job)
		}
	}
}

// change makes up a change, mostly one that is in order.
func (p *pair) change() fairfactor.Change {
	name := p.name()
	claim := p.writers[name] // of no activation, if it was not claimed
	ch := fairfactor.Change{Caller: name, Number: claim.Number, Epoch: claim.Epoch}
	if ch.Epoch > 0 && p.oneIn(20) { // the epoch of an earlier process is held by no activation
		ch.Epoch += uint64(p.rng.IntN(3)) - 1
	}
	if p.oneIn(40) {
		ch.Number = uint64(p.rng.IntN(7))
	}
	ch.Op = fairfactor.Op(p.rng.IntN(4) + 1)
	switch {
	case p.oneIn(15):
		ch.Op, ch.Weight = fairfactor.Weigh, p.rng.IntN(fairfactor.MaxWeight+20)-5
		return ch
	case p.oneIn(20):
		ch.Op, ch.Group, ch.Enrol = fairfactor.Regroup, []string{"g", "h", "", "not a group"}[p.rng.IntN(4)], p.oneIn(2)
		return ch
	case p.oneIn(20):
		ch.Op, ch.Paused = fairfactor.Pause, p.oneIn(2)
		return ch
	case p.oneIn(20):
		ch.Op, ch.Bounds = fairfactor.Bound, p.bounds()
		return ch
	case p.oneIn(5):
		ch.Op = fairfactor.AcceptEnded
	case p.oneIn(60):
		ch.Op = 77
	case p.oneIn(100):
		return ch
	}
	job := p.pick(ch)
	ch.Job = &job
	if p.oneIn(25) {
		p.spoil(&job)
	}
	ch.Learn = p.oneIn(2)
	if ch.Op == fairfactor.Checkpoint && !p.oneIn(5) {
		ch.Checkpoint = bytes.Repeat([]byte("progress"), p.rng.IntN(20))
		for range p.rng.IntN(3) {
			data := bytes.Repeat([]byte{byte(p.rng.IntN(256))}, 1+p.rng.IntN(100))
			ch.Pieces = append(ch.Pieces, fairfactor.Piece{Number: uint32(p.rng.IntN(4)), Data: data})
		}
	}
	return ch
}

// pick returns the job of a change: a new one, or one that is stored and
// suits the operation, if there is any.
func (p *pair) pick(ch fairfactor.Change) fairfactor.Job {
	last := uint64(0)
	if c := p.twin.called(ch.Caller); c != nil {
		last = p.twin.last(c)
	}
	fresh := last + 1 + uint64(p.rng.IntN(3)*p.rng.IntN(2))
	j := fairfactor.Job{
		ID: fairfactor.ID{Nonce: p.rng.Uint64() & maxNonce, Caller: ch.Number, Seq: fresh}, Caller: ch.Caller,
		Number: p.number(), Order: fresh, State: fairfactor.Pending, Submitted: p.moment(),
		Key: []string{"", "", "x", "y"}[p.rng.IntN(4)],
	}
	if p.oneIn(3) {
		j.Deadline = p.moment()
	}
	if p.oneIn(4) {
		j.Callback = &fairfactor.Callback{URL: "https://example.com/hook"}
	}
	if p.oneIn(4) {
		j.Trace = &fairfactor.Trace{ID: [16]byte{15: byte(1 + p.rng.IntN(9))}, Parent: [8]byte{1, 7: 9}, Flags: byte(p.rng.IntN(2))}
	}
	if p.oneIn(4) {
		j.Curves = []fairfactor.Curves{{B1: 11_000, Count: 74}}
	}
	switch ch.Op {
	case fairfactor.Accept:
		return j
	case fairfactor.AcceptEnded:
		p.advance(&j)
		p.end(&j)
		return j
	}
	wanted := func(s fairfactor.State) bool { return !s.Final() }
	if ch.Op == fairfactor.Requeue {
		wanted = func(s fairfactor.State) bool { return s == fairfactor.Failed }
	}
	seen, anything := 0, p.oneIn(15)
	for _, have := range p.twin.jobs {
		if have.ID.Caller == ch.Number && (anything || wanted(have.State)) {
			if seen++; p.oneIn(seen) {
				j = have.Job
			}
		}
	}
	p.advance(&j)
	switch ch.Op {
	case fairfactor.Requeue:
		j.Order, j.State = fresh, fairfactor.Pending
		if p.oneIn(2) {
			j.Deadline = time.Time{}
		}
	case fairfactor.Finish:
		p.end(&j)
	}
	return j
}

func (p *pair) end(j *fairfactor.Job) {
	j.State = fairfactor.Completed + fairfactor.State(p.rng.IntN(3))
	j.Known = j.State == fairfactor.Completed && p.oneIn(3)
	j.Finished = p.moment()
}

// advance changes what may change in a job from one record to the next.
func (p *pair) advance(j *fairfactor.Job) {
	j.Attempts += p.rng.IntN(2)
	j.Turn = p.rng.Uint64N(1000)
	j.Started = p.moment()
	j.CPU = max(0, j.CPU+time.Duration(p.rng.IntN(1000)-200)<<p.rng.IntN(16))
	j.Turns = uint64(max(0, int(j.Turns)+p.rng.IntN(10)-2))
	j.Reason = []string{"", "too hard"}[p.rng.IntN(2)]
	if j.Deaths = nil; p.oneIn(4) {
		j.Deaths = j.Deaths.With("01HZX", j.CPU).With("01HZY", j.CPU)
	}
	if j.Curves = nil; p.oneIn(3) {
		j.Curves = []fairfactor.Curves{{B1: 50_000, Count: 1 + p.rng.Uint64N(300)}, {B1: 250_000, Count: 1 + p.rng.Uint64N(300)}}[p.rng.IntN(2):]
	}
	j.Factors = make([]fairfactor.Factor, p.rng.IntN(3))
	for i := range j.Factors {
		j.Factors[i] = fairfactor.Factor{Prime: fmt.Sprint(p.rng.Uint32()), Exponent: 1 + p.rng.IntN(70), Probable: p.oneIn(2)}
	}
	if p.oneIn(4) {
		j.Progress = &fairfactor.Progress{Phase: "curves"}
	}
}

// spoil breaks one thing of a job.
func (p *pair) spoil(j *fairfactor.Job) {
	switch p.rng.IntN(8) {
	case 0:
		j.ID.Nonce ^= 1
	case 1:
		j.ID.Seq = uint64(p.rng.IntN(5))
	case 2:
		j.Order = uint64(p.rng.IntN(5))
	case 3:
		j.State = fairfactor.State(p.rng.IntN(6))
	case 4:
		j.Number = "12x4"
	case 5:
		j.Factors = []fairfactor.Factor{{Prime: "-7", Exponent: 1}}
	case 6:
		j.ID.Caller++
	case 7:
		j.ID.Nonce = 1 << 48
	}
}

// expire lets the store choose which of the jobs that are due it deletes, and
// the model follows.
func (p *pair) expire() {
	before := p.now.Add(-time.Duration(p.rng.Int64N(int64(40 * time.Millisecond))))
	limit := p.rng.IntN(20)
	due := p.twin.due(before)
	n := p.world.expire(before, limit)
	if n != min(limit, len(due)) {
		p.Fatalf("%d expired at limit %d with %d due", n, limit, len(due))
	}
	for _, j := range due {
		if _, err := p.store.Job(p.ctx(), j.ID); fairfactor.CodeOf(err) == fairfactor.NotFound {
			j.expired = true
			n--
		}
	}
	if n != 0 {
		p.Fatalf("%d more jobs expired than are gone", n)
	}
}

// bounds draws what a caller is allowed: often something, at times nothing, rarely what
// can't be or is missing.
func (p *pair) bounds() *fairfactor.Bounds {
	b := &fairfactor.Bounds{}
	some := func(most int) uint64 { return uint64(p.rng.IntN(most) * p.rng.IntN(2)) }
	b.MaxQueue, b.MaxRate, b.MaxDigits = some(1<<40), some(fairfactor.MaxRateBound), some(1000)
	if b.MaxCPU = time.Duration(some(1_000_000)) * time.Second; b.MaxCPU > 0 {
		b.Day, b.Before = some(30_000), time.Duration(some(1<<50))
	}
	switch {
	case p.oneIn(10):
		return nil
	case p.oneIn(10):
		b.MaxRate = fairfactor.MaxRateBound + 1
	case p.oneIn(5):
		return &fairfactor.Bounds{}
	}
	return b
}
