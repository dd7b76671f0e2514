package backlog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairfactor"
	"fairfactor/factor"
)

// Outcome takes in what came of a turn. The first outcome of a turn counts, all
// others are ignored. It returns the job if this ended it: its final state, to
// be made durable and then told to [Backlog.Committed]. withdraw says that the
// scheduler holds turns of the job, ended or not, that it should forget.
func (b *Backlog) Outcome(out Outcome, now time.Time) (ended *fairfactor.Job, withdraw bool) {
	o := b.open[out.Seq]
	if o == nil || o.job.ID.Nonce != out.Nonce {
		b.vain.Ended += out.CPU
		return nil, false
	}
	t, ok := o.takeOffered(out.Turn)
	if !ok {
		b.vain.Spare += out.CPU
		return nil, false
	}
	b.outstanding--
	o.began(out.Dispatched, out.Started)
	o.job.CPU += out.CPU
	o.job.Turns++
	o.dirty = true
	done, failure := false, out.Failure
	if failure == "" {
		var err error
		if done, err = b.apply(o, out); err != nil {
			failure = err.Error()
		}
	}
	switch {
	case done && failure != "": // all primes are there, and they are wrong: another turn would not help
		return b.end(o, fairfactor.Failed, failure, now)
	case done:
		return b.end(o, fairfactor.Completed, "", now)
	case failure != "":
		return b.failed(o, t, failure, now)
	case b.cfg.MaxCPU > 0 && o.job.CPU >= b.cfg.MaxCPU:
		return b.end(o, fairfactor.Failed, o.exhausted(b.cfg.MaxCPU), now)
	}
	return nil, b.shed(o)
}

// shed takes back the turns that a long job does not need any more, so that what
// it needs next does not wait behind them. The scheduler can only give all of a
// job's turns back, so those that are needed are offered again.
func (b *Backlog) shed(o *open) (withdraw bool) {
	if o.machine == nil {
		return false
	}
	for _, id := range o.machine.Shed() {
		if _, ok := o.takeOffered(id); ok {
			b.outstanding--
			withdraw = true
		}
	}
	if withdraw {
		b.outstanding -= len(o.offered)
		for _, t := range o.offered {
			o.machine.Return(t.Turn)
		}
		o.offered = nil
	}
	return withdraw
}

// Began notes that a turn of a job runs.
func (b *Backlog) Began(seq, dispatched uint64, at time.Time) {
	if o := b.open[seq]; o != nil {
		o.began(dispatched, at)
	}
}

func (o *open) began(dispatched uint64, at time.Time) {
	o.job.State = fairfactor.Running
	if o.job.Started.IsZero() || o.job.Turn == 0 {
		o.job.Started, o.job.Turn = at, dispatched
	}
}

// apply brings a turn's result into the job; done means that all its primes are
// known and multiply to the number.
func (b *Backlog) apply(o *open, out Outcome) (done bool, err error) {
	result := factor.Result{ID: out.Turn, Data: out.Data}
	if o.machine == nil {
		d := &b.decoder
		primes, done, err := d.Decode(o.number(), result)
		switch {
		case err != nil:
			return false, err
		case done && o.given == nil: // they multiply to the number, or Decode had refused them
			if cap(o.found) < len(primes) {
				o.found = d.room(len(primes))
			}
			o.found = appendFactors(o.found[:0], primes)
			o.job.Factors = o.found
			return true, nil
		case done:
			return true, o.complete(primes)
		}
		if o.machine, err = factor.New(o.number()); err != nil {
			return false, err
		}
		o.tell(o.machine)
		o.machine.Next(1) // turn 0, which was offered without it
		b.addLong(o)
	}
	if err := o.machine.Apply(result); err != nil {
		return false, err
	}
	if !o.machine.Done() {
		return false, nil
	}
	return true, o.complete(o.machine.Primes())
}

// decoder reads first outcomes; most jobs have no other. The factors of jobs that have no
// room of others for them are kept together.
type decoder struct {
	factor.Decoder
	free []fairfactor.Factor
	last int // how many were free at first
}

// Most numbers have no more than fewFactors primes, so that this is the least room; rooms
// of maxRoom factors are made at once.
const (
	fewFactors = 4
	maxRoom    = 64
)

// room returns room for at least n factors.
func (d *decoder) room(n int) []fairfactor.Factor {
	n = max(n, fewFactors)
	if len(d.free) < n {
		d.last = max(min(2*d.last, maxRoom), n)
		d.free = make([]fairfactor.Factor, d.last)
	}
	room := d.free[:0:n]
	d.free = d.free[n:]
	return room
}

// complete checks and books the answer.
func (o *open) complete(primes []factor.Prime) error {
	primes = o.withGiven(primes)
	if err := factor.Product(o.job.Number, primes); err != nil {
		return err
	}
	o.job.Factors = factors(primes)
	return nil
}

func factors(primes []factor.Prime) []fairfactor.Factor {
	if len(primes) == 0 {
		return nil
	}
	return appendFactors(make([]fairfactor.Factor, 0, len(primes)), primes)
}

func appendFactors(fs []fairfactor.Factor, primes []factor.Prime) []fairfactor.Factor {
	for _, p := range primes {
		fs = append(fs, fairfactor.Factor{Prime: p.P, Exponent: p.Exponent, Probable: !p.Proven, Proof: fairfactor.ParseProof(string(p.Proof))})
	}
	return fs
}

// failed offers a turn again that went wrong, or gives the job up.
func (b *Backlog) failed(o *open, t Turn, failure string, now time.Time) (*fairfactor.Job, bool) {
	o.failures++
	if o.failures >= MaxFailures {
		return b.end(o, fairfactor.Failed, fmt.Sprintf("%d turns of this job failed, the last one with: %s", o.failures, failure), now)
	}
	if o.machine != nil {
		o.machine.Return(t.Turn)
	} else {
		o.again = append(o.again, t)
		b.addLong(o)
	}
	return nil, false
}

func (b *Backlog) addLong(o *open) {
	if class := b.class(o); !slices.Contains(*class, o) {
		*class = append(*class, o)
	}
}

func (b *Backlog) dropLong(o *open) {
	class := b.class(o)
	if at := slices.Index(*class, o); at >= 0 {
		*class = slices.Delete(*class, at, at+1)
	}
}

// end moves a job to its final state.
func (b *Backlog) end(o *open, state fairfactor.State, reason string, now time.Time) (*fairfactor.Job, bool) {
	withdraw := len(o.offered) > 0
	b.outstanding -= len(o.offered)
	if state != fairfactor.Completed && o.machine != nil {
		o.job.Factors = factors(o.withGiven(o.machine.Primes()))
		b.leave(o)
	}
	o.was, o.job.Deaths, o.job.Curves = o.job.State, nil, o.curves()
	o.job.State, o.job.Reason, o.job.Finished, o.job.Progress = state, reason, now, nil
	b.dropLong(o)
	b.releaseMemory(o)
	delete(b.open, o.job.ID.Seq)
	o.machine, o.again = nil, nil
	b.ending[o.job.ID.Seq] = o
	return &o.job, withdraw
}

func (o *open) exhausted(limit time.Duration) string {
	if o.machine == nil {
		return fmt.Sprintf("the limit of %v of CPU for a job is used up", limit)
	}
	what, left := "not factored yet", o.machine.Remaining()
	if len(left) == 0 {
		what = "not proven prime yet"
		for _, p := range o.machine.Primes() {
			if !p.Proven {
				left = append(left, p.P)
			}
		}
	}
	return fmt.Sprintf("the limit of %v of CPU for a job is used up; %s: %s", limit, what, strings.Join(left, ", "))
}

// Cancel ends a job that is open or in the window; reason may be empty. It is false for
// a job that the backlog does not have in memory: the store knows it, and
// [Backlog.Expel] takes it from there.
func (b *Backlog) Cancel(seq uint64, reason string, now time.Time) (ended *fairfactor.Job, withdraw, ok bool) {
	if o := b.open[seq]; o != nil {
		ended, withdraw = b.end(o, fairfactor.Cancelled, reason, now)
		return ended, withdraw, true
	}
	if e := b.parking.jobs[seq]; e != nil {
		delete(b.parking.jobs, seq)
		ended, _ = b.end(b.opened(b.job(e)), fairfactor.Cancelled, reason, now)
		return ended, false, true
	}
	for i := range b.window {
		if e := &b.window[i]; e.seq == seq {
			o := b.opened(b.job(e))
			b.window = slices.Delete(b.window, i, i+1)
			ended, _ = b.end(o, fairfactor.Cancelled, reason, now)
			return ended, false, true
		}
	}
	return nil, false, false
}

// Expel cancels a waiting job that is in the store only. It is false if the job
// is in memory by now, or ending: see [Backlog.Cancel].
func (b *Backlog) Expel(job fairfactor.Job, reason string, now time.Time) (*fairfactor.Job, bool) {
	if _, here := b.Look(job.ID.Seq); here {
		return nil, false
	}
	return b.expel(job, reason, now), true
}

// Ending reports whether a job has come to its end and is not durable yet.
func (b *Backlog) Ending(seq uint64) bool { return b.ending[seq] != nil }

// CountEnding is the number of jobs that have come to their end and are not
// durable yet.
func (b *Backlog) CountEnding() int { return len(b.ending) }

// Look returns an unfinished job as it is now, if it is in memory. A job that is
// ending still shows as it was before: its end is not durable yet.
func (b *Backlog) Look(seq uint64) (fairfactor.Job, bool) {
	if o := b.open[seq]; o != nil {
		return o.look(b.cfg.MaxCPU), true
	}
	if e := b.ending[seq]; e != nil {
		seen := e.job
		seen.State, seen.Factors, seen.Finished, seen.Reason = e.was, nil, time.Time{}, ""
		return seen, true
	}
	if e := b.parking.jobs[seq]; e != nil {
		return b.job(e), true
	}
	for i := range b.window {
		if e := &b.window[i]; e.seq == seq {
			return b.job(e), true
		}
	}
	return fairfactor.Job{}, false
}

// look is the job as it is now; limit is that of CPU, zero for none.
func (o *open) look(limit time.Duration) fairfactor.Job {
	j := o.job
	j.Curves = o.curves()
	if o.machine != nil && j.State == fairfactor.Running {
		p := o.machine.Progress()
		j.Progress = &fairfactor.Progress{Phase: p.Phase, Percent: p.Percent, Left: p.Left, Found: factors(o.withGiven(p.Found)), Remaining: p.Remaining}
		if j.Progress.Memory = o.machine.Memory(); o.starved {
			j.Progress.Phase = fmt.Sprintf("waits for %d MiB of memory", j.Progress.Memory>>20)
		}
		if left := limit - j.CPU; limit > 0 && left < p.Left {
			j.Progress.Left, j.Progress.Limited = max(left, 0), true
		}
	}
	return j
}

// CountRunning is the number of durable jobs that have begun to run.
func (b *Backlog) CountRunning() (n uint64) {
	for _, o := range b.open {
		if o.job.State == fairfactor.Running && o.job.Order <= b.durable {
			n++
		}
	}
	for _, e := range b.ending {
		if e.was == fairfactor.Running && e.job.Order <= b.durable {
			n++
		}
	}
	return n
}

// UnbookedOf is the CPU of a job's finished turns that the caller's stored account does
// not have yet, if the job is open or ending.
func (b *Backlog) UnbookedOf(seq uint64) time.Duration {
	o := b.open[seq]
	if o == nil {
		o = b.ending[seq]
	}
	if o == nil {
		return 0
	}
	return o.job.CPU - o.booked.cpu
}

// Behind is the CPU that a checkpoint of an open job has and the caller's stored account
// has not.
func (b *Backlog) Behind(job *fairfactor.Job) time.Duration {
	if o := b.open[job.ID.Seq]; o != nil {
		return job.CPU - o.booked.cpu
	}
	return 0
}

// Unsent is the CPU of the finished turns of open jobs that neither the store has nor a
// checkpoint on its way there.
func (b *Backlog) Unsent() (cpu time.Duration) {
	for _, o := range b.open {
		if o.saving {
			cpu += o.job.CPU - o.sending
		} else {
			cpu += o.job.CPU - o.booked.cpu
		}
	}
	return cpu
}

// Running returns the durable jobs that have begun to run, at most limit.
func (b *Backlog) Running(limit int) (jobs []fairfactor.Job) {
	for _, o := range b.open {
		if o.job.State == fairfactor.Running && o.job.Order <= b.durable && len(jobs) < limit {
			jobs = append(jobs, o.look(b.cfg.MaxCPU))
		}
	}
	return jobs
}

// Vain is CPU of turns whose outcomes no job took.
type Vain struct {
	Ended time.Duration // their jobs had ended, or were never accepted
	Spare time.Duration // their jobs go on and did not wait for them: they had the outcome, or needed it no more
}

// TakeVain returns what has come together since it was called last.
func (b *Backlog) TakeVain() (v Vain) {
	v, b.vain = b.vain, Vain{}
	return v
}

// Unbooked is what finished turns have used that the caller's stored account
// does not have yet.
func (b *Backlog) Unbooked() (cpu time.Duration, turns uint64) {
	add := func(job *fairfactor.Job, booked spent) {
		cpu += job.CPU - booked.cpu
		turns += job.Turns - booked.turns
	}
	for _, o := range b.open {
		add(&o.job, o.booked)
	}
	for _, e := range b.ending {
		add(&e.job, e.booked)
	}
	return cpu, turns
}
