package caller

import "fairfactor"

// Save has the progress of all long jobs made durable before the caller moves to another
// node. It is answered with [Jobs] when that is done, or with an error. No turns are offered
// any more, and those of jobs that run are waited for, until [Caller.Hurry]: what they find
// would have to be found again.
type Save struct{}

func (c *Caller) save(asker Asker) {
	c.leaving = true
	c.savers = append(c.savers, asker)
	c.saveRest(nil)
}

// Hurry has a [Save] wait for no more turns.
func (c *Caller) Hurry() {
	c.hurried = true
	c.saveRest(nil)
}

// Leave is a [Save] that no one waits for: [Caller.Left] says when it is done.
func (c *Caller) Leave() {
	if c.backlog != nil && !c.stopped {
		c.save(nil)
	}
}

// Left reports whether nothing is left to save after [Caller.Leave].
func (c *Caller) Left() bool { return c.backlog == nil || c.stopped || len(c.savers) == 0 }

// saveRest goes on until nothing is left to save, for those who wait for that: a checkpoint
// has a few pieces at a time.
func (c *Caller) saveRest(err error) {
	if len(c.savers) == 0 {
		return
	}
	var answer any = Jobs{}
	switch {
	case err != nil:
		answer = refusal(err)
	case c.stopped:
		answer = ErrMoved
	case !c.hurried && c.backlog.Awaits():
		return
	default:
		if c.checkpoint(); c.backlog.Unsettled() {
			return
		}
	}
	for _, asker := range c.savers {
		c.answer(asker, answer)
	}
	c.savers = nil
}

// sendSaversAway has those who wait look for the next activation.
func (c *Caller) sendSaversAway() { c.saveRest(fairfactor.ErrFenced) }
