package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors/actorspb"
)

// Service is fairfactor.Jobs on this node: it asks caller actors for what is
// going on and the store for what has ended.
type Service struct{ sys *System }

var _ fairfactor.Jobs = (*Service)(nil)

// Service returns the jobs interface of the system.
func (s *System) Service() *Service { return &Service{s} }

// Bounds of asking again: what a caller's actor did not do because it was about
// to move is asked of the next activation.
const (
	resubmit  = 10 * time.Millisecond  // first pause
	slowest   = 250 * time.Millisecond // last one
	moveLimit = 10 * time.Second       // from the first try, far longer than any move
)

// pace is how the tries of a request follow each other.
type pace struct {
	begin time.Time
	wait  time.Duration
}

func newPace() pace { return pace{time.Now(), resubmit} }

// over tells whether there is no time for another try.
func (p *pace) over(ctx context.Context) bool {
	return ctx.Err() != nil || time.Since(p.begin) > moveLimit
}

// rest waits before the next try.
func (p *pace) rest(ctx context.Context) {
	pause(ctx, p.wait)
	p.wait = min(2*p.wait, slowest)
}

// ask sends a request to a virtual actor and turns a problem into an error.
func (v *Service) ask(ctx context.Context, kind, identity string, m *actorspb.Envelope) (*actorspb.Envelope, error) {
	for p := newPace(); ; p.rest(ctx) {
		e, err := unpacked(v.sys.net.Ask(ctx, kind, identity, m))
		if !errors.Is(err, errMoved) || p.over(ctx) {
			return e, err
		}
	}
}

// unpacked is the envelope that an actor answered with.
func unpacked(answer proto.Message, err error) (*actorspb.Envelope, error) {
	if err != nil {
		return nil, err
	}
	e, ok := answer.(*actorspb.Envelope)
	if !ok {
		return nil, fairfactor.Errorf(fairfactor.Internal, "an actor gave an unknown answer")
	}
	if p, ok := e.Body.(*actorspb.Envelope_Problem); ok {
		return nil, errorOf(p.Problem)
	}
	return e, nil
}

// Submit implements fairfactor.Jobs.
func (v *Service) Submit(ctx context.Context, caller string, subs []fairfactor.Submission) ([]fairfactor.Receipt, error) {
	t := tries{Service: v, caller: caller, receipts: make([]fairfactor.Receipt, len(subs))}
	block := make([]actorspb.Submission, len(subs))
	for i, sub := range subs {
		block[i].Number, block[i].Key, block[i].Nonce = sub.Number, sub.Key, rand.Uint64()>>16
		t.open, t.index = append(t.open, &block[i]), append(t.index, i)
	}
	for p := newPace(); ; p.rest(ctx) {
		err := t.try(ctx)
		switch late := p.over(ctx); {
		case errors.Is(err, fairfactor.ErrUnanswered) && !late:
			t.again = true
		case errors.Is(err, errMoved) && !late:
		case len(t.open) == len(subs) && err != nil:
			return nil, t.unsure(err)
		default:
			for _, i := range t.index {
				t.receipts[i].Err = err
			}
			for i := range t.receipts {
				t.receipts[i].Err = t.unsure(t.receipts[i].Err)
			}
			return t.receipts, nil
		}
	}
}

// tries sends submissions to a caller's actor until it is known what became of
// each.
type tries struct {
	*Service
	caller   string
	receipts []fairfactor.Receipt
	open     []*actorspb.Submission // those without a receipt
	index    []int                  // their places among the receipts
	again    bool                   // an actor may have got them, and its answer is lost
}

// unsure is the error of a submission whose first copy may have been accepted.
func (t *tries) unsure(err error) error {
	if !t.again || fairfactor.CodeOf(err) != fairfactor.Unavailable || errors.Is(err, fairfactor.ErrUnanswered) {
		return err
	}
	return fairfactor.Wrap(fairfactor.Unavailable, errors.Join(fairfactor.ErrUnanswered, err),
		"the node that got the request has gone or does not answer, and whether it accepted is not known yet: look for the job in the list, or use an Idempotency-Key and send it again")
}

// try sends what is open once. It returns errMoved if some of it is open still.
func (t *tries) try(ctx context.Context) error {
	m := &actorspb.Submit{Submissions: t.open, Again: t.again}
	e, err := unpacked(t.sys.net.AskOnce(ctx, CallerKind, t.caller, &actorspb.Envelope{Body: &actorspb.Envelope_Submit{Submit: m}}))
	if err != nil {
		return err
	}
	got := e.GetReceipts().GetReceipts()
	if len(got) != len(t.open) {
		return fairfactor.Errorf(fairfactor.Internal, "%d receipts for %d submissions", len(got), len(t.open))
	}
	var open []*actorspb.Submission
	var index []int
	for k, r := range got {
		if r.Problem.GetMoved() {
			open, index = append(open, t.open[k]), append(index, t.index[k])
			continue
		}
		receipt := &t.receipts[t.index[k]]
		receipt.Err = errorOf(r.Problem)
		if r.Job != nil {
			receipt.Job, receipt.Replay = jobFromPB(r.Job), r.Replay
		}
	}
	if t.open, t.index = open, index; len(open) > 0 {
		return errMoved
	}
	return nil
}

// Job implements fairfactor.Jobs.
func (v *Service) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	job, err := v.sys.cfg.Store.Job(ctx, id)
	if err != nil || job.State.Final() {
		return job, err
	}
	return v.live(ctx, job)
}

// live looks at an unfinished job where it is worked on.
func (v *Service) live(ctx context.Context, job fairfactor.Job) (fairfactor.Job, error) {
	e, err := v.ask(ctx, CallerKind, job.Caller, &actorspb.Envelope{Body: &actorspb.Envelope_Look{Look: &actorspb.Look{Seq: job.ID.Seq}}})
	if err != nil {
		return job, err
	}
	if jobs := e.GetJobState().GetJobs(); len(jobs) == 1 {
		return jobFromPB(jobs[0]), nil
	}
	return v.sys.cfg.Store.Job(ctx, job.ID) // it has ended meanwhile, or waits in the store
}

const (
	longestWait = time.Hour        // of a Wait whose context has no deadline
	awaitTime   = 15 * time.Second // after which one whose answer may have got lost asks again
)

// Wait implements fairfactor.Jobs. It goes on waiting when the caller's actor
// moves or the store can't be reached meanwhile, until this node stops.
func (v *Service) Wait(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
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
		pause(ctx, retryAfter/4)
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return v.Job(late, id)
}

// await asks a job's caller for its end, for a while. It is unavailable if the
// caller's actor stops before, or that time is over.
func (v *Service) await(ctx context.Context, job fairfactor.Job) (fairfactor.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, awaitTime)
	defer cancel()
	deadline, _ := ctx.Deadline()
	e, err := unpacked(v.sys.net.Await(ctx, CallerKind, job.Caller, &actorspb.Envelope{Body: &actorspb.Envelope_Await{Await: &actorspb.Await{Id: idToPB(job.ID), DeadlineUs: micros(deadline)}}}))
	if err != nil {
		return job, err
	}
	if jobs := e.GetJobState().GetJobs(); len(jobs) == 1 {
		return jobFromPB(jobs[0]), nil
	}
	return job, fairfactor.Errorf(fairfactor.Internal, "a caller's actor woke a waiter without a job")
}

// List implements fairfactor.Jobs.
func (v *Service) List(ctx context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	if q.State == fairfactor.Running {
		return v.running(ctx, q)
	}
	page, err := v.sys.cfg.Store.List(ctx, q)
	if err != nil {
		return page, err
	}
	running := map[string]map[uint64]fairfactor.Job{}
	for i := range page.Jobs {
		job := &page.Jobs[i]
		if job.State.Final() {
			continue
		}
		seen, ok := running[job.Caller]
		if !ok {
			if seen, err = v.runningOf(ctx, job.Caller); err != nil {
				return page, err
			}
			running[job.Caller] = seen
		}
		if now, ok := seen[job.ID.Seq]; ok {
			*job = now
		}
	}
	if q.State == fairfactor.Pending {
		kept := page.Jobs[:0]
		for _, job := range page.Jobs {
			if job.State == fairfactor.Pending {
				kept = append(kept, job)
			}
		}
		page.Jobs = kept
	}
	return page, nil
}

// runningOf asks a caller's actor which jobs run.
func (v *Service) runningOf(ctx context.Context, caller string) (map[uint64]fairfactor.Job, error) {
	e, err := v.ask(ctx, CallerKind, caller, &actorspb.Envelope{Body: &actorspb.Envelope_Look{Look: &actorspb.Look{}}})
	if err != nil {
		return nil, err
	}
	jobs := map[uint64]fairfactor.Job{}
	for _, pb := range e.GetJobState().GetJobs() {
		jobs[pb.Id.Seq] = jobFromPB(pb)
	}
	return jobs, nil
}

// running lists the jobs that run now. There are never more than a page of
// them by caller, and they change all the time, so there is no cursor: what
// does not fit is left out.
func (v *Service) running(ctx context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	names := []string{q.Caller}
	if q.Caller == "" {
		callers, err := v.sys.cfg.Store.Callers(ctx, "", fairfactor.MaxPage, true)
		if err != nil {
			return page, err
		}
		names = names[:0]
		for i := range callers {
			names = append(names, callers[i].Name)
		}
	}
	for _, name := range names {
		jobs, err := v.runningOf(ctx, name)
		if err != nil {
			return page, err
		}
		for _, job := range jobs {
			if len(page.Jobs) < q.Limit {
				page.Jobs = append(page.Jobs, job)
			}
		}
	}
	slices.SortFunc(page.Jobs, func(a, b fairfactor.Job) int { return b.Submitted.Compare(a.Submitted) })
	return page, nil
}

// Cancel implements fairfactor.Jobs.
func (v *Service) Cancel(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	return v.change(ctx, id, &actorspb.Envelope{Body: &actorspb.Envelope_Cancel{Cancel: &actorspb.Cancel{Id: idToPB(id)}}},
		func(s fairfactor.State) bool { return s == fairfactor.Cancelled })
}

// Retry implements fairfactor.Jobs.
func (v *Service) Retry(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	return v.change(ctx, id, &actorspb.Envelope{Body: &actorspb.Envelope_Retry{Retry: &actorspb.Retry{Id: idToPB(id)}}},
		func(s fairfactor.State) bool { return s != fairfactor.Failed })
}

// change has a job's caller do something to it, after which done holds for its
// state. An answer that gets lost, or comes late, makes the request run again;
// then it may find that it was done already, or is about to be.
func (v *Service) change(ctx context.Context, id fairfactor.ID, m *actorspb.Envelope, done func(fairfactor.State) bool) (fairfactor.Job, error) {
	job, err := v.sys.cfg.Store.Job(ctx, id)
	if err != nil {
		return job, err
	}
	again := false
	for p := newPace(); ; p.rest(ctx) {
		e, err := unpacked(v.sys.net.AskOnce(ctx, CallerKind, job.Caller, m))
		late := p.over(ctx)
		lost := errors.Is(err, fairfactor.ErrUnanswered)
		again = again || lost
		switch {
		case err == nil:
			if jobs := e.GetJobState().GetJobs(); len(jobs) == 1 {
				return jobFromPB(jobs[0]), nil
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
		case late || !errors.Is(err, errMoved):
			return job, err
		}
	}
}

// Callers implements fairfactor.Jobs.
func (v *Service) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	callers, err := v.sys.cfg.Store.Callers(ctx, after, limit, false)
	if err != nil {
		return nil, err
	}
	for i := range callers {
		if err := v.complete(ctx, &callers[i]); err != nil {
			return nil, err
		}
	}
	return callers, nil
}

// Caller implements fairfactor.Jobs.
func (v *Service) Caller(ctx context.Context, name string) (fairfactor.Caller, error) {
	caller, err := v.sys.cfg.Store.Caller(ctx, name)
	if err != nil {
		return caller, err
	}
	return caller, v.complete(ctx, &caller)
}

// complete adds what only the caller's actor knows.
func (v *Service) complete(ctx context.Context, c *fairfactor.Caller) error {
	if c.Queued == 0 {
		return nil
	}
	e, err := v.ask(ctx, CallerKind, c.Name, &actorspb.Envelope{Body: &actorspb.Envelope_Account{Account: &actorspb.Account{}}})
	if err != nil {
		return err
	}
	state := e.GetAccountState()
	c.Running = min(state.GetRunning(), c.Queued)
	c.CPU += time.Duration(state.GetCpuNs())
	c.Turns += state.GetTurns()
	return nil
}

// SetWeight implements fairfactor.Jobs.
func (v *Service) SetWeight(ctx context.Context, name string, weight int) (fairfactor.Caller, error) {
	if weight < 1 || weight > fairfactor.MaxWeight {
		return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.Invalid, "weight %d is not between 1 and %d", weight, fairfactor.MaxWeight)
	}
	_, err := v.ask(ctx, CallerKind, name, &actorspb.Envelope{Body: &actorspb.Envelope_Weigh{Weigh: &actorspb.Weigh{Weight: int32(weight)}}})
	if err != nil {
		return fairfactor.Caller{}, err
	}
	return v.Caller(ctx, name)
}

// Fairness implements fairfactor.Jobs.
func (v *Service) Fairness(ctx context.Context) (fairfactor.Fairness, error) {
	e, err := v.ask(ctx, SchedulerKind, SchedulerID, &actorspb.Envelope{Body: &actorspb.Envelope_Report{Report: &actorspb.Report{}}})
	if err != nil {
		return fairfactor.Fairness{}, err
	}
	return fairnessFromPB(e.GetFairness()), nil
}

// Nodes implements fairfactor.Jobs. A member that does not answer within a
// second is listed without its workers.
func (v *Service) Nodes(ctx context.Context) ([]fairfactor.Node, error) {
	nodes := v.sys.cfg.Members()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() { nodes[i].Workers = v.workersOf(ctx, nodes[i].ID) })
	}
	all.Wait()
	return nodes, nil
}

func (v *Service) workersOf(ctx context.Context, member string) (workers []fairfactor.Worker) {
	answer, err := v.sys.net.AskMember(ctx, member, workerName, &actorspb.Envelope{Body: &actorspb.Envelope_Status{Status: &actorspb.Status{}}})
	if err != nil {
		v.sys.log.Debug("a member's worker does not answer", "node", member, "err", err)
		return nil
	}
	e, ok := answer.(*actorspb.Envelope)
	if !ok {
		return nil
	}
	for _, s := range e.GetStatusState().GetSlots() {
		w := fairfactor.Worker{Since: fromMicros(s.SinceUs)}
		if t := s.Turn; t != nil {
			w.Caller, w.Number = t.Caller, t.Number
			w.Job = fairfactor.ID{Nonce: t.Nonce, Caller: t.CallerNumber, Seq: t.Seq}.String()
		}
		workers = append(workers, w)
	}
	return workers
}
