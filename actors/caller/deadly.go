package caller

import (
	"sync"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// A job for a number that is deadly is quarantined before its first turn: when it is
// accepted, or when it would begin, if the number has become deadly since. Only a job that
// was tried again runs, with its own deaths counted.

// Deadlies are the numbers that are known to be deadly on this node, for all of its
// callers. It may be used from any goroutine.
type Deadlies struct {
	mu      sync.RWMutex
	numbers map[string]*fairfactor.Deadly // guarded by mu; what they point to is never changed
	changes uint64                        // guarded by mu: of numbers, but for those of Replace
}

// Of returns what is known of a number that is deadly, nil for all others.
func (d *Deadlies) Of(number string) *fairfactor.Deadly {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if len(d.numbers) == 0 {
		return nil
	}
	return d.numbers[number]
}

// Add adds a number, unless it is there.
func (d *Deadlies) Add(x fairfactor.Deadly) {
	if was := d.Of(x.Number); was != nil && was.Job == x.Job && was.Since.Equal(x.Since) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.numbers == nil {
		d.numbers = map[string]*fairfactor.Deadly{}
	}
	d.numbers[x.Number] = &x
	d.changes++
}

// Remove takes a number out.
func (d *Deadlies) Remove(number string) {
	if d.Of(number) == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.numbers, number)
	d.changes++
}

// Mark is for [Deadlies.Replace] with what is read from here on.
func (d *Deadlies) Mark() uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.changes
}

// Replace takes in what the store has, read since a mark. It does nothing if the numbers
// have changed meanwhile: what was read may be out of date.
func (d *Deadlies) Replace(mark uint64, all []fairfactor.Deadly) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes != mark {
		return
	}
	clear(d.numbers)
	for i := range all {
		if d.numbers == nil {
			d.numbers = map[string]*fairfactor.Deadly{}
		}
		d.numbers[all[i].Number] = &all[i]
	}
}

// Count is how many numbers are deadly.
func (d *Deadlies) Count() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.numbers)
}

// deadly returns what is known of a number that is deadly, nil for all others.
func (c *Caller) deadly(number string) *fairfactor.Deadly {
	if c.cfg.MaxDeaths == 0 || c.cfg.Deadly == nil {
		return nil
	}
	return c.cfg.Deadly.Of(number)
}

// condemn ends a job at its acceptance if its number is deadly. The caller is charged a
// quantum.
func (c *Caller) condemn(s *step) bool {
	d := c.deadly(s.job.Number)
	if d == nil {
		return false
	}
	ended := *s.job
	backlog.Condemn(&ended, d)
	ended.Finished = ended.Submitted
	s.known, s.ended = true, &ended
	c.recalled++
	return true
}

// condemnBegun ends the jobs that would have begun though their numbers are deadly.
func (c *Caller) condemnBegun() {
	for {
		job, withdraw := c.backlog.Condemned(c.host.Now().UTC())
		if job == nil {
			return
		}
		if withdraw {
			c.host.Withdraw(job.ID.Seq)
		}
		c.recalled++
		c.end(job, nil)
	}
}

// condemnAll ends the parked jobs of a share whose number is deadly, but for those that
// were tried again, and reports whether none is left.
func (c *Caller) condemnAll(s *numberShare) bool {
	d := c.deadly(s.number)
	if d == nil {
		return false
	}
	var left []uint64
	var ended []*fairfactor.Job
	for _, seq := range s.jobs {
		if job := c.backlog.CondemnParked(seq, d, c.host.Now().UTC()); job != nil {
			ended = append(ended, job)
		} else {
			left = append(left, seq)
		}
	}
	if s.jobs = left; len(left) == 0 {
		c.unwanted(s, false, len(ended), 0)
	}
	c.recalled += len(ended)
	for _, job := range ended {
		c.end(job, nil)
	}
	return len(left) == 0
}

// judge takes in what the end of a job says of its number, at the latest when that is
// durable: the other jobs for it that are about to begin must know.
func (c *Caller) judge(job *fairfactor.Job) {
	switch {
	case c.cfg.Deadly == nil:
	case job.Quarantined() && c.cfg.Deadly.Of(job.Number) == nil:
		c.cfg.Deadly.Add(fairfactor.Deadly{
			Number: job.Number, Deaths: *job.Deaths, Job: job.ID, Caller: job.Caller, Since: job.Finished, Used: job.Finished,
		})
	case job.State == fairfactor.Completed && job.Order != job.ID.Seq:
		c.cfg.Deadly.Remove(job.Number)
	}
}
