package backlog_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/factor"
)

// start is when the tests' clock begins.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// desk is a backlog with what the caller actor has around it: a store in memory,
// and a runner for its turns.
type desk struct {
	t       *testing.T
	cfg     backlog.Config
	backlog *backlog.Backlog
	jobs    map[uint64]*stored // by sequence number
	last    uint64
	place   uint64
	runner  *factor.Runner
	results map[string][]byte // of turns that ran, by payload
}

// stored is a job as the store has it.
type stored struct {
	job        fairfactor.Job
	checkpoint []byte
	pieces     map[uint32][]byte
	ends       int // times that it ended since it was accepted or put back
}

func newDesk(t *testing.T, cfg backlog.Config) *desk {
	cfg.Caller = "alice"
	d := &desk{t: t, cfg: cfg, jobs: map[uint64]*stored{}, runner: factor.NewRunner(), results: map[string][]byte{}}
	d.activate()
	return d
}

// activate starts the backlog from what the store has.
func (d *desk) activate() {
	queued := uint64(0)
	for _, s := range d.jobs {
		if !s.job.State.Final() {
			queued++
		}
	}
	d.cfg.Places = &places
	d.backlog = backlog.New(d.cfg, fairfactor.Claim{Number: 7, Last: d.last, Caller: fairfactor.Caller{Name: "alice", Queued: queued}})
}

// store makes a new job durable.
func (d *desk) store(number string) *fairfactor.Job {
	job := d.create(number)
	d.jobs[job.ID.Seq] = &stored{job: *job}
	return job
}

// create makes a job that is not durable.
func (d *desk) create(number string) *fairfactor.Job {
	d.last++
	return &fairfactor.Job{
		ID: fairfactor.ID{Nonce: d.last * 17, Caller: 7, Seq: d.last}, Caller: "alice", Number: number,
		Key: fmt.Sprint("key", d.last), Order: d.last, State: fairfactor.Pending, Submitted: start,
	}
}

func (d *desk) accept(numbers ...string) {
	for _, n := range numbers {
		job := d.store(n)
		d.backlog.Accept(job, d.backlog.Admit(job))
	}
}

// read is a page as the store gives it.
func (d *desk) read(after uint64) (page []fairfactor.Waiting) {
	for _, s := range d.jobs {
		if !s.job.State.Final() && s.job.Order > after {
			page = append(page, fairfactor.Waiting{Job: s.job, Checkpoint: slices.Clone(s.checkpoint)})
		}
	}
	slices.SortFunc(page, func(a, b fairfactor.Waiting) int { return int(a.Job.Order) - int(b.Job.Order) })
	return page[:min(len(page), backlog.Page)]
}

// fill reads pages as long as the backlog wants some.
func (d *desk) fill() (pages int) {
	for {
		after, ok := d.backlog.NeedPage()
		if !ok {
			break
		}
		d.backlog.Paged(d.read(after))
		pages++
	}
	d.load(-1)
	return pages
}

// load reads pieces of checkpoints as long as the backlog wants some, most of them
// at most; negative is no limit.
func (d *desk) load(most int) (loaded int) {
	for most < 0 || loaded < most {
		w, ok := d.backlog.NeedPiece()
		order, number := w.Order, w.Piece
		if !ok {
			return loaded
		}
		var data []byte
		for _, s := range d.jobs {
			if s.job.Order == order {
				data = slices.Clone(s.pieces[uint32(number)])
			}
		}
		if err := d.backlog.Loaded(order, number, data); err != nil || data == nil {
			d.t.Fatalf("piece %d of order %d, %d bytes: %v", number, order, len(data), err)
		}
		loaded++
	}
	return loaded
}

// run does a turn as a worker does.
func (d *desk) run(t backlog.Turn) backlog.Outcome {
	turn := factor.Turn{ID: t.Turn, Payload: t.Payload, Predict: t.Predict}
	if t.Turn == 0 && len(t.Payload) == 0 {
		turn = factor.First(t.Number)
	}
	data, ok := d.results[string(turn.Payload)]
	if !ok {
		result, err := d.runner.Run(turn, nil)
		if err != nil {
			d.t.Fatalf("turn %d of %s: %v", t.Turn, t.Number, err)
		}
		data = result.Data
		d.results[string(turn.Payload)] = data
	}
	out := d.outcome(t)
	out.Data = data
	return out
}

func (d *desk) outcome(t backlog.Turn) backlog.Outcome {
	d.place++
	return backlog.Outcome{Seq: t.ID.Seq, Nonce: t.ID.Nonce, Turn: t.Turn, Dispatched: d.place, Started: start.Add(time.Second), CPU: time.Millisecond}
}

// failure is the outcome of a turn that went wrong.
func (d *desk) failure(t backlog.Turn) backlog.Outcome {
	out := d.outcome(t)
	out.Failure = "the disk is on fire"
	return out
}

// give tells the backlog an outcome and makes an end durable.
func (d *desk) give(out backlog.Outcome) (ended *fairfactor.Job, withdraw bool) {
	ended, withdraw = d.backlog.Outcome(out, start.Add(time.Minute))
	if ended != nil {
		d.finish(ended)
		d.backlog.Committed(ended.ID.Seq)
	}
	return ended, withdraw
}

// finish writes the end of a job as the store does: one that has ended already
// is refused.
func (d *desk) finish(job *fairfactor.Job) {
	d.t.Helper()
	s := d.jobs[job.ID.Seq]
	if s == nil || s.job.State.Final() || s.job.Order != job.Order || !job.State.Final() {
		d.t.Fatalf("job %d ends as %v, the store has %+v", job.ID.Seq, job.State, s)
	}
	s.job, s.checkpoint, s.pieces = *job, nil, nil
	s.ends++
	if job.State == fairfactor.Completed {
		d.checkFactors(job)
	}
}

func (d *desk) checkFactors(job *fairfactor.Job) {
	d.t.Helper()
	product := big.NewInt(1)
	for _, f := range job.Factors {
		p, _ := new(big.Int).SetString(f.Prime, 10)
		if !p.ProbablyPrime(10) {
			d.t.Errorf("job %d: %s is not prime", job.ID.Seq, f.Prime)
		}
		product.Mul(product, p.Exp(p, big.NewInt(int64(f.Exponent)), nil))
	}
	if product.String() != job.Number {
		d.t.Errorf("job %d: factors %v do not give %s", job.ID.Seq, job.Factors, job.Number)
	}
}

// work runs everything that there is to do, one turn after the other.
func (d *desk) work() {
	d.t.Helper()
	for range 100_000 {
		d.fill()
		turns := d.backlog.Next(nil, 1)
		if len(turns) == 0 {
			d.fill() // pieces that a job needs before its next turn, which Next has restored
			turns = d.backlog.Next(nil, 1)
		}
		if len(turns) == 0 {
			turns = d.backlog.Offered(nil)
		}
		if len(turns) == 0 {
			return
		}
		d.give(d.run(turns[0]))
	}
	d.t.Fatal("no end after 100,000 turns")
}

// next offers some turns and names them: job.turn.
func (d *desk) next(max int) ([]backlog.Turn, string) {
	turns := d.backlog.Next(nil, max)
	return turns, names(turns)
}

func names(turns []backlog.Turn) string {
	var all []string
	for _, t := range turns {
		all = append(all, fmt.Sprintf("%d.%d", t.ID.Seq, t.Turn))
	}
	return strings.Join(all, " ")
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// product returns the product of random primes of these sizes in bits.
func product(rng *rand.Rand, bits ...int) string {
	n := big.NewInt(1)
	for _, b := range bits {
		p := new(big.Int)
		for p.BitLen() < b { // random to the last bit: primes near powers of 2 are a special form
			p.Lsh(p, 32).Or(p, big.NewInt(int64(rng.Uint32()|1<<31)))
		}
		p.Rsh(p, uint(p.BitLen()-b)).SetBit(p, 0, 1)
		for !p.ProbablyPrime(10) {
			p.Add(p, big.NewInt(2))
		}
		n.Mul(n, p)
	}
	return n.String()
}

// long is a number of 63 digits that takes several turns; hard is one that takes
// hours.
var (
	long = product(rand.New(rand.NewPCG(1, 1)), 50, 52, 54, 56)
	hard = product(rand.New(rand.NewPCG(2, 2)), 180, 190)
)

// places are shared by all tests, as by all callers.
var places sync.Pool
