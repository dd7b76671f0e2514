package caller

import (
	"time"

	"fairfactor"
)

// Bound changes what the caller is allowed. It is answered with [Account], or with an
// error.
type Bound struct{ Change fairfactor.BoundsChange }

// bounding is what a caller knows of its own bounds.
type bounding struct {
	spent   time.Duration // CPU of outcomes since the claim
	allowed *allowance    // nil for a caller without bounds of its own
	// proposed are the bounds that the store gets next, nil if none are on their way.
	proposed *fairfactor.Bounds
}

// allowance is what a caller that has bounds of its own has left of them. Other callers
// have none: nothing is counted for them but their CPU.
type allowance struct {
	bounds fairfactor.Bounds
	tokens float64   // submissions that may come now, up to those of a second
	filled time.Time // when that was
}

// day is how long MaxCPU is for.
const day = 24 * time.Hour

// bound has new bounds made durable. They count from then on.
func (c *Caller) bound(asker Asker, m Bound) {
	now := fairfactor.Bounds{}
	if c.proposed != nil {
		now = *c.proposed
	} else if c.allowed != nil {
		now = c.allowed.bounds
	}
	next := m.Change.Apply(now)
	if err := fairfactor.CheckBounds(next); err != nil {
		c.answer(asker, err)
		return
	}
	if next.MaxCPU > 0 && next.Day == 0 {
		next.Day, next.Before = c.today(), c.used()
	}
	c.propose(asker, next)
}

func (c *Caller) propose(asker Asker, next fairfactor.Bounds) {
	c.proposed = &next
	c.change(asker, step{op: fairfactor.Bound, bounds: &next})
}

// settleBounds: the bounds are durable, or were not taken by the store.
func (c *Caller) settleBounds(p *step) {
	if c.proposed == p.bounds {
		c.proposed = nil
	}
	if p.err == nil {
		c.allow(*p.bounds)
	}
}

// allow lets bounds count.
func (c *Caller) allow(b fairfactor.Bounds) {
	switch {
	case !b.Set():
		c.allowed = nil
	case c.allowed == nil:
		c.allowed = &allowance{bounds: b, tokens: float64(b.MaxRate), filled: c.host.Now()}
	default:
		c.allowed.bounds = b
	}
}

// used is the CPU that the caller's jobs have used in all, as far as it is known here.
func (c *Caller) used() time.Duration { return c.claim.Caller.CPU + c.spent }

// today is the day in UTC, in days since 1970.
func (c *Caller) today() uint64 { return uint64(max(c.host.Now().Unix(), 0)) / uint64(day/time.Second) }

// queueLimit is how many unfinished jobs the caller may have.
func (c *Caller) queueLimit() uint64 {
	if c.allowed != nil && c.allowed.bounds.MaxQueue > 0 {
		return min(c.allowed.bounds.MaxQueue, c.cfg.MaxQueue)
	}
	return c.cfg.MaxQueue
}

// within refuses a submission that is outside of the caller's own bounds.
func (c *Caller) within(sub *Submission) error {
	a := c.allowed
	if a == nil {
		return nil
	}
	if most := a.bounds.MaxDigits; most > 0 && uint64(len(sub.Number)) > most {
		e := fairfactor.Errorf(fairfactor.Invalid, "the number has %d digits: caller %s may submit numbers of up to %d", len(sub.Number), c.cfg.Name, most)
		e.Quota = &fairfactor.Quota{Name: "digits", Unit: "digits", Limit: most}
		return e
	}
	if err := c.withinDay(); err != nil {
		return err
	}
	return c.withinRate()
}

// withinDay refuses a job when the caller's jobs have used what they may in a day. The
// first job of a day has the day noted, durably: the count outlasts the activation.
func (c *Caller) withinDay() error {
	if c.allowed == nil || c.allowed.bounds.MaxCPU == 0 {
		return nil
	}
	b := &c.allowed.bounds
	if now := c.today(); now > b.Day {
		b.Day, b.Before = now, c.used()
		next := *b
		if c.proposed != nil { // which will count instead
			next = *c.proposed
			next.Day, next.Before = b.Day, b.Before
		}
		c.propose(nil, next)
	}
	if c.used()-b.Before < b.MaxCPU {
		return nil
	}
	left := day - time.Duration(c.host.Now().Unix()%int64(day/time.Second))*time.Second
	e := fairfactor.Errorf(fairfactor.Limit, "the jobs of caller %s have used the %d CPU seconds that they may use in a day: submit again after midnight UTC", c.cfg.Name, int64(b.MaxCPU/time.Second))
	e.Retry = left
	e.Quota = &fairfactor.Quota{Name: "cpu", Unit: "cpu-seconds", Limit: uint64(b.MaxCPU / time.Second), Window: day, Reset: left}
	return e
}

// withinRate takes one of the submissions that the caller may make in a second.
func (c *Caller) withinRate() error {
	a := c.allowed
	rate := a.bounds.MaxRate
	if rate == 0 {
		return nil
	}
	now := c.host.Now()
	a.tokens = min(a.tokens+max(now.Sub(a.filled), 0).Seconds()*float64(rate), float64(rate))
	if a.filled = now; a.tokens >= 1 {
		a.tokens--
		return nil
	}
	e := fairfactor.Errorf(fairfactor.Limit, "caller %s may submit %d numbers a second: slow down", c.cfg.Name, rate)
	e.Retry = time.Duration((1 - a.tokens) / float64(rate) * float64(time.Second))
	e.Quota = &fairfactor.Quota{Name: "rate", Unit: "requests", Limit: rate, Window: time.Second, Reset: e.Retry}
	return e
}
