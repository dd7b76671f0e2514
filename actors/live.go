package actors

import (
	"context"
	"slices"
	"sync"
	"time"

	"fairfactor"
)

// liveJobs are the jobs that the callers of this node have begun and not ended, as
// far as they take more than a moment. It is what lists show, so that no list has
// to ask one actor after the other.
type liveJobs struct {
	mu      sync.Mutex
	callers map[string]liveCaller // guarded by mu
}

// liveCaller is a caller with jobs that run.
type liveCaller struct {
	name  string
	jobs  []fairfactor.Job
	cpu   time.Duration // of finished turns that no checkpoint has booked yet
	turns uint64        // these turns
}

// set replaces what is known of a caller; without jobs it is nothing.
func (l *liveJobs) set(c liveCaller) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(c.jobs) == 0 {
		delete(l.callers, c.name)
		return
	}
	if l.callers == nil {
		l.callers = map[string]liveCaller{}
	}
	l.callers[c.name] = c
}

// all returns the callers with jobs that run.
func (l *liveJobs) all() []liveCaller {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]liveCaller, 0, len(l.callers))
	for _, c := range l.callers {
		all = append(all, c)
	}
	return all
}

// liveLimit is how long a list waits for what another member knows.
const liveLimit = time.Second

// living are the callers of all members with jobs that run. A member that does not
// answer in time is left out.
func (v *Service) living(ctx context.Context) map[string]liveCaller {
	ctx, cancel := v.sys.run.Within(ctx, liveLimit)
	defer cancel()
	members := v.sys.cfg.Members()
	found := make([][]liveCaller, len(members))
	v.sys.run.Each(len(members), func(i int) {
		if members[i].ID == v.sys.net.ID() {
			found[i] = v.sys.live.all()
			return
		}
		answer, err := v.sys.net.AskMember(ctx, members[i].ID, workerName, askLive{})
		if err != nil {
			v.sys.log.Debug("a member does not say what runs there", "node", members[i].ID, "err", err)
			return
		}
		m, _ := opened(answer).(live)
		found[i] = m.callers
	})
	callers := map[string]liveCaller{}
	for _, c := range slices.Concat(found...) {
		callers[c.name] = c
	}
	return callers
}
