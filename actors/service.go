package actors

import (
	"context"
	"errors"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/actors/caller"
)

// Service is fairfactor.Jobs on this node: it asks the actors of callers for what is
// going on and the store for what has ended.
type Service struct{ sys *System }

var _ fairfactor.Jobs = (*Service)(nil)

// Service returns the jobs interface of the system.
func (s *System) Service() *Service { return &Service{s} }

// Retry limits. A request refused because its actor is moving is retried against the
// next activation.
const (
	firstRetry = 10 * time.Millisecond  // first pause
	lastRetry  = 250 * time.Millisecond // longest pause
	moveLimit  = 10 * time.Second       // from the first try, far longer than any move
)

// pace is how the tries of a request follow each other.
type pace struct {
	run   Runtime
	begin time.Time
	wait  time.Duration
}

func (s *System) newPace() pace { return pace{s.run, s.run.Now(), firstRetry} }

// over reports whether there is no time for another try.
func (p *pace) over(ctx context.Context) bool {
	return ctx.Err() != nil || p.run.Now().Sub(p.begin) > moveLimit
}

// rest waits before the next try.
func (p *pace) rest(ctx context.Context) {
	p.run.Pause(ctx, p.wait)
	p.wait = min(2*p.wait, lastRetry)
}

// ask sends a request to a virtual actor and turns a failure into an error.
func (v *Service) ask(ctx context.Context, kind, identity string, m any) (any, error) {
	for p := v.sys.newPace(); ; p.rest(ctx) {
		answer, err := unpacked(v.sys.net.Ask(ctx, kind, identity, m))
		if !errors.Is(err, caller.ErrMoved) || p.over(ctx) {
			return answer, err
		}
	}
}

// askCaller sends a request to a caller's actor.
func (v *Service) askCaller(ctx context.Context, name string, m any) (any, error) {
	return v.ask(ctx, CallerKind, name, toCaller{m})
}

// unpacked is the answer of an actor as this node knows it.
func unpacked(answer any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	answer = opened(answer)
	if f, ok := answer.(failure); ok {
		return nil, f.err
	}
	return answer, nil
}

// unknown is the error of an answer that does not fit the question.
func unknown(answer any) error {
	return fairfactor.Errorf(fairfactor.Internal, "an actor gave the unknown answer %T", answer)
}

// Job implements fairfactor.Jobs.
func (v *Service) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	job, err := v.sys.cfg.Store.Job(ctx, id)
	if err != nil || job.State.Final() {
		return job, err
	}
	return v.look(ctx, job)
}

// look looks at an unfinished job where it is worked on. Where nothing is, it waits
// in the store.
func (v *Service) look(ctx context.Context, job fairfactor.Job) (fairfactor.Job, error) {
	answer, err := unpacked(v.sys.net.Peek(ctx, CallerKind, job.Caller, toCaller{caller.Look{Seq: job.ID.Seq}}))
	switch {
	case fairfactor.CodeOf(err) == fairfactor.NotFound || errors.Is(err, caller.ErrMoved):
	case err != nil:
		return job, err
	default:
		if seen, ok := answer.(jobs); ok && len(seen.Jobs) == 1 {
			return seen.Jobs[0], nil
		}
	}
	return v.sys.cfg.Store.Job(ctx, job.ID) // it may have ended meanwhile
}

const (
	longestWait = time.Hour        // of a Wait whose context has no deadline
	awaitTime   = 15 * time.Second // after which one whose answer may have got lost asks again
)

// Wait implements fairfactor.Jobs. It goes on waiting when the caller's actor
// moves or the store can't be reached meanwhile, until this node stops.
func (v *Service) Wait(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	ctx, cancel := v.sys.run.Within(ctx, longestWait)
	defer cancel()
	defer context.AfterFunc(v.sys.running, cancel)()
	for ctx.Err() == nil {
		job, err := v.sys.cfg.Store.Job(ctx, id)
		if err == nil && !job.State.Final() {
			job, err = v.await(ctx, job)
		}
		switch {
		case err == nil || fairfactor.CodeOf(err) == fairfactor.NotFound:
			return job, err
		case ctx.Err() == nil && fairfactor.CodeOf(err) != fairfactor.Unavailable:
			return job, err
		}
		v.sys.run.Pause(ctx, retryAfter/4)
	}
	late, cancel := v.sys.run.Within(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return v.Job(late, id)
}

// await asks a job's caller for its end, for a while. It is unavailable if the
// caller's actor stops before, or that time is over.
func (v *Service) await(ctx context.Context, job fairfactor.Job) (fairfactor.Job, error) {
	ctx, cancel := v.sys.run.Within(ctx, awaitTime)
	defer cancel()
	deadline, _ := ctx.Deadline()
	answer, err := unpacked(v.sys.net.Await(ctx, CallerKind, job.Caller, toCaller{caller.Await{ID: job.ID, Deadline: deadline}}))
	if err != nil {
		return job, err
	}
	if ended, ok := answer.(jobs); ok && len(ended.Jobs) == 1 {
		return ended.Jobs[0], nil
	}
	return job, unknown(answer)
}

// Cancel implements fairfactor.Jobs.
func (v *Service) Cancel(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	job, err := v.sys.cfg.Store.Job(ctx, id)
	switch {
	case err != nil:
		return job, err
	case job.State.Final():
		return job, fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", id)
	}
	return v.change(ctx, job, caller.Cancel{ID: id}, func(s fairfactor.State) bool { return s == fairfactor.Cancelled })
}

// Retry implements fairfactor.Jobs.
func (v *Service) Retry(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	job, err := v.sys.cfg.Store.Job(ctx, id)
	switch {
	case err != nil:
		return job, err
	case job.State != fairfactor.Failed:
		return job, fairfactor.Errorf(fairfactor.Conflict, "job %s is %s: only a failed job can be retried", id, job.State)
	}
	return v.change(ctx, job, caller.Retry{ID: id}, func(s fairfactor.State) bool { return s != fairfactor.Failed })
}

// change has a job's caller do something to it, after which done holds for its
// state; before, it did not. An answer that gets lost, or comes late, makes the
// request run again; then it may find that it was done already, or is about to be.
func (v *Service) change(ctx context.Context, job fairfactor.Job, m any, done func(fairfactor.State) bool) (fairfactor.Job, error) {
	id := job.ID
	again := false
	for p := v.sys.newPace(); ; p.rest(ctx) {
		answer, err := unpacked(v.sys.net.AskOnce(ctx, CallerKind, job.Caller, toCaller{m}))
		late := p.over(ctx)
		lost := errors.Is(err, fairfactor.ErrUnanswered)
		again = again || lost
		switch {
		case err == nil:
			if changed, ok := answer.(jobs); ok && len(changed.Jobs) == 1 {
				return changed.Jobs[0], nil
			}
			return v.Job(ctx, id)
		case again && (lost || fairfactor.CodeOf(err) == fairfactor.Conflict):
			now, readErr := v.sys.cfg.Store.Job(ctx, id)
			if readErr == nil && done(now.State) {
				return now, nil
			}
			if late || readErr == nil && now.State.Final() && !lost {
				return job, err
			}
		case late || !errors.Is(err, caller.ErrMoved):
			return job, unsure(again, err)
		}
	}
}

// Callers implements fairfactor.Jobs.
func (v *Service) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	callers, err := v.sys.cfg.Store.Callers(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	v.complete(ctx, callers)
	return callers, nil
}

// Caller implements fairfactor.Jobs.
func (v *Service) Caller(ctx context.Context, name string) (fairfactor.Caller, error) {
	c, err := v.sys.cfg.Store.Caller(ctx, name)
	if err != nil {
		return c, err
	}
	one := []fairfactor.Caller{c}
	v.complete(ctx, one)
	return one[0], nil
}

// complete adds what runs now to callers with unfinished jobs.
func (v *Service) complete(ctx context.Context, callers []fairfactor.Caller) {
	if slices.ContainsFunc(callers, func(c fairfactor.Caller) bool { return c.Queued > 0 }) {
		v.completeFrom(ctx, callers, v.living(ctx))
	}
}

// completeFrom is complete with what is known of callers with jobs that run.
func (v *Service) completeFrom(ctx context.Context, callers []fairfactor.Caller, living map[string]liveCaller) {
	for i := range callers {
		c := &callers[i]
		if now, ok := living[c.Name]; ok && c.Queued > 0 {
			if !c.Paused { // what it has begun waits until it is resumed
				c.Running = min(uint64(len(now.jobs)), c.Queued)
				v.oldestWaiting(ctx, c, now.jobs)
			}
			c.CPU += now.cpu
			c.Turns += now.turns
		}
	}
}

// oldestWaiting corrects the time of submission of the oldest job of a caller if that
// runs: it is to be that of one that waits.
func (v *Service) oldestWaiting(ctx context.Context, c *fairfactor.Caller, running []fairfactor.Job) {
	if c.Running == c.Queued {
		c.Oldest = time.Time{}
		return
	}
	runs := map[fairfactor.ID]bool{}
	head := false
	for i := range running {
		runs[running[i].ID] = true
		head = head || running[i].Submitted.Equal(c.Oldest)
	}
	if !head {
		return
	}
	waiting, err := v.sys.cfg.Store.Backlog(ctx, running[0].ID.Caller, 0, len(running)+1, nil)
	if err != nil {
		return // it is about right all the same
	}
	for i := range waiting {
		if !runs[waiting[i].Job.ID] {
			c.Oldest = waiting[i].Job.Submitted
			return
		}
	}
}

// SetWeight implements fairfactor.Jobs.
func (v *Service) SetWeight(ctx context.Context, name string, weight int) (fairfactor.Caller, error) {
	if err := fairfactor.CheckWeight(weight); err != nil {
		return fairfactor.Caller{}, err
	}
	return v.set(ctx, name, caller.Weigh{Weight: weight})
}

// SetGroup implements fairfactor.Jobs.
func (v *Service) SetGroup(ctx context.Context, name, group string) (fairfactor.Caller, error) {
	if err := fairfactor.CheckGroup(group); err != nil {
		return fairfactor.Caller{}, err
	}
	return v.set(ctx, name, caller.Regroup{Group: group})
}

// set changes a setting of a caller.
func (v *Service) set(ctx context.Context, name string, m any) (fairfactor.Caller, error) {
	if _, err := v.askCaller(ctx, name, m); err != nil {
		return fairfactor.Caller{}, err
	}
	return v.Caller(ctx, name)
}

// SetPaused implements fairfactor.Jobs.
func (v *Service) SetPaused(ctx context.Context, name string, paused bool) (fairfactor.Caller, error) {
	return v.set(ctx, name, caller.Pause{Paused: paused})
}

// SetBounds implements fairfactor.Jobs.
func (v *Service) SetBounds(ctx context.Context, name string, change fairfactor.BoundsChange) (fairfactor.Caller, error) {
	if err := fairfactor.CheckBounds(change.Apply(fairfactor.Bounds{})); err != nil {
		return fairfactor.Caller{}, err
	}
	return v.set(ctx, name, caller.Bound{Change: change})
}

// WeighGroup implements fairfactor.Jobs.
func (v *Service) WeighGroup(ctx context.Context, group string, weight int) error {
	if err := v.sys.cfg.Store.WeighGroup(ctx, group, weight); err != nil {
		return err
	}
	_, err := v.ask(ctx, SchedulerKind, SchedulerID, weighGroup{group, weight})
	return err
}

// Fairness implements fairfactor.Jobs.
func (v *Service) Fairness(ctx context.Context) (fairfactor.Fairness, error) {
	answer, err := v.ask(ctx, SchedulerKind, SchedulerID, askReport{})
	if err != nil {
		return fairfactor.Fairness{}, err
	}
	f, ok := answer.(fairness)
	if !ok {
		return fairfactor.Fairness{}, unknown(answer)
	}
	return f.Fairness, nil
}

// Nodes implements fairfactor.Jobs. A member that does not answer within a
// second is listed without its workers and counts.
func (v *Service) Nodes(ctx context.Context) ([]fairfactor.Node, error) {
	nodes := v.sys.cfg.Members()
	ctx, cancel := v.sys.run.Within(ctx, time.Second)
	defer cancel()
	v.sys.run.Each(len(nodes), func(i int) { nodes[i].Workers, nodes[i].Counts = v.statusOf(ctx, nodes[i].ID) })
	return nodes, nil
}

func (v *Service) statusOf(ctx context.Context, member string) ([]fairfactor.Worker, fairfactor.NodeCounts) {
	answer, err := unpacked(v.sys.net.AskMember(ctx, member, workerName, askStatus{}))
	if err != nil {
		v.sys.log.Debug("a member's worker does not answer", "node", member, "err", err)
		return nil, fairfactor.NodeCounts{}
	}
	s, _ := answer.(status)
	return s.workers, s.counts
}
