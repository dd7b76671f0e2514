package caller_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/caller"
	"fairfactor/actors/share"
	"fairfactor/factor"
	"fairfactor/store/memory"
)

// host is a caller's world in a test: a store in memory, a clock that a script
// moves, and a list of what the caller asked for.
type host struct {
	t      *testing.T
	store  *memory.Store
	caller *caller.Caller
	now    time.Time
	said   []string
	reads  []*caller.Read
	steps  *caller.Steps
	group  []fairfactor.Change // taken, not written
	run    *factor.Runner
	place  uint64
	used   time.Duration   // by each turn, zero for a millisecond
	turns  map[string]turn // offered, by job.turn
	nonces uint64
	counts caller.Counters
	room   caller.Room
	learns bool
	grace  time.Duration
	deadly caller.Deadlies

	maxQueue uint64
}

type turn struct {
	epoch uint64
	backlog.Turn
}

func newHost(t *testing.T) *host {
	h := &host{t: t, store: memory.New(), now: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC), run: factor.NewRunner(), turns: map[string]turn{}, maxQueue: 20}
	h.room.Limit = 1000
	h.activate()
	return h
}

func (h *host) activate() {
	h.steps, h.reads = nil, nil // those of the last one are lost
	h.caller = caller.New(h, caller.Config{
		Name: "alice", MaxQueue: h.maxQueue, Idle: h.idle, Retry: time.Second, MaxDeaths: 3, Grace: h.patience,
		Counters: &h.counts, Room: &h.room, Learns: h.learns, Deadly: &h.deadly,
	})
}

func (h *host) idle() time.Duration     { return 10 * time.Second }
func (h *host) patience() time.Duration { return h.grace }

func (h *host) say(format string, args ...any) { h.said = append(h.said, fmt.Sprintf(format, args...)) }

func (h *host) take() []string {
	said := h.said
	h.said = nil
	return said
}

// The methods below are caller.Host.

func (h *host) Now() time.Time      { return h.now }
func (h *host) Log() *slog.Logger   { return slog.New(slog.DiscardHandler) }
func (h *host) Arrived()            {}
func (h *host) Withdraw(n uint64)   { h.say("withdraw %d", n) }
func (h *host) Read(r *caller.Read) { h.reads = append(h.reads, r) }

func (h *host) Offer(o caller.Offer) {
	var names []string
	for _, t := range o.Turns {
		name := fmt.Sprintf("%d.%d", t.ID.Seq, t.Turn)
		h.turns[name] = turn{o.Epoch, t}
		names = append(names, name)
	}
	text := "offer " + strings.Join(names, " ")
	if o.Group != "" {
		text += " group=" + o.Group
	}
	if o.More {
		text += " and more"
	}
	if o.Charge > 0 {
		text += fmt.Sprintf(" charge=%v", o.Charge)
	}
	h.say("%s", strings.TrimSpace(text))
}

func (h *host) Answer(to caller.Asker, answer any) {
	switch a := answer.(type) {
	case *caller.Receipts:
		var texts []string
		for _, r := range a.Receipts {
			texts = append(texts, receipt(r))
		}
		h.say("%s: %s", to, strings.Join(texts, ", "))
	case caller.Jobs:
		if len(a.Jobs) == 0 {
			h.say("%s: no job", to)
		}
		for _, j := range a.Jobs {
			h.say("%s: job %d %s", to, j.ID.Seq, j.State)
		}
	case caller.Account:
		h.say("%s: weight %d, group %q, %d running", to, a.Weight, a.Group, a.Running)
	case caller.Changed:
		h.say("%s: %d done, %d skipped", to, a.Done, a.Skipped)
	case error:
		h.say("%s: %s", to, reason(a))
	}
}

func receipt(r fairfactor.Receipt) string {
	if r.Err != nil {
		return reason(r.Err)
	}
	text := fmt.Sprintf("job %d %s", r.Job.ID.Seq, r.Job.State)
	if r.Replay {
		text += " again"
	}
	return text
}

func reason(err error) string {
	if err == error(caller.ErrMoved) {
		return "moved"
	}
	var e *fairfactor.Error
	if errors.As(err, &e) && e.Quota != nil {
		return fmt.Sprintf("%s of %d %s in %v, more in %v", e.Code, e.Quota.Limit, e.Quota.Unit, e.Quota.Window, e.Quota.Reset)
	}
	return string(fairfactor.CodeOf(err))
}

func (h *host) Want(w share.Want) {
	h.say("want %s: %d jobs, runs %v, waits %v, over %v, known %v", w.Number, w.Jobs, w.Runs, w.Waits, w.Over, w.Known)
}

func (h *host) Commit(s *caller.Steps) {
	h.steps = s
	h.say("ready: %s", strings.Join(s.Pending(), "; "))
}

func (h *host) Hold(s *caller.Steps, d time.Duration) {
	h.steps = s
	h.say("hold for %v: %s", d, strings.Join(s.Pending(), "; "))
}

func (h *host) Progress(running []fairfactor.Job, _ time.Duration, _ uint64) {
	var names []string
	for _, j := range running {
		names = append(names, strconv.FormatUint(j.ID.Seq, 10))
	}
	h.say("running: %s", strings.Join(names, " "))
}

// do does what a line of a script says.
func (h *host) do(words []string) error {
	err := h.command(words)
	h.caller.Flush()
	return err
}

func (h *host) command(words []string) error {
	args := words[1:]
	switch words[0] {
	case "submit": // name, then number[=key] ..., wait, far, repeated, group=g, nonce=n, deadline=d
		h.submit(args)
	case "read": // brings what was asked for; fail: the store can't be reached
		h.read(len(args) > 0)
	case "take": // a group takes what waits
		if h.steps == nil {
			return fmt.Errorf("nothing is ready")
		}
		h.group = h.steps.Take(nil, 1000)
	case "written": // the group is durable; or: fail, fenced
		h.written(args)
	case "run": // turns, job.turn ...: a worker runs them
		return h.outcomes(args)
	case "spoil": // turns that go wrong
		return h.spoil(args)
	case "pull": // epoch of the scheduler, want, and the claim that it knows of if it is another
		epoch, _ := strconv.ParseUint(args[0], 10, 64)
		want, _ := strconv.Atoi(args[1])
		claim := h.caller.Epoch()
		if len(args) > 2 {
			claim, _ = strconv.ParseUint(args[2], 10, 64)
		}
		h.caller.Receive(nil, caller.Pull{Epoch: epoch, Want: want, Claim: claim})
	case "await", "cancel", "retry", "look", "expire": // name, sequence number
		return h.ask(words[0], args)
	case "many", "again": // name, sequence numbers: an operation cancels them, or does so again
		h.caller.Receive(args[0], h.many(words[0] == "again", args[1:]))
	case "retries", "retries-again": // name, sequence numbers with the places that were listed
		m := h.many(words[0] == "retries-again", args[1:])
		m.Retry = true
		h.caller.Receive(args[0], m)
	case "learns": // results are known to all callers, and numbers shared
		h.learns = true
		h.activate()
	case "shared": // number, then run, wait or known, and what that costs: its actor says so
		m := share.Shared{Number: args[0], Run: args[1] == "run", Known: args[1] == "known"}
		if len(args) > 2 {
			m.Cost, _ = time.ParseDuration(args[2])
		}
		h.caller.Receive(nil, m)
	case "learn": // number, primes ...: another caller had it factored
		k := fairfactor.Known{Number: args[0], Complete: true}
		for _, p := range args[1:] {
			k.Factors = append(k.Factors, fairfactor.Factor{Prime: p, Exponent: 1})
		}
		return h.store.Learn(context.Background(), []fairfactor.Known{k})
	case "weigh":
		weight, _ := strconv.Atoi(args[1])
		h.caller.Receive(args[0], caller.Weigh{Weight: weight})
	case "bound": // name, then queue=n, rate=n, digits=n, cpu=duration: what the caller is allowed
		h.caller.Receive(args[0], caller.Bound{Change: boundsIn(args[1:])})
	case "used": // what each turn uses from now on
		h.used, _ = time.ParseDuration(args[0])
	case "vain": // CPU of turns that no job has, since the start
		c := &h.counts
		h.say("ended %v, spare %v, moved %v, unsaved %v", time.Duration(c.Ended.Load()), time.Duration(c.Spare.Load()), time.Duration(c.Moved.Load()), time.Duration(c.Unsaved.Load()))
	case "account":
		h.caller.Receive(args[0], caller.AskAccount{})
	case "began": // job.turn: it is the first one of that job
		seq, _ := strconv.ParseUint(strings.TrimSuffix(args[0], ".0"), 10, 64)
		h.place++
		h.caller.Receive(nil, caller.Began{Epoch: h.caller.Epoch(), Seq: seq, Nonce: 1000 + seq, Dispatched: h.place, Started: h.now})
	case "save": // name, who wants to know when it is done
		h.caller.Receive(args[0], caller.Save{})
	case "leave":
		h.caller.Leave()
	case "hurry":
		h.caller.Hurry()
	case "left":
		h.say("has left: %v", h.caller.Left())
	case "stop":
		h.caller.Stop()
	case "died": // who says so, sequence number, process
		seq, _ := strconv.ParseUint(args[1], 10, 64)
		h.caller.Receive(args[0], caller.Died{ID: fairfactor.ID{Nonce: 1000 + seq, Seq: seq}, Process: args[2]})
	case "deadly": // number, caller: processes died of it elsewhere; known: this node has heard of that
		return h.kill(args[0], args[1], len(args) > 2)
	case "why": // sequence number: the deaths of a stored job, and its reason
		seq, _ := strconv.ParseUint(args[0], 10, 64)
		job, err := h.store.Job(context.Background(), fairfactor.ID{Nonce: 1000 + seq, Caller: 1, Seq: seq})
		h.say("job %d %s after %d attempts, deaths of %v: %s", seq, job.State, job.Attempts, job.Deaths.Count(), job.Reason)
		return err
	case "grace": // that a job waits after a death
		h.grace, _ = time.ParseDuration(args[0])
	case "activate": // somewhere else, or after that
		h.activate()
	case "release": // the hold is over
		h.steps.Release()
	case "pass": // time passes
		d, err := time.ParseDuration(args[0])
		if err != nil {
			return err
		}
		h.now = h.now.Add(d)
		if due := h.caller.NextDue(); due.IsZero() || due.After(h.now) {
			h.say("nothing is due")
		} else if h.caller.Due() {
			h.say("idle: stops")
		}
	case "pending":
		for _, line := range h.caller.Pending() {
			h.say("%s", line)
		}
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

func boundsIn(args []string) (c fairfactor.BoundsChange) {
	for _, word := range args {
		name, value, _ := strings.Cut(word, "=")
		n, _ := strconv.ParseUint(value, 10, 64)
		switch name {
		case "queue":
			c.MaxQueue = &n
		case "rate":
			c.MaxRate = &n
		case "digits":
			c.MaxDigits = &n
		case "cpu":
			d, _ := time.ParseDuration(value)
			c.MaxCPU = &d
		}
	}
	return c
}

func (h *host) submit(args []string) {
	m := &caller.Submit{}
	asker, nonce, deadline := args[0], uint64(0), time.Time{}
	wait := slices.Contains(args, "wait")
	for _, word := range args {
		if value, ok := strings.CutPrefix(word, "nonce="); ok {
			nonce, _ = strconv.ParseUint(value, 10, 64)
		}
		if value, ok := strings.CutPrefix(word, "deadline="); ok {
			after, _ := time.ParseDuration(value)
			deadline = h.now.Add(after)
		}
	}
	for _, word := range args[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "wait", "nonce", "deadline":
		case "far":
			m.Far = true
		case "repeated":
			m.Repeated, m.Far = true, true
		case "group":
			m.Group = value
		default:
			sub := caller.Submission{Number: name, Key: value, Wait: wait, Nonce: nonce, Deadline: deadline}
			if nonce == 0 {
				h.nonces++
				sub.Nonce = 1000 + h.nonces
			}
			m.Submissions = append(m.Submissions, sub)
		}
	}
	h.caller.Receive(asker, m)
}

// read answers all questions to the store that there are now.
func (h *host) read(fail bool) {
	ctx := context.Background()
	reads := h.reads
	h.reads = nil
	for _, r := range reads {
		if r.Err = nil; fail {
			r.Err = down
		} else {
			h.answerRead(ctx, r)
		}
		h.caller.Done(r)
	}
}

func (h *host) answerRead(ctx context.Context, r *caller.Read) {
	switch r.Kind {
	case caller.ReadClaim:
		r.Claim, r.Err = h.store.ClaimCaller(ctx, "alice", r.Group)
	case caller.ReadPage:
		r.Page, r.Err = h.store.Backlog(ctx, h.caller.Number(), r.After, backlog.Page, nil)
	case caller.ReadPiece:
		r.Piece, r.Err = h.store.Piece(ctx, h.caller.Number(), r.Order, uint32(r.Number))
	case caller.ReadKeys:
		r.Keyed, r.Err = h.store.Keyed(ctx, h.caller.Number(), r.Keys, r.Since)
	case caller.ReadJobs:
		r.Jobs, r.Err = h.store.Jobs(ctx, r.Many.IDs)
	case caller.ReadJob:
		r.Job, r.Err = h.store.Job(ctx, r.Job.ID)
	case caller.ReadKnown:
		if known, err := h.store.Known(ctx, []string{r.Digits}); err == nil && len(known) == 1 {
			r.Known = &known[0]
			if d := known[0].Deadly; d != nil {
				h.deadly.Add(*d)
			}
		}
	case caller.ReadEarlier:
		page, err := h.store.List(ctx, fairfactor.Query{Caller: "alice", Limit: 100})
		r.Earlier, r.Err = map[uint64]*fairfactor.Job{}, err
		for i := range page.Jobs {
			r.Earlier[page.Jobs[i].ID.Nonce] = &page.Jobs[i]
		}
	}
}

var down = fairfactor.Errorf(fairfactor.Unavailable, "the store can't be reached")

func (h *host) written(args []string) {
	var errs []error
	var err error
	switch {
	case len(args) == 0:
		errs, err = h.store.Apply(context.Background(), h.group)
	case args[0] == "fenced":
		errs = slices.Repeat([]error{fairfactor.ErrFenced}, len(h.group))
	default:
		err = down
	}
	for i, ch := range h.group {
		if ch.Job != nil && (errs == nil || errs[i] == nil) && err == nil {
			h.say("stored: %s %d", ops[ch.Op], ch.Job.ID.Seq)
		}
	}
	if h.steps.Written(errs, err) {
		h.say("more is ready: %s", strings.Join(h.steps.Pending(), "; "))
	}
	h.caller.Written()
	if h.caller.Stopped() {
		h.say("stopped")
	}
}

var ops = map[fairfactor.Op]string{
	fairfactor.Accept: "accept", fairfactor.Finish: "finish", fairfactor.AcceptEnded: "accept and finish",
	fairfactor.Checkpoint: "checkpoint", fairfactor.Requeue: "requeue",
}

// outcomes has turns run and brings what came of them.
func (h *host) outcomes(names []string) error {
	m := &caller.Outcomes{}
	for _, name := range names {
		t, ok := h.turns[name]
		if !ok {
			return fmt.Errorf("turn %s was not offered", name)
		}
		work := factor.First(t.Number)
		if t.Turn.Turn > 0 {
			work = factor.Turn{ID: t.Turn.Turn, Payload: t.Payload, Predict: t.Predict}
		}
		result, err := h.run.Run(work, nil)
		if err != nil {
			return err
		}
		m.Outcomes = append(m.Outcomes, h.outcome(t, result.Data, ""))
	}
	h.caller.Receive(nil, m)
	return nil
}

func (h *host) spoil(names []string) error {
	m := &caller.Outcomes{}
	for _, name := range names {
		m.Outcomes = append(m.Outcomes, h.outcome(h.turns[name], nil, "it broke"))
	}
	h.caller.Receive(nil, m)
	return nil
}

func (h *host) outcome(t turn, data []byte, failure string) caller.Outcome {
	h.place++
	return caller.Outcome{Epoch: t.epoch, Outcome: backlog.Outcome{
		Seq: t.ID.Seq, Nonce: t.ID.Nonce, Turn: t.Turn.Turn, Dispatched: h.place, Started: h.now, CPU: cmp.Or(h.used, time.Millisecond), Data: data, Failure: failure,
	}}
}

// ask asks for a job by its sequence number.
func (h *host) ask(what string, args []string) error {
	seq, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	id := fairfactor.ID{Nonce: 1000 + seq, Caller: 1, Seq: seq}
	switch what {
	case "await":
		h.caller.Receive(args[0], caller.Await{ID: id, Deadline: h.now.Add(time.Minute)})
	case "cancel":
		h.caller.Receive(args[0], caller.Cancel{ID: id})
	case "retry":
		h.caller.Receive(args[0], caller.Retry{ID: id})
	case "look":
		h.caller.Receive(args[0], caller.Look{Seq: seq})
	case "expire":
		h.caller.Receive(args[0], caller.Expire{ID: id})
	}
	return nil
}

// kill has a job of another caller quarantined.
func (h *host) kill(number, name string, known bool) error {
	ctx := context.Background()
	c, err := h.store.ClaimCaller(ctx, name, "")
	if err != nil {
		return err
	}
	deaths := &fairfactor.Deaths{Processes: []string{"x1", "x2", "x3"}}
	job := fairfactor.Job{
		ID: fairfactor.ID{Nonce: 77, Caller: c.Number, Seq: c.Last + 1}, Caller: name, Number: number, Order: c.Last + 1,
		State: fairfactor.Failed, Submitted: h.now, Finished: h.now, Attempts: 3, Deaths: deaths,
	}
	if known {
		h.deadly.Add(fairfactor.Deadly{Number: number, Deaths: *deaths, Job: job.ID, Caller: name, Since: h.now, Used: h.now})
	}
	_, err = h.store.Apply(ctx, []fairfactor.Change{{Op: fairfactor.AcceptEnded, Caller: name, Number: c.Number, Epoch: c.Epoch, Job: &job}})
	return err
}

// many is what an operation asks for: of jobs by their sequence numbers, or as number@place.
func (h *host) many(again bool, jobs []string) *caller.Many {
	m := &caller.Many{Again: again, Since: h.now}
	for _, job := range jobs {
		number, place, _ := strings.Cut(job, "@")
		seq, _ := strconv.ParseUint(number, 10, 64)
		m.IDs = append(m.IDs, fairfactor.ID{Nonce: 1000 + seq, Caller: h.caller.Number(), Seq: seq})
		if order, err := strconv.ParseUint(place, 10, 64); err == nil {
			m.Orders = append(m.Orders, order)
		}
	}
	return m
}
