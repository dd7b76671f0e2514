package actors

import (
	"context"
	"time"
)

// deadlyEvery is how often a node reads which numbers are deadly: what becomes so elsewhere
// is known here that much later, of large numbers before a job for them begins.
const deadlyEvery = 2 * time.Second

// keepDeadly keeps the numbers that are deadly as the store has them.
func (s *System) keepDeadly(ctx context.Context) {
	for s.run.Pause(ctx, deadlyEvery) {
		s.readDeadly(ctx)
	}
}

// readDeadly reads which numbers are deadly. If it can't, those that were read before count.
func (s *System) readDeadly(ctx context.Context) {
	if s.cfg.MaxDeaths == 0 {
		return
	}
	ctx, cancel := s.run.Within(ctx, storeLimit)
	defer cancel()
	mark := s.deadly.Mark()
	all, err := s.cfg.Store.Deadly(ctx)
	if err != nil {
		s.log.Debug("which numbers are deadly can't be read", "err", err)
		return
	}
	s.deadly.Replace(mark, all)
}
