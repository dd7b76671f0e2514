package mutants

// List is the faults, by the part of the system that they are in.
var List = []Mutant{
	// A caller: keys, receipts, ends.
	{
		"an Idempotency-Key on its way to the disk is not known", "actors/caller/submit.go",
		"if k := c.keys[sub.Key]; k != nil {", "if k := c.keys[sub.Key]; k != nil && k.number != sub.Number {",
		"actors/caller", "TestScripts",
	},
	{
		"a key is forgotten at once", "actors/caller/submit.go",
		"Add(-fairfactor.KeyLife)", "Add(time.Second)",
		"actors/caller", "TestScripts",
	},
	{
		"a key may be used for another number", "actors/caller/submit.go",
		"case job.Number != sub.Number:", "case job.Number == \"\":",
		"actors", "TestIdempotencyKey",
	},
	{
		"a receipt is sent before the disk has the job", "actors/caller/submit.go",
		"c.accepts = append(c.accepts, p)\n", "c.accepts = append(c.accepts, p)\n\tc.fill(to, fairfactor.Receipt{Job: *p.job})\n\tp.to = slot{}\n",
		"actors", "TestReceiptComesAfterTheDisk",
	},
	{
		"a repeated submission is accepted again", "actors/caller/repeats.go",
		"job != nil && job.Number == sub.Number {", "job != nil && job.Number == \"\" {",
		"actors", "TestSubmittedAgainAfterItWasAccepted",
	},
	{
		"one job more than the limit of the queue", "actors/caller/submit.go",
		"case c.queued >= c.queueLimit():", "case c.queued > c.queueLimit():",
		"actors", "TestQueueLimit",
	},
	{
		"a refused job stays in the count of the queue", "actors/caller/written.go",
		"func (c *Caller) dropped(p *step) {\n\tc.unsaved(p)\n\tc.queued--", "func (c *Caller) dropped(p *step) {\n\tc.unsaved(p)",
		"actors", "TestRefusedAcceptLeavesNoTrace",
	},
	{
		"a fenced activation goes on", "actors/caller/written.go",
		"if p.err != nil && isFenced(p.err) {", "if p.err != nil && false {",
		"actors", "TestFencedActivationStops",
	},
	{
		"an end that the store did not take is not written again", "actors/caller/written.go",
		"c.again = append(c.again, p)", "_ = p",
		"actors/caller", "TestScripts",
	},
	{
		"a job that has not failed can be retried", "actors/service.go",
		"case job.State != fairfactor.Failed:", "case job.State == 0:",
		"actors", "TestRefusedAlthoughTheAnswerGotLost",
	},
	{
		"a caller that moves does not wait for the turns that run", "actors/caller/save.go",
		"case !c.hurried && c.backlog.Awaits():", "case c.hurried && c.backlog.Awaits():",
		"actors/caller", "TestScripts",
	},
	{
		"a caller that moves offers more turns", "actors/caller/offers.go",
		"if c.paused || c.leaving {", "if c.paused {",
		"actors/caller", "TestScripts",
	},
	// One caller's queue.
	{
		"the outcome of another job counts", "actors/backlog/outcome.go",
		"if o == nil || o.job.ID.Nonce != out.Nonce {", "if o == nil {",
		"actors/backlog", "TestFirstOutcomeCounts",
	},
	{
		"a second outcome of a turn counts", "actors/backlog/outcome.go",
		"t, ok := o.takeOffered(out.Turn)\n\tif !ok {", "t, ok := o.takeOffered(out.Turn)\n\tif !ok && t.Turn > 0 {",
		"actors/backlog", "TestFirstOutcomeCounts",
	},
	{
		"the factors are not multiplied out", "factor/verify.go",
		"if prod != n {", "if prod != n && len(primes) == 0 {",
		"factor", "TestProduct",
	},
	{
		"a step of a certificate may lead to a small prime", "factor/internal/certificate/check.go",
		"if !exceeds(q, n) || q.Cmp(n) >= 0 {", "if q.Cmp(n) >= 0 {",
		"factor/internal/certificate", "TestCompositeSteps",
	},
	{
		"the point of a certificate may be infinite modulo a divisor", "factor/internal/certificate/check.go",
		"if inverse == nil {\n\t\treturn nil, nil, false", "if inverse == nil {\n\t\tinverse = one",
		"factor/internal/certificate", "TestCompositeSteps",
	},
	{
		"N may be a product of two numbers that are 1 modulo F", "factor/internal/certificate/check.go",
		"first.Sign() >= 0 && root.Mul(", "first.Sign() < 0 && root.Mul(",
		"factor/internal/certificate", "TestCompositeMinusOne",
	},
	{
		"a certificate may be about another number in N - 1", "factor/internal/certificate/check.go",
		"if f.Proof.N.Cmp(f.P) != 0 {", "if f.Proof.N.Sign() == 0 {",
		"factor/internal/certificate", "TestFalse",
	},
	{
		"a job fails one failure too late", "actors/backlog/outcome.go",
		"if o.failures >= MaxFailures {", "if o.failures > MaxFailures {",
		"actors/backlog", "TestJobFailsAfterSomeFailures",
	},
	{
		"the limit of CPU is not held", "actors/backlog/outcome.go",
		"case b.cfg.MaxCPU > 0 && o.job.CPU >= b.cfg.MaxCPU:", "case b.cfg.MaxCPU > 0 && o.job.CPU >= 2*b.cfg.MaxCPU:",
		"actors/backlog", "TestLimitOfCPUEndsAJob",
	},
	// The committer.
	{
		"the errors of a group go to the wrong callers", "actors/commit/commit.go",
		"own, errs = errs[:s.count], errs[s.count:]", "own = errs[:s.count]",
		"actors/commit", "TestEachGetsItsOwnErrors",
	},
	{
		"a group is larger than its bound", "actors/commit/commit.go",
		"min(room, c.opts.MaxOfOne)", "room",
		"actors/commit", "TestGroupsAreBounded",
	},
	{
		"who was refused hears that all went well", "actors/commit/commit.go",
		"if !refused(own) {", "if refused(own) {",
		"actors/commit", "TestEachGetsItsOwnErrors",
	},
	// Whose turn it is.
	{
		"the slack is one too wide", "actors/fair/level.go",
		"if c := l.ready.first(l.smallest(slack) + slack); c != nil {", "if c := l.ready.first(l.smallest(slack) + slack + 1); c != nil {",
		"actors/fair", "TestSlackIsExact",
	},
	{
		"a lost turn is refunded twice", "actors/fair/ring.go",
		"r.top.refund(c, b.Cost, int(b.weight), b.place)", "r.top.refund(c, 2*b.Cost, int(b.weight), b.place)",
		"actors/fair", "TestRefundIsNotChargedTwice|TestAgainstSlowTwin",
	},
	{
		"a turn is charged less than a quantum", "actors/fair/ring.go",
		"b := Bill{Cost: max(predict, r.quantum),", "b := Bill{Cost: predict,",
		"actors/fair", "TestCostsBelowAQuantumAreEqual|TestAgainstSlowTwin",
	},
	{
		"a wrong prediction is not corrected", "actors/fair/ring.go",
		"by := max(used, r.quantum) - b.Cost", "by := max(used, b.Cost) - b.Cost",
		"actors/fair", "TestWrongPredictionsCostOthersNothing|TestAgainstSlowTwin",
	},
	{
		"a new caller has credit for the time before", "actors/fair/level.go",
		"c.tag = max(c.tag, c.since)", "c.tag = max(c.tag, c.since/2)",
		"actors/fair", "TestNewCallerStarts|TestReturningCallerGainsNothing",
	},
	{
		"a turn counts for the whole weight of its caller", "actors/fair/ring.go",
		"weight: int32(max(c.Weight, 1))}", "weight: 1}",
		"actors/fair", "TestWeights",
	},
	{
		"others get further ahead of a blocked caller than the slack", "actors/fair/level.go",
		"return min(l.ready.root.least, l.blocked.root.least)", "return l.ready.root.least",
		"actors/fair", "TestBlockedCaller|TestAgainstSlowTwin",
	},
	{
		"a group whose callers are too far ahead of a blocked one is in line", "actors/fair/ring.go",
		"g.inside.blocked.root == nil || g.inside.next(r.slack) != nil", "g.inside.blocked.root == nil || g.inside.ready.root != nil",
		"actors/fair", "TestBlockedCaller|TestAgainstSlowTwin",
	},
	// The scheduler.
	{
		"a caller that others went by stays out of line", "actors/dispatch/express.go",
		"if c.waiting() > 0 { // others", "if c.waiting() > 1 { // others",
		"actors/dispatch", "TestScripts|TestRandomOperations",
	},
	{
		"an offer of an earlier activation is taken", "actors/dispatch/offer.go",
		"if o.Epoch < c.epoch {", "if o.Epoch < c.epoch && o.More {",
		"actors/dispatch", "TestScripts|TestRandomOperations",
	},
	{
		"an earlier activation takes back a later one's turns", "actors/dispatch/offer.go",
		"if h.Seq == seq && h.Epoch <= epoch && !h.dropped {", "if h.Seq == seq && !h.dropped {",
		"actors/dispatch", "TestScripts",
	},
	{
		"a turn that was offered again is handed out twice", "actors/dispatch/offer.go",
		"if o.Again {", "if o.Again && o.More {",
		"actors/dispatch", "TestScripts|TestRandomOperations",
	},
	{
		"a turn that a worker has lost stays lost", "actors/dispatch/workers.go",
		"now-h.at > Lost", "now-h.at > 1000*Lost",
		"actors/dispatch", "TestScripts",
	},
	{
		"a worker gets more than its credit", "actors/dispatch/handout.go",
		"w.load+predict <= Credit*time.Duration(w.slots)", "w.load <= Credit*time.Duration(w.slots)",
		"actors/dispatch", "TestScripts|TestRandomOperations",
	},
	// What a change does.
	{
		"the epoch of a writer is not checked", "store/rules/rules.go",
		"account.Epoch != ch.Epoch", "account.Epoch < ch.Epoch",
		"store/rules", "TestFence",
	},
	{
		"a job that has ended can end again", "store/rules/rules.go",
		"if e.Was.State.Final() || e.Was.Order != j.Order {", "if e.Was.Order != j.Order {",
		"store/rules", "TestRefusals",
	},
	{
		"a number in the queue can be used again", "store/rules/rules.go",
		"if j.Order != j.ID.Seq || j.Order <= a.Last {", "if j.Order != j.ID.Seq || j.Order < a.Last {",
		"store/rules", "TestRefusals",
	},
	{
		"a retried job is still counted as failed", "store/rules/rules.go",
		"e.count(fairfactor.Failed, -1)", "e.count(fairfactor.Failed, 0)",
		"store/rules", "TestEffects",
	},
	{
		"another job's id gives this job", "store/rules/rules.go",
		"if e.Was.State == 0 || e.Was.Nonce != ch.Job.ID.Nonce {", "if e.Was.State == 0 {",
		"store/rules", "TestRefusals",
	},
	// The embedded store.
	{
		"a group is not synced", "store/pebble/claim.go",
		"return func() error { return s.end(b, b.SyncWait()) }", "return func() error { go s.end(b, b.SyncWait()); return nil }",
		"store/pebble", "TestNothingIsSaidBeforeItIsDurable|TestCrash|TestFailedLogIsFatal",
	},
	{
		"a read tells of what is not synced", "store/pebble/flights.go",
		"if g == nil && group > f.landed {", "if g == nil && group > f.landed+1 {",
		"store/pebble", "TestNothingIsSaidBeforeItIsDurable",
	},
	{
		"an end is told before it is synced", "store/pebble/flights.go",
		"f.jobs[p] = g\n", "_ = p\n",
		"store/pebble", "TestNothingIsSaidBeforeItIsDurable",
	},
	{
		"a claim does not raise the epoch", "store/pebble/claim.go",
		"	a.Epoch++\n", "	a.Epoch = max(a.Epoch, 1)\n",
		"store/pebble", "TestStore",
	},
	{
		"an epoch is lost when its account leaves the memory", "store/pebble/claim.go",
		"stays || !a.claimed {", "stays || a.claimed {",
		"store/pebble", "TestEpochsOutliveTheMemory",
	},
	{
		"the first job of the next page is lost", "store/pebble/list.go",
		"p.page.Next = p.last", "p.page.Next = cursor",
		"store/pebble", "TestStore",
	},
	{
		"a page has one job too few", "store/pebble/list.go",
		"if len(p.page.Jobs) == p.size {", "if len(p.page.Jobs) == p.size-1 {",
		"store/pebble", "TestStore",
	},
	// PostgreSQL.
	{
		"the database does not check the epoch", "store/postgres/write.go",
		"WHERE f.epoch = u.epoch AND f.name", "WHERE f.epoch >= u.epoch AND f.name",
		"store/postgres", "TestNodesTakeACallerFromEachOther",
	},
	{
		"commits do not wait for the disk", "store/postgres/session.go",
		"SET synchronous_commit = on", "SET synchronous_commit = off",
		"store/postgres", "TestCommitsAreSynchronous",
	},
	{
		"an account takes its tallies twice", "store/postgres/write.go",
		"completed = c.completed + u.completed,", "completed = c.completed + 2 * u.completed,",
		"store/postgres", "TestStore",
	},
	{
		"one job that can't be read stops the events", "store/postgres/many.go",
		"if damaged != nil && err != nil {", "if damaged == nil && err != nil {",
		"store/postgres", "TestOneDamagedRowHoldsUpNoOther",
	},
	{
		"a refused question spoils those that travel with it", "store/postgres/ask.go",
		"} else if len(group) > 1 && refused(err) {", "} else if len(group) > perAsk && refused(err) {",
		"store/postgres", "TestReadsSpoilNoOther",
	},
	// Members.
	{
		"an actor that retires is not told what others found", "cluster/route.go",
		"st.former == nil || r.retire[e.kind] == nil ||", "st.former == nil || r.retire[e.kind] != nil ||",
		"cluster", "TestRetiringActorIsToldStill",
	},
	{
		"an actor of a kind that retires is stopped at once", "cluster/activation.go",
		"if m == nil || !a.post(m) {", "if m == nil || a.post(m) {",
		"cluster", "TestRetir",
	},
	{
		"a lease that ran out is renewed without a look at the others", "store/postgres/quick.go",
		"AND m.until >= at.now AND m.renewed", "AND m.renewed",
		"store/postgres", "TestManyMembersRenewQuickly",
	},
	{
		"a minority takes a member out", "store/membership/membership.go",
		"needed := (len(t.Rows)-1)/2 + 1", "needed := (len(t.Rows) - 1) / 2",
		"store/memory", "TestMembers",
	},
	{
		"a member is taken out before its lease is over", "store/membership/membership.go",
		"return now.After(r.Until) && (", "return now.After(r.Renewed) && (",
		"store/memory", "TestMembers",
	},
	{
		"a node acts although its lease is over", "cluster/lease.go",
		"case l.left() > 0:", "case l.left() > -time.Hour:",
		"cluster", "TestLapsedAtOnce",
	},
	{
		"a message is handled without a lease", "cluster/activation.go",
		"if a.stopped || a.router.lease.lapsed() {", "if a.stopped {",
		"cluster", "TestMailboxIsNotHandledWithoutALease",
	},
	{
		"a view is acted on before all follow it", "cluster/route.go",
		"st.closing || !st.settled || st.self < 0", "st.closing || st.self < 0",
		"cluster", "TestNoDoubleActivationWhileViewsDiffer",
	},
	{
		"requests to a member that is gone are not answered", "cluster/route.go",
		"to.member != \"\" && !v.has(to.member)", "to.member == \"\" && !v.has(to.member)",
		"cluster", "TestRequestToAnEarlierProcessIsAnswered",
	},
	{
		"a member that gossip never saw counts as dead at once", "cluster/leased.go",
		"now.Sub(a.since) >= d.grace", "now.Sub(a.since) >= 0",
		"cluster", "TestWhoIsReportedDead",
	},
	{
		"a member that does not answer is waited for", "cluster/links.go",
		"if via != at && via != p.self", "if via != at && via == p.self",
		"cluster", "TestLinkGoesBad|TestTwoThatDoNotReachEachOther",
	},
	{
		"a node that is cut off holds on to requests", "cluster/links.go",
		"return len(p.links) > 2", "return len(p.links) > 20",
		"cluster", "TestIsolated",
	},
	{
		"a slow member that answers is reported dead", "cluster/leased.go",
		"case d.answers(m.ID) && !d.gossip.gone(m.ID):", "case d.answers(m.ID) && !d.gossip.gone(m.ID) && !a.heard:",
		"cluster", "TestWhoIsReportedDead",
	},
	{
		"a question that got lost is waited for for ever", "cluster/links.go",
		"r.requests.add(deadAfter*r.timing.Probe, true)", "r.requests.add(0, true)",
		"cluster", "TestLostQuestionIsAskedAgain",
	},
	{
		"what must not be sent twice is", "cluster/links.go",
		"return q.to == to && !q.once", "return q.to == to",
		"cluster", "TestLinkGoesBad",
	},
	{
		"a message is passed on over a link that is bad", "cluster/links.go",
		"if at < 0 || at == st.self || st.links[at].bad.Load() ||", "if at < 0 || at == st.self ||",
		"cluster", "TestNothingIsPassedOnOverABadLink",
	},
	// The API.
	{
		"a call is let in too late to be answered", "http/gate.go",
		"case <-over:\n", "case <-over:\n\t\t<-w.open\n\t\treturn nil\n",
		"http", "TestGateLeavesTimeForTheAnswer",
	},
	{
		"an unknown outcome is told as a refusal", "http/problem.go",
		"if errors.Is(err, fairfactor.ErrUnanswered) {", "if errors.Is(err, fairfactor.ErrUnanswered) && err == nil {",
		"http", "TestEveryCodeHasItsStatus",
	},
}
