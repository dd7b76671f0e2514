package actors

import (
	"context"

	"fairfactor/actors/caller"
)

// Save has all callers that live here make the progress of their long jobs durable, also
// what turns on other nodes find that have begun: it is not found again elsewhere. Call it
// after [System.Drain].
func (s *System) Save(ctx context.Context) {
	if s.workerPID == nil {
		return
	}
	// The worker answers after it has sent what its threads found last.
	if _, err := unpacked(s.net.AskMember(ctx, s.net.ID(), workerName, askStatus{})); err != nil {
		s.log.Warn("what the threads found last may be lost", "err", err)
	}
	callers := s.live.all()
	s.run.Each(len(callers), func(i int) {
		_, err := unpacked(s.net.Peek(ctx, CallerKind, callers[i].name, toCaller{caller.Save{}}))
		if err != nil {
			s.log.Warn("the progress of a caller's jobs is not saved", "caller", callers[i].name, "err", err)
		}
	})
}
