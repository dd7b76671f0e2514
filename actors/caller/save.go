package caller

import "fairfactor"

// Save has the progress of all long jobs made durable now. It is answered with [Jobs] when
// it is, or with an error.
type Save struct{}

func (c *Caller) save(asker Asker) {
	c.savers = append(c.savers, asker)
	c.saveRest(nil)
}

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
