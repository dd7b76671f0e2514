package actors_test

import (
	"sync/atomic"
	"testing"

	"fairfactor/actors"
	"fairfactor/actors/actorspb"
)

// What got lost of one job is made up for although the caller's other jobs go on
// all the time, so that it is never long without news.
func TestLossIsNoticedBesideOtherJobs(t *testing.T) {
	for name, lose := range map[string]func(to string, m *actorspb.Envelope) bool{
		"offer": func(to string, m *actorspb.Envelope) bool {
			return to == actors.SchedulerKind+"/"+actors.SchedulerID && len(m.GetOffer().GetTurns()) > 0
		},
		"outcome": func(to string, m *actorspb.Envelope) bool {
			return to == actors.CallerKind+"/alice" && len(m.GetOutcomes().GetOutcomes()) > 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 1, nil)
			s.completed(n0(s), s.submit(n0(s), "alice", "15")...)
			var lost atomic.Bool
			s.ex.losing(func(to string, m *actorspb.Envelope) bool { return lose(to, m) && lost.CompareAndSwap(false, true) })
			first := s.submit(n0(s), "alice", "21")
			s.eventually("the loss", lost.Load)
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.completed(n0(s), first...)
			}()
			for {
				select {
				case <-done:
					return
				default:
					s.wait(n0(s), s.submit(n0(s), "alice", "35")...)
				}
			}
		})
	}
}
