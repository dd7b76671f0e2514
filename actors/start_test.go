//go:build !race

package actors_test

import (
	"fmt"
	"testing"
	"time"

	"fairfactor/actors"
	"fairfactor/actors/dispatch"
	"fairfactor/store/memory"
)

// A node that starts with many callers that have work wakes them as the workers need
// them, a bounded number at a time, and all are served. Under the race detector actors take
// seconds to answer, and the scheduler asks others meanwhile.
func TestRealManyCallersAtTheStart(t *testing.T) {
	const callers = 20_000
	store := memory.New()
	for i := range callers {
		leave(t, store, fmt.Sprintf("caller-%d", i), "1000003")
	}
	s := siteOn(t, store, 1, func(c *actors.Config) { c.Passivate = 20 * time.Millisecond })
	n := s.nodes[0]
	most := int64(0) // actors that were not served, at least
	s.eventually("all jobs are done", func() bool {
		actors := n.sys.Counters.Callers.Load()
		completed := int64(n.sys.Counters.Completed.Load())
		most = max(most, actors-completed) // those that were served leave when there is time
		return completed == callers
	})
	t.Logf("at least %d of %d callers had an actor and were not served", most, callers)
	if most > (dispatch.MaxEarly+callers)/2 {
		t.Errorf("%d of %d callers had an actor at once and were not served", most, callers)
	}
	s.eventually("no actor is left", func() bool { return n.sys.Counters.Callers.Load() == 0 })
	if got, err := store.Backlogged(t.Context(), 0, 10); err != nil || len(got) != 0 {
		t.Errorf("left: %v, %v", got, err)
	}
}
