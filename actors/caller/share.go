package caller

import (
	"slices"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/share"
)

// A job for a large number begins only when no other job is known to be at it. Its
// number's actor says so, see package share; until then the job is parked in the
// backlog, and those behind it go on. The jobs of this caller for one number are one
// share: one of them runs at most, and what it finds is for all of them.

// sharing is the state of a share.
type sharing uint8

const (
	asking  sharing = iota + 1 // for the right to run
	waiting                    // another caller has it
	reading                    // has the right, and looks whether the number is known by now
	running                    // one of the jobs runs
	ending                     // what was found is being read
)

// numberShare are this caller's jobs for one number.
type numberShare struct {
	number string
	state  sharing
	jobs   []uint64  // by sequence number, in order; the one that runs among them
	runner uint64    // zero if none runs
	sent   time.Time // when the number's actor was told last, zero if never
	heard  time.Time // when it was heard last, or the share was made

	left  *backlog.Left     // by the job that ran before, nil for none
	from  string            // the caller whose job that was, if it is another one
	known *fairfactor.Known // while what that has left is read
}

// Bounds on the shares of a caller that are told to the actors of their numbers, each once
// every two seconds: a caller with a thousand large numbers needs the right to run only for
// those that are next.
const (
	maxNext   = 64  // whose jobs have not begun and wait for no other caller
	maxShares = 256 // of those that have not begun, all together
)

// park makes shares of what the backlog has parked, as many as may be.
func (c *Caller) park() {
	c.parked = append(c.parked, c.backlog.Parked()...)
	if len(c.parked) == 0 || c.paused {
		return
	}
	next, all := c.resting()
	for len(c.parked) > 0 {
		p := c.parked[0]
		s := c.shares[p.Number]
		if s == nil {
			if next >= maxNext || all >= maxShares {
				return
			}
			next, all = next+1, all+1
			s = &numberShare{number: p.Number, state: asking, heard: c.host.Now()}
			if c.shares == nil {
				c.shares = map[string]*numberShare{}
			}
			c.shares[p.Number] = s
		}
		s.jobs = append(s.jobs, p.Seq)
		c.parked = c.parked[1:]
		if s.sent.IsZero() {
			c.want(s)
		}
	}
	c.parked = nil
}

// resting counts the shares whose jobs have not begun: those that are next, and all.
func (c *Caller) resting() (next, all int) {
	for _, s := range c.shares {
		switch {
		case s.state == running && c.backlog.Runs(s.runner) || s.state == ending:
			continue
		case s.state != waiting:
			next++
		}
		all++
	}
	return next, all
}

// want tells the number's actor what the caller wants.
func (c *Caller) want(s *numberShare) {
	again := !s.sent.IsZero() // an actor that knows nothing of us is a new one
	s.sent = c.host.Now()
	w := share.Want{
		Number: s.number, Caller: c.cfg.Name, Jobs: len(s.jobs),
		Runs: s.state == reading || s.state == running, Waits: again && s.state != reading && s.state != running,
	}
	if s.runner != 0 {
		w.CPU = c.backlog.CPU(s.runner)
	}
	c.host.Want(w)
}

// unwanted tells the number's actor that the caller wants nothing any more.
func (c *Caller) unwanted(s *numberShare, known bool, jobs int, cpu time.Duration) {
	delete(c.shares, s.number)
	c.host.Want(share.Want{Number: s.number, Caller: c.cfg.Name, Jobs: jobs, Over: true, Known: known, Leaves: c.left[s.number] != nil, CPU: cpu})
}

// shared takes in what the number's actor says.
func (c *Caller) shared(m share.Shared) {
	s := c.shares[m.Number]
	if s != nil {
		s.heard = c.host.Now()
	}
	switch {
	case s == nil:
		c.host.Want(share.Want{Number: m.Number, Caller: c.cfg.Name, Over: true})
	case m.Known:
		if s.state != ending { // what is said again is charged once
			c.charge += m.Cost
			s.state = ending
			c.readKnown(s)
		}
	case m.Run && (s.state == asking || s.state == waiting):
		s.state, s.from = reading, m.From
		c.readKnown(s)
	case !m.Run && s.state == asking:
		s.state = waiting
	}
}

func (c *Caller) readKnown(s *numberShare) {
	c.divisors.wanted = true
	c.read(Read{Kind: ReadKnown, Digits: s.number, Own: s.state == reading && !c.divisors.read})
}

// knownRead brings what is known of a share's number. If that is all, all jobs of the
// share have ended; if not, one begins with what there is, if it may.
func (c *Caller) knownRead(r *Read) {
	if r.Found && !c.divisors.read {
		c.divisors.fill(r.Factors)
	}
	s := c.shares[r.Digits]
	if s == nil || c.stopped {
		return
	}
	switch {
	case r.Known != nil && r.Known.Complete:
		c.recallAll(s, r.Known)
	case c.condemnAll(s):
	case s.state == reading:
		c.run(s, r.Known)
	case s.state == ending && s.runner != 0:
		s.state = running // it goes on
	case s.state == ending:
		s.state = asking // what was found is not there: it has to be found again
		c.want(s)
	}
}

// run begins the first job of a share: with what another job has left of its work, or
// with what is known and what earlier jobs of the caller found.
func (c *Caller) run(s *numberShare, known *fairfactor.Known) {
	left, from := s.left, s.from
	s.left, s.from, s.known = nil, "", nil
	if from == c.cfg.Name {
		left, from = c.takeLeft(s.number), ""
	}
	switch {
	case left != nil:
		c.begin(s, func(seq uint64) bool { return c.backlog.Inherit(seq, left) })
	case from != "":
		s.known = known
		c.read(Read{Kind: ReadLeft, Digits: s.number, From: from, Number: -1})
	default:
		known = c.withDivisors(s.number, known)
		c.begin(s, func(seq uint64) bool { return c.backlog.Unpark(seq, known) })
	}
}

// begin begins the first job of a share that is still there.
func (c *Caller) begin(s *numberShare, unpark func(seq uint64) bool) {
	for _, seq := range s.jobs {
		if unpark(seq) {
			s.state, s.runner = running, seq
			c.want(s)
			return
		}
	}
	c.unwanted(s, false, len(s.jobs), 0) // all have ended meanwhile
}

// recallAll ends all jobs of a share with what is known.
func (c *Caller) recallAll(s *numberShare, known *fairfactor.Known) {
	now := c.host.Now().UTC().Truncate(time.Microsecond)
	jobs := s.jobs
	c.unwanted(s, true, len(jobs), 0)
	for _, seq := range jobs {
		job, withdraw := c.backlog.Recall(seq, known.Factors, now)
		if withdraw {
			c.host.Withdraw(seq)
		}
		if job != nil {
			c.recalled++
			c.cfg.Counters.Known.Add(1)
			c.end(job, nil)
		}
	}
}

// unshare takes a job out of its share when it is over. completed says that what it
// found is in the store.
func (c *Caller) unshare(job *fairfactor.Job, completed bool, left *backlog.Left) {
	if len(c.shares) == 0 {
		return
	}
	if s := c.shares[job.Number]; s != nil && slices.Contains(s.jobs, job.ID.Seq) {
		c.endShare(s, job, completed, left)
	}
}

// endShare goes on without a job. If it ran and completed, the others of the share
// end with what it found; if it did not, the next of them runs in its place.
// It goes on with the work of that one; or else a job of another caller may.
func (c *Caller) endShare(s *numberShare, job *fairfactor.Job, completed bool, left *backlog.Left) {
	seq, cpu, all := job.ID.Seq, job.CPU, len(s.jobs)
	s.jobs = slices.DeleteFunc(s.jobs, func(other uint64) bool { return other == seq })
	ran := s.runner == seq
	if ran {
		s.runner = 0
	}
	switch {
	case len(s.jobs) == 0:
		c.leave(s.number, left)
		c.unwanted(s, ran && completed, all, cpu)
	case ran && completed:
		c.host.Want(share.Want{Number: s.number, Caller: c.cfg.Name, Jobs: all, Over: true, Known: true, CPU: cpu})
		s.state = ending
		c.readKnown(s)
	case ran:
		s.state, s.left = reading, left
		c.readKnown(s)
	}
}

// repeatWants tells the actors of numbers again, those whose time has come. One that
// does not answer, because its node is out of reach, holds up no job.
func (c *Caller) repeatWants(now time.Time) {
	for _, s := range c.shares {
		if (s.state == asking || s.state == waiting) && now.Sub(s.heard) > share.Lease {
			s.state = reading
			c.readKnown(s)
		}
		if now.Sub(s.sent) >= share.Every {
			c.want(s)
		}
	}
}

// wantsDue is when repeatWants has something to do, zero for never.
func (c *Caller) wantsDue() (at time.Time) {
	for _, s := range c.shares {
		at = earlier(at, s.sent.Add(share.Every))
	}
	return at
}
