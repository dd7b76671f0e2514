package backlog

import (
	"iter"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/factor"
)

// Next appends up to max turns to offer.
func (b *Backlog) Next(turns []Turn, max int) []Turn {
	for max += len(turns); len(turns) < max; {
		b.flip = !b.flip
		t, ok := b.nextOf(b.flip)
		if !ok {
			t, ok = b.nextOf(!b.flip)
		}
		if !ok {
			break
		}
		turns = append(turns, t)
	}
	return turns
}

func (b *Backlog) nextOf(long bool) (Turn, bool) {
	if long {
		return b.nextLong()
	}
	return b.nextWaiting()
}

// nextWaiting begins the job at the head of the queue.
func (b *Backlog) nextWaiting() (Turn, bool) {
	for {
		e, ok := b.head(b.vacancy())
		if !ok {
			break
		}
		if d := b.deadly(e.number, e.seq, e.order); d != nil {
			o := b.opened(b.job(&e))
			b.open[e.seq] = o
			b.condemn(o, d)
			continue
		}
		o := b.begin(&e)
		if o.machine == nil {
			t := o.firstTurn()
			t.Waits = e.submitted
			return b.offer(o, t), true
		}
		if t, ok := b.nextLong(); ok {
			return t, true
		}
	}
	return Turn{}, false
}

// PredictHard is the CPU that a hard number of so many digits takes from its first turn
// to its last.
func PredictHard(digits int) time.Duration { return factor.PredictHard(digits) }

// shift takes the head of the window.
func (b *Backlog) shift() entry {
	e := b.window[0]
	b.window[0] = entry{}
	b.window = b.window[1:]
	if len(b.window) == 0 {
		b.leaveRoom()
	}
	return e
}

func (b *Backlog) begin(e *entry) *open {
	o := b.opened(b.job(e))
	if e.saved != nil {
		if o.resume(e.saved); o.machine != nil {
			b.addLong(o)
		}
	}
	o.job.Attempts++
	b.open[e.seq] = o
	return o
}

// opened returns a job as its caller's account has it.
func (b *Backlog) opened(job fairfactor.Job) *open {
	var o *open
	if b.cfg.Places != nil {
		o, _ = b.cfg.Places.Get().(*open)
	}
	if o == nil {
		o = new(open)
	}
	o.job, o.booked = job, spent{job.CPU, job.Turns}
	return o
}

func (b *Backlog) job(e *entry) fairfactor.Job {
	if e.saved != nil {
		return e.saved.job
	}
	j := fairfactor.Job{
		ID:     fairfactor.ID{Nonce: e.nonce, Caller: b.number, Seq: e.seq},
		Caller: b.cfg.Caller, Number: e.number, Key: e.key, Order: e.order, State: fairfactor.Pending,
		Submitted: time.UnixMicro(e.submitted).UTC(), Attempts: int(e.attempts), Deadline: fromMicros(e.deadline),
		Deaths: e.deaths,
	}
	if e.wants != nil {
		j.Callback, j.Trace = e.wants.callback, e.wants.trace
	}
	return j
}

// nextLong asks the long jobs for a turn: hard and light ones take turns, and those of a
// class among each other.
func (b *Backlog) nextLong() (Turn, bool) {
	b.flop = !b.flop
	first, second := b.light, b.hard
	if b.flop {
		first, second = second, first
	}
	if t, ok := b.nextOfClass(first); ok {
		return t, true
	}
	return b.nextOfClass(second)
}

// nextOfClass asks the jobs of a class; the first one has waited longest. First
// turns that have to be offered again come first.
func (b *Backlog) nextOfClass(long []*open) (Turn, bool) {
	for range long {
		o := long[0]
		copy(long, long[1:])
		long[len(long)-1] = o
		if t, ok := b.turnOf(o); ok {
			return b.offer(o, t), true
		}
	}
	return Turn{}, false
}

// class is the list of a job that is long, or is to be.
func (b *Backlog) class(o *open) *[]*open {
	if isHard(o.job.Number) {
		return &b.hard
	}
	return &b.light
}

// longs are the long jobs.
func (b *Backlog) longs() iter.Seq[*open] {
	return func(yield func(*open) bool) {
		for _, o := range b.hard {
			if !yield(o) {
				return
			}
		}
		for _, o := range b.light {
			if !yield(o) {
				return
			}
		}
	}
}

// turnOf asks a long job for a turn.
func (b *Backlog) turnOf(o *open) (Turn, bool) {
	suspect := o.suspect()
	if o.mourning > 0 || o.deadly != nil || suspect && len(o.offered) > 0 {
		return Turn{}, false
	}
	if suspect {
		if d := b.deadly(o.job.Number, o.job.ID.Seq, o.job.Order); d != nil {
			b.condemn(o, d)
			return Turn{}, false
		}
	}
	if n := len(o.again); n > 0 {
		t := o.again[n-1]
		o.again = o.again[:n-1]
		t.Suspect, t.Mourned = suspect, o.job.Deaths.Last()
		return t, true
	}
	if o.machine == nil || !b.afford(o) {
		return Turn{}, false
	}
	for _, t := range o.machine.Next(1) {
		return Turn{ID: o.job.ID, Turn: t.ID, Number: o.number(), Payload: t.Payload, Predict: t.Predict, Suspect: suspect, Mourned: o.job.Deaths.Last()}, true
	}
	return Turn{}, false
}

func (b *Backlog) offer(o *open, t Turn) Turn {
	b.offers++
	t.nth = b.offers
	if o.offered == nil {
		o.offered = o.first[:0]
	}
	o.offered = append(o.offered, t)
	b.outstanding++
	return t
}

// takeOffered takes a turn back that was offered and has not ended.
func (o *open) takeOffered(turn uint64) (Turn, bool) {
	i := slices.IndexFunc(o.offered, func(t Turn) bool { return t.Turn == turn })
	if i < 0 {
		return Turn{}, false
	}
	t := o.offered[i]
	o.offered = slices.Delete(o.offered, i, i+1)
	return t, true
}
