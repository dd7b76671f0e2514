package backlog

import (
	"fairfactor"
	"fairfactor/factor"
)

// Left is what a job that ended before its number was factored leaves of its work, so
// that another job for that number goes on with it.
type Left struct {
	given   *given
	machine *factor.Machine // without an open turn
	cut     bool
	pieces  int // of its checkpoint
}

// leave keeps the work of a job that ends without all primes, if other jobs may want its
// number. All turns that were handed out are lost.
func (b *Backlog) leave(o *open) {
	if b.cfg.Share == 0 || len(o.job.Number) < b.cfg.Share {
		return
	}
	for _, t := range o.offered {
		o.machine.Return(t.Turn)
	}
	o.left = &Left{given: o.given, machine: o.machine}
}

// Left returns what a job leaves whose end is not durable yet, nil for most.
func (b *Backlog) Left(seq uint64) *Left {
	if o := b.ending[seq]; o != nil {
		return o.left
	}
	return nil
}

// Checkpoint returns the work as another caller can have it: the primes that were known
// before, and the checkpoint of what was left of the number without them. Its pieces
// follow one by one.
func (l *Left) Checkpoint() (given []fairfactor.Factor, checkpoint []byte) {
	if !l.cut {
		_, l.pieces = l.machine.Cut()
		l.cut = true
	}
	if l.given != nil {
		given = factors(l.given.primes)
	}
	return given, l.machine.Checkpoint(l.pieces)
}

// Piece returns a piece of the checkpoint, nil for a number beyond them.
func (l *Left) Piece(number int) []byte {
	if number < 0 || number >= l.pieces {
		return nil
	}
	return l.machine.Piece(number)
}

// Inherit lets a parked job begin with what another job of this caller has left. It is
// false if the job is not parked. What is left can be inherited once.
func (b *Backlog) Inherit(seq uint64, l *Left) bool {
	return b.unpark(seq, func(s *saved) { *s = saved{job: s.job, left: l} })
}

// InheritFrom is Inherit for what a job of another caller has left, as [Left.Checkpoint]
// gave it. The pieces are read from that caller.
func (b *Backlog) InheritFrom(seq uint64, caller string, known []fairfactor.Factor, checkpoint []byte) bool {
	return b.unpark(seq, func(s *saved) {
		*s = saved{job: s.job, checkpoint: checkpoint, from: caller}
		s.job.Factors = known
	})
}

// unpark lets a parked job begin as prepare says.
func (b *Backlog) unpark(seq uint64, prepare func(*saved)) bool {
	e := b.parking.jobs[seq]
	if e == nil {
		return false
	}
	if prepare != nil {
		s := &saved{job: b.job(e)}
		if e.saved != nil {
			s.checkpoint = e.saved.checkpoint
		}
		prepare(s)
		e.saved = s
	}
	b.parking.ready = append(b.parking.ready, seq)
	return true
}

// resume goes on where the saved progress of a job is. A checkpoint that can't be read,
// or has nothing left to do, costs the work in it, not the job.
func (o *open) resume(s *saved) {
	if l := s.left; l != nil {
		if o.given = l.given; l.given != nil {
			o.job.Factors = factors(l.given.primes)
		}
		o.machine, o.dirty = l.machine, true
		return
	}
	o.use(s.job.Factors)
	m, err := factor.Restore(o.number(), s.checkpoint)
	if err != nil || m.Done() {
		return
	}
	o.tell(m)
	o.machine = m
	if o.from = s.from; o.from == "" {
		_, o.kept = m.Cut()
	}
}

// inheriting reports whether pieces of the checkpoint that another caller left are
// missing: until they are there the job has none of its own.
func (o *open) inheriting() bool {
	if o.from != "" {
		if _, missing := o.machine.Missing(); missing {
			return true
		}
		o.from, o.dirty = "", true
	}
	return false
}
