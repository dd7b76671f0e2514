// Package storetest is the one suite of laws that every [fairfactor.Store]
// keeps. A store's tests call [Run]; what a store promises beyond the laws, it
// tests itself.
//
// Start reading at [Run]. The laws are named tests in accepting.go, ending.go,
// claims.go, reading.go, knowing.go, deadly.go, forgetting.go and lasting.go; property.go compares a store with the
// one in model.go and modelapply.go, which is slow and plainly right.
//
// [RunMembers] does the same for every [fairfactor.MemberTable]; its laws are in
// members.go, reports.go and leases.go, its model in modelmembers.go. [RunKeys], in
// apikeys.go, does it for every [fairfactor.KeyStore].
package storetest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"fairfactor"
)

// Option says in what a store differs from others.
type Option func(*suite)

// Forgetful is for a store that keeps nothing when it is closed.
func Forgetful() Option { return func(s *suite) { s.forgetful = true } }

// suite is one run of the laws against one kind of store.
type suite struct {
	open      func(t *testing.T, dir string) fairfactor.Store
	forgetful bool
	model     bool // the store is the model, which has no operations
}

// law is one thing that every store keeps to.
type law struct {
	name  string
	check func(*world)
}

// Run checks every law. open opens the store that is kept under dir, which is
// empty the first time; it may be called again for the same dir after Close.
func Run(t *testing.T, open func(t *testing.T, dir string) fairfactor.Store, options ...Option) {
	s := &suite{open: open}
	for _, option := range options {
		option(s)
	}
	laws := []law{
		{"ClaimNumbersAndEpochs", claimNumbersAndEpochs},
		{"ClaimContinues", claimContinues},
		{"OldEpochIsFenced", oldEpochIsFenced},
		{"StrangerIsFenced", strangerIsFenced},
		{"SchedulerClaim", schedulerClaim},
		{"AcceptKeepsEverything", acceptKeepsEverything},
		{"AcceptNeedsNewNumbers", acceptNeedsNewNumbers},
		{"AcceptNeedsDecimalDigits", acceptNeedsDecimalDigits},
		{"AcceptEndedIsOneStep", acceptEndedIsOneStep},
		{"AcceptEndedNeedsAnEnd", acceptEndedNeedsAnEnd},
		{"RefusedChangesLeaveTheOthers", refusedChangesLeaveTheOthers},
		{"ChangesTakeEffectInOrder", changesTakeEffectInOrder},
		{"FinishKeepsEverything", finishKeepsEverything},
		{"JobEndsOnce", jobEndsOnce},
		{"CheckpointIsKeptUntilTheEnd", checkpointIsKeptUntilTheEnd},
		{"PiecesGoWithTheJob", piecesGoWithTheJob},
		{"RequeueOnlyFailed", requeueOnlyFailed},
		{"RequeueGoesToTheEnd", requeueGoesToTheEnd},
		{"WeighWithinBounds", weighWithinBounds},
		{"GroupIsThatOfTheFirstClaim", groupIsThatOfTheFirstClaim},
		{"GroupsAreWeighed", groupsAreWeighed},
		{"TalliesAreRight", talliesAreRight},
		{"OldestIsTheLowest", oldestIsTheLowest},
		{"KeyIsRemembered", keyIsRemembered},
		{"KeyedAtOnce", keyedAtOnce},
		{"OverdueByTime", overdueByTime},
		{"CallbacksAreOwed", callbacksAreOwed},
		{"CallbacksByHost", callbacksByHost},
		{"CallbacksBehindAFlood", callbacksBehindAFlood},
		{"CallbacksOfJobsThatGo", callbacksOfJobsThatGo},
		{"TracesAreKept", tracesAreKept},
		{"ManyClaimers", manyClaimers},
		{"UnknownIsNotFound", unknownIsNotFound},
		{"JobsAtTheirPlaces", jobsAtTheirPlaces},
		{"BacklogPages", backlogPages},
		{"CallersPage", callersPage},
		{"ForemostCallers", foremostCallers},
		{"BackloggedPages", backloggedPages},
		{"ClaimAloneLeavesNoTrace", claimAloneLeavesNoTrace},
		{"ClaimsAtOnce", claimsAtOnce},
		{"ListPages", listPages},
		{"ListWhileWriting", listWhileWriting},
		{"ListRefusesNonsense", listRefusesNonsense},
		{"ExpireIsBounded", expireIsBounded},
		{"ExpireAfterRequeue", expireAfterRequeue},
		{"IdleAccountsAreForgotten", idleAccountsAreForgotten},
		{"SettingsKeepAccounts", settingsKeepAccounts},
		{"ForgottenIsFenced", forgottenIsFenced},
		{"OldIDsStayUnknown", oldIDsStayUnknown},
		{"AccountsAreBounded", accountsAreBounded},
		{"ForgettingRaces", forgettingRaces},
		{"EndsAreLearned", endsAreLearned},
		{"MoreIsKept", moreIsKept},
		{"LeastUsefulIsForgotten", leastUsefulIsForgotten},
		{"KnownPages", knownPages},
		{"QuarantineIsDeadly", quarantineIsDeadly},
		{"CompletionPardons", completionPardons},
		{"DeadlyIsBounded", deadlyIsBounded},
		{"EventsInOrder", eventsInOrder},
		{"EventsSayWhatIsMissing", eventsSayWhatIsMissing},
		{"EventsWhileWriting", eventsWhileWriting},
		{"EndedContext", endedContext},
		{"ManyWriters", manyWriters},
		{"LikeTheModel", likeTheModel},
	}
	if !s.model {
		laws = append(laws, law{"OperationsLast", operationsLast})
	}
	if !s.forgetful {
		laws = append(laws, law{"ReopenKeepsEverything", reopenKeepsEverything}, law{"EventsOutliveTheProcess", eventsOutliveTheProcess}, law{"BoundsAreKept", boundsAreKept}, law{"ForgettingIsDurable", forgettingIsDurable})
	}
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) { l.check(s.world(t)) })
	}
}

// world is a store with a clock and helpers that fail the test.
type world struct {
	*testing.T
	suite *suite
	dir   string
	store fairfactor.Store
	now   time.Time
}

func (s *suite) world(t *testing.T) *world {
	w := &world{T: t, suite: s, dir: t.TempDir(), now: time.Date(2031, 5, 6, 7, 8, 9, 123456000, time.UTC)}
	w.store = s.open(t, w.dir)
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// reopen closes the store and opens it again.
func (w *world) reopen() {
	w.Helper()
	if err := w.store.Close(); err != nil {
		w.Fatalf("close: %v", err)
	}
	w.store = w.suite.open(w.T, w.dir)
}

// tick moves the clock by a microsecond and returns it.
func (w *world) tick() time.Time {
	w.now = w.now.Add(time.Microsecond)
	return w.now
}

// ctx returns the test's context.
func (w *world) ctx() context.Context { return w.Context() }

// claim returns a new activation of a caller.
func (w *world) claim(name string) *writer {
	w.Helper()
	c, err := w.store.ClaimCaller(w.ctx(), name, "")
	if err != nil {
		w.Fatalf("claim %q: %v", name, err)
	}
	return &writer{w: w, name: name, claim: c, last: c.Last}
}

// apply applies changes and returns their errors, one for each.
func (w *world) apply(changes ...fairfactor.Change) []error {
	w.Helper()
	errs, err := w.store.Apply(w.ctx(), changes)
	if err != nil {
		w.Fatalf("apply: %v", err)
	}
	if errs == nil {
		return make([]error, len(changes))
	}
	if len(errs) != len(changes) {
		w.Fatalf("%d results for %d changes", len(errs), len(changes))
	}
	some := false
	for _, err := range errs {
		some = some || err != nil
	}
	if !some {
		w.Error("the results are not nil, but nothing was refused")
	}
	return errs
}

// must applies changes that must not be refused.
func (w *world) must(changes ...fairfactor.Change) {
	w.Helper()
	for i, err := range w.apply(changes...) {
		if err != nil {
			w.Fatalf("change %d of %d: %v", i, len(changes), err)
		}
	}
}

// refused applies one change that must fail with a code.
func (w *world) refused(code fairfactor.Code, change fairfactor.Change) {
	w.Helper()
	if err := w.apply(change)[0]; fairfactor.CodeOf(err) != code {
		w.Errorf("got %v, want %s", err, code)
	}
}

func (w *world) job(id fairfactor.ID) fairfactor.Job {
	w.Helper()
	j, err := w.store.Job(w.ctx(), id)
	if err != nil {
		w.Fatalf("job %s: %v", id, err)
	}
	return j
}

func (w *world) caller(name string) fairfactor.Caller {
	w.Helper()
	c, err := w.store.Caller(w.ctx(), name)
	if err != nil {
		w.Fatalf("caller %q: %v", name, err)
	}
	return c
}

func (w *world) backlog(number, after uint64, limit int) []fairfactor.Waiting {
	w.Helper()
	waiting, err := w.store.Backlog(w.ctx(), number, after, limit, nil)
	if err != nil {
		w.Fatalf("backlog: %v", err)
	}
	return waiting
}

// same compares what a store returned with what it should have.
func (w *world) same(what string, got, want any) {
	w.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	if g, v := reflect.ValueOf(got), reflect.ValueOf(want); g.Kind() == reflect.Slice && g.Type() == v.Type() {
		for i := range min(g.Len(), v.Len()) {
			if a, b := g.Index(i).Interface(), v.Index(i).Interface(); !reflect.DeepEqual(a, b) {
				w.Errorf("%s: first difference at %d of %d, want %d:\n got %#v\nwant %#v", what, i, g.Len(), v.Len(), a, b)
				return
			}
		}
		w.Errorf("%s: %d of them, want %d", what, g.Len(), v.Len())
		return
	}
	w.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
}

// writer makes the changes of one activation.
type writer struct {
	w     *world
	name  string
	claim fairfactor.Claim
	last  uint64
}

// change returns a change of this activation.
func (a *writer) change(op fairfactor.Op, j fairfactor.Job) fairfactor.Change {
	return fairfactor.Change{Op: op, Caller: a.name, Number: a.claim.Number, Epoch: a.claim.Epoch, Job: &j}
}

// next returns a new job.
func (a *writer) next() fairfactor.Job {
	a.last++
	return fairfactor.Job{
		ID:     fairfactor.ID{Nonce: 0xabcdef012345 ^ a.last*0x9e3779b97f4a7c15>>16, Caller: a.claim.Number, Seq: a.last},
		Caller: a.name, Number: fmt.Sprint(1_000_000 + a.last), Order: a.last,
		State: fairfactor.Pending, Submitted: a.w.tick(),
	}
}

// accept stores n new jobs in one group and returns them.
func (a *writer) accept(n int) []fairfactor.Job {
	a.w.Helper()
	jobs := make([]fairfactor.Job, n)
	changes := make([]fairfactor.Change, n)
	for i := range jobs {
		jobs[i] = a.next()
		changes[i] = a.change(fairfactor.Accept, jobs[i])
	}
	a.w.must(changes...)
	return jobs
}

// ended returns the job as it ends in a state.
func (a *writer) ended(j fairfactor.Job, state fairfactor.State) fairfactor.Job {
	j.State = state
	j.Started, j.Finished = a.w.tick(), a.w.tick()
	j.Attempts++
	j.Turn += 10 + j.ID.Seq
	j.CPU += 1500 * time.Nanosecond
	j.Turns++
	if state == fairfactor.Completed {
		j.Factors = []fairfactor.Factor{{Prime: j.Number, Exponent: 1}}
	}
	if state == fairfactor.Failed {
		j.Reason = "it was too hard"
	}
	return j
}

// finish ends jobs in one group and returns them as they ended.
func (a *writer) finish(state fairfactor.State, jobs ...fairfactor.Job) []fairfactor.Job {
	a.w.Helper()
	ended := make([]fairfactor.Job, len(jobs))
	changes := make([]fairfactor.Change, len(jobs))
	for i, j := range jobs {
		ended[i] = a.ended(j, state)
		changes[i] = a.change(fairfactor.Finish, ended[i])
	}
	a.w.must(changes...)
	return ended
}

// requeued returns a failed job as it is queued again.
func (a *writer) requeued(j fairfactor.Job) fairfactor.Job {
	a.last++
	j.Order = a.last
	j.State = fairfactor.Pending
	j.Finished = time.Time{}
	j.Reason = ""
	return j
}
