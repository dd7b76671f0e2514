package actors

import (
	"context"

	"fairfactor/actors/caller"
)

// RunOnMissingThread runs a turn on a compute thread that does not exist, which
// panics in the middle of the turn, and returns what the worker reports. No
// payload is known that makes the engine itself panic.
func (s *System) RunOnMissingThread(name, number string) (failure string) {
	w := s.worker
	return w.runTurn(s.run.Thread(), len(w.stops), nil, &turn{caller: name, number: number, dispatched: 7}).failure
}

// MaxWaiters is the bound on long polls of one caller.
const MaxWaiters = caller.MaxWaiters

// Recall looks submissions up.
func (s *System) Recall(ctx context.Context, subs []caller.Submission) { s.recall(ctx, subs) }

// Schedule runs f on one of the goroutines that actors run on.
func Schedule(f func()) { shared.Schedule(f) }

// IdleGoroutines is how many goroutines wait for what [Schedule] is given next.
func IdleGoroutines() int { return int(shared.idle.Load()) }
