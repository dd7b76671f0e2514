package actors

import (
	"context"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/caller"
)

// Bounds of what keepDeadlines does at once.
const (
	overduePage   = 1000 // jobs
	overdueAtOnce = 64   // callers asked
)

// keepDeadlines has the jobs ended whose deadline has passed, wherever they wait: a
// caller that has no turns to offer, or not those, has no actor that would know. The
// node that has the scheduler does that for all; two that both think they have it do
// no harm.
func (s *System) keepDeadlines(ctx context.Context) {
	for s.run.Pause(ctx, s.cfg.Tick) {
		if pid, ok := s.schedulerHere.Load().(*actor.PID); !ok || pid == nil {
			continue
		}
		if err := s.endOverdue(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("jobs whose deadline has passed can't be looked up, trying again", "err", err)
		}
	}
}

// endOverdue reads the index of deadlines up to now, page by page, and has the callers
// end the jobs.
func (s *System) endOverdue(ctx context.Context) error {
	before, after := s.now(), fairfactor.Overdue{}
	for {
		reading, cancel := s.run.Within(ctx, storeLimit)
		page, err := s.cfg.Store.Overdue(reading, before, after, overduePage)
		cancel()
		if err != nil || len(page) == 0 {
			return err
		}
		s.expireAll(ctx, page)
		if len(page) < overduePage {
			return nil
		}
		after = page[len(page)-1]
	}
}

// expireAll asks the callers of jobs to end them and waits for the answers.
func (s *System) expireAll(ctx context.Context, page []fairfactor.Overdue) {
	ctx, cancel := s.run.Within(ctx, storeLimit)
	defer cancel()
	for some := range slices.Chunk(page, overdueAtOnce) {
		s.run.Each(len(some), func(i int) {
			o := &some[i]
			_, err := s.Service().askCaller(ctx, o.Caller, caller.Expire{ID: o.ID})
			if err != nil && ctx.Err() == nil { // the next round asks again
				s.log.Warn("a job can't be ended at its deadline, trying again", "job", o.ID.String(), "caller", o.Caller, "err", err)
			}
		})
	}
}
