// Package stop is how the work of a turn is bounded: how long a turn is meant to be,
// and the poller that asks whether to give up.
package stop

import "errors"

// TurnNanos is the CPU that a turn aims at, in nanoseconds.
const TurnNanos = 20e6

// PollEvery is after how many edges or relations a turn asks whether to stop: some
// 3 ms.
const PollEvery = 1 << 14

// ErrStopped says that a turn was given up because its caller asked for it.
var ErrStopped = errors.New("factor: stopped")

// Poller asks, while a turn runs, whether it should stop. All rooms that work on
// the same turn share one.
type Poller struct {
	ask    func() bool // nil: never
	halted bool
}

// Start begins a turn that stops once ask, which may be nil, reports true.
func (p *Poller) Start(ask func() bool) { p.ask, p.halted = ask, false }

// Poll asks and reports whether to give up. Once it has reported true, it does so
// until the next start.
func (p *Poller) Poll() bool {
	if !p.halted && p.ask != nil && p.ask() {
		p.halted = true
	}
	return p.halted
}

// Stopped reports whether Poll has reported true.
func (p *Poller) Stopped() bool { return p.halted }
