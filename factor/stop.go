package factor

import "errors"

// errStopped says that a turn was given up because its caller asked for it.
var errStopped = errors.New("factor: stopped")

// poller asks, while a turn runs, whether it should stop. All rooms that work on
// the same turn share one.
type poller struct {
	ask    func() bool // nil: never
	halted bool
}

// start begins a turn that stops once ask, which may be nil, reports true.
func (p *poller) start(ask func() bool) { p.ask, p.halted = ask, false }

// poll asks and reports whether to give up. Once it has reported true, it does so
// until the next start.
func (p *poller) poll() bool {
	if !p.halted && p.ask != nil && p.ask() {
		p.halted = true
	}
	return p.halted
}

// stopped reports whether poll has reported true.
func (p *poller) stopped() bool { return p.halted }
