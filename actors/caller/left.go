package caller

import (
	"time"

	"fairfactor/actors/backlog"
	"fairfactor/actors/share"
)

// When a job that others wait for is cancelled or fails, its work goes to the next one. A
// job of the same caller takes it as it is; one of another caller asks this one for a
// checkpoint and its pieces, which are in memory only. If that fails, it begins at the
// beginning.

const (
	// leftFor is how long the work of a job is kept after its end, or after another
	// caller has asked for a part of it.
	leftFor = share.Lease
	// maxLeft is the work of how many jobs is kept.
	maxLeft = 4
)

// leftWork is what a job has left, and how long it is kept.
type leftWork struct {
	left  *backlog.Left
	until time.Time
}

// leave keeps what a job has left, nil for nothing.
func (c *Caller) leave(number string, left *backlog.Left) {
	if left == nil {
		return
	}
	if c.left == nil {
		c.left = map[string]*leftWork{}
	}
	if len(c.left) >= maxLeft && c.left[number] == nil {
		delete(c.left, c.firstLeft())
	}
	c.left[number] = &leftWork{left, c.host.Now().Add(leftFor)}
}

// firstLeft is the number whose work is dropped first, empty for no number.
func (c *Caller) firstLeft() (first string) {
	for number, w := range c.left {
		if first == "" || w.until.Before(c.left[first].until) || w.until.Equal(c.left[first].until) && number < first {
			first = number
		}
	}
	return first
}

// takeLeft returns what this caller's own job has left of a number, nil for nothing.
func (c *Caller) takeLeft(number string) *backlog.Left {
	w := c.left[number]
	if w == nil {
		return nil
	}
	delete(c.left, number)
	return w.left
}

// askLeft hands out work that is left.
func (c *Caller) askLeft(asker Asker, m AskLeft) {
	w := c.left[m.Number]
	if w == nil {
		c.answer(asker, LeftWork{})
		return
	}
	w.until = c.host.Now().Add(leftFor)
	answer := LeftWork{Found: true}
	if m.Piece < 0 {
		answer.Given, answer.Data = w.left.Checkpoint()
	} else {
		answer.Data = w.left.Piece(m.Piece)
	}
	c.answer(asker, answer)
}

// leftRead begins a job with what one of another caller has left, if that is there.
func (c *Caller) leftRead(r *Read) {
	s := c.shares[r.Digits]
	if s == nil || c.stopped || s.state != reading {
		return
	}
	if r.Err != nil {
		c.run(s, s.known)
		return
	}
	c.begin(s, func(seq uint64) bool { return c.backlog.InheritFrom(seq, r.From, r.Left.Given, r.Left.Data) })
}

// dropLeft forgets work that no one has asked for.
func (c *Caller) dropLeft(now time.Time) {
	for number, w := range c.left {
		if !now.Before(w.until) {
			delete(c.left, number)
		}
	}
}

// leftDue is when dropLeft has something to do, zero for never.
func (c *Caller) leftDue() time.Time {
	if len(c.left) == 0 {
		return time.Time{}
	}
	return c.left[c.firstLeft()].until
}
