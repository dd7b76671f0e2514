package actors

import (
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors/actorspb"
	"fairfactor/actors/backlog"
	"fairfactor/actors/caller"
	"fairfactor/actors/dispatch"
	"fairfactor/actors/share"
)

// This file maps messages to what they are between nodes, and back.

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// opened is what an actor gets: m itself, or what the envelope holds that it came
// in from another node. It is nil for an envelope that this node does not know.
func opened(m any) any {
	e, ok := m.(*actorspb.Envelope)
	if !ok {
		return m
	}
	if m := callerMessageFromPB(e); m != nil {
		return toCaller{m}
	}
	switch b := e.Body.(type) {
	case *actorspb.Envelope_Offer:
		o := b.Offer
		return &offer{Offer: dispatch.Offer{
			Caller: o.Caller, Group: o.Group, Home: o.Home, Epoch: o.Epoch, Weight: int(o.Weight),
			Turns: turnsFromPB(o.Turns), More: o.More, Again: o.Again, Charge: time.Duration(o.ChargeNs), Known: int(o.Known),
			Jobs: o.Jobs, Work: time.Duration(o.WorkNs), Oldest: o.OldestUs,
		}}
	case *actorspb.Envelope_Want:
		return wantFromPB(b.Want)
	case *actorspb.Envelope_Withdraw:
		return withdraw{b.Withdraw.Caller, b.Withdraw.Seq, b.Withdraw.Epoch}
	case *actorspb.Envelope_Ended:
		m := &ended{member: b.Ended.Member, ends: make([]end, len(b.Ended.Ends))}
		for i, pb := range b.Ended.Ends {
			m.ends[i] = end{pb.Dispatched, pb.CpuNs}
		}
		return m
	case *actorspb.Envelope_Beat:
		m := &beat{member: b.Beat.Member, slots: int(b.Beat.Slots), open: turnsFromPB(b.Beat.Open), epoch: b.Beat.Epoch}
		for i := range m.open {
			m.open[i].Body = nil // a worker keeps that
		}
		return m
	case *actorspb.Envelope_Report:
		return askReport{}
	case *actorspb.Envelope_WeighGroup:
		return weighGroup{b.WeighGroup.Group, int(b.WeighGroup.Weight)}
	case *actorspb.Envelope_Run:
		m := &run{epoch: b.Run.Epoch, turns: make([]*turn, len(b.Run.Turns))}
		for i, pb := range b.Run.Turns {
			m.turns[i] = turnFromPB(pb)
		}
		return m
	case *actorspb.Envelope_Halt:
		return halt{b.Halt.Dispatched}
	case *actorspb.Envelope_Status:
		return askStatus{}
	case *actorspb.Envelope_Live:
		return askLive{}
	}
	return answerFromPB(e)
}

// answerFromPB is the answer in an envelope, nil if it holds no answer.
func answerFromPB(e *actorspb.Envelope) any {
	switch b := e.Body.(type) {
	case *actorspb.Envelope_Receipts:
		m := &receipts{make([]fairfactor.Receipt, len(b.Receipts.Receipts))}
		for i, pb := range b.Receipts.Receipts {
			m.Receipts[i] = fairfactor.Receipt{Replay: pb.Replay, Err: errorOf(pb.Problem)}
			if pb.Job != nil {
				m.Receipts[i].Job = jobFromPB(pb.Job)
			}
		}
		return m
	case *actorspb.Envelope_JobState:
		return jobs{jobsFromPB(b.JobState.Jobs)}
	case *actorspb.Envelope_AccountState:
		s := b.AccountState
		return account{Weight: int(s.Weight), Group: s.Group, Running: s.Running, CPU: time.Duration(s.CpuNs), Turns: s.Turns}
	case *actorspb.Envelope_Changed:
		return changed{Done: b.Changed.Done, Skipped: b.Changed.Skipped}
	case *actorspb.Envelope_LeftWork:
		return leftWork{Found: b.LeftWork.Found, Given: factorsFromPB(b.LeftWork.Given), Data: b.LeftWork.Data}
	case *actorspb.Envelope_Fairness:
		return fairness{fairnessFromPB(b.Fairness)}
	case *actorspb.Envelope_StatusState:
		return statusFromPB(b.StatusState)
	case *actorspb.Envelope_LiveState:
		m := live{}
		for _, pb := range b.LiveState.Callers {
			m.callers = append(m.callers, liveCaller{pb.Name, jobsFromPB(pb.Jobs), time.Duration(pb.CpuNs), pb.Turns})
		}
		return m
	case *actorspb.Envelope_Problem:
		return failure{errorOf(b.Problem)}
	}
	return nil
}

func statusFromPB(s *actorspb.StatusState) (m status) {
	m.counts = fairfactor.NodeCounts{Accepted: s.Accepted, Completed: s.Completed, Failed: s.Failed, Cancelled: s.Cancelled, Turns: s.Turns, CPU: time.Duration(s.CpuNs)}
	for _, slot := range s.Slots {
		w := fairfactor.Worker{Since: fromMicros(slot.SinceUs)}
		if t := slot.Turn; t != nil {
			w.Caller, w.Number = t.Caller, t.Number
			w.Job = fairfactor.ID{Nonce: t.Nonce, Caller: t.CallerNumber, Seq: t.Seq}.String()
		}
		m.workers = append(m.workers, w)
	}
	return m
}

// callerMessageToPB is a message of package caller between nodes.
func callerMessageToPB(m any) proto.Message {
	e := &actorspb.Envelope{}
	switch m := m.(type) {
	case *caller.Submit:
		s := &actorspb.Submit{Again: m.Repeated, Group: m.Group, Submissions: make([]*actorspb.Submission, len(m.Submissions))}
		for i := range m.Submissions {
			sub := &m.Submissions[i]
			s.Submissions[i] = &actorspb.Submission{Number: sub.Number, Key: sub.Key, Nonce: sub.Nonce, Wait: sub.Wait, DeadlineUs: micros(sub.Deadline), Callback: urlOf(sub.Callback), Curves: curvesToPB(sub.Curves), Trace: traceBytes(sub.Trace)}
			if sub.Known != nil {
				s.Submissions[i].Known, s.Submissions[i].Complete = factorsToPB(sub.Known.Factors), sub.Known.Complete
				s.Submissions[i].Deadly = deadlyToPB(sub.Known.Deadly)
			}
		}
		e.Body = &actorspb.Envelope_Submit{Submit: s}
	case caller.Look:
		e.Body = &actorspb.Envelope_Look{Look: &actorspb.Look{Seq: m.Seq}}
	case caller.Await:
		e.Body = &actorspb.Envelope_Await{Await: &actorspb.Await{Id: idToPB(m.ID), DeadlineUs: micros(m.Deadline)}}
	case caller.Cancel:
		e.Body = &actorspb.Envelope_Cancel{Cancel: &actorspb.Cancel{Id: idToPB(m.ID)}}
	case caller.Expire:
		e.Body = &actorspb.Envelope_Expire{Expire: &actorspb.Expire{Id: idToPB(m.ID)}}
	case caller.Retry:
		e.Body = &actorspb.Envelope_Retry{Retry: &actorspb.Retry{Id: idToPB(m.ID)}}
	case caller.Weigh:
		e.Body = &actorspb.Envelope_Weigh{Weigh: &actorspb.Weigh{Weight: int32(m.Weight)}}
	case caller.Regroup:
		e.Body = &actorspb.Envelope_Regroup{Regroup: &actorspb.Regroup{Group: m.Group}}
	case *caller.Many:
		many := &actorspb.Many{Ids: make([]*actorspb.Id, len(m.IDs)), Retry: m.Retry, Waiting: m.Waiting, Again: m.Again, SinceUs: micros(m.Since), Orders: m.Orders}
		for i, id := range m.IDs {
			many.Ids[i] = idToPB(id)
		}
		e.Body = &actorspb.Envelope_Many{Many: many}
	case caller.Save:
		e.Body = &actorspb.Envelope_Save{Save: &actorspb.Save{}}
	case caller.Died:
		e.Body = &actorspb.Envelope_Died{Died: &actorspb.Died{Id: idToPB(m.ID), Process: m.Process}}
	case caller.Pause:
		e.Body = &actorspb.Envelope_Pause{Pause: &actorspb.Pause{Paused: m.Paused}}
	case caller.Bound:
		e.Body = &actorspb.Envelope_Bound{Bound: boundToPB(&m.Change)}
	case caller.AskAccount:
		e.Body = &actorspb.Envelope_Account{Account: &actorspb.Account{}}
	case caller.AskLeft:
		e.Body = &actorspb.Envelope_AskLeft{AskLeft: &actorspb.AskLeft{Number: m.Number, Piece: int64(m.Piece)}}
	case caller.Pull:
		e.Body = &actorspb.Envelope_Pull{Pull: &actorspb.Pull{Epoch: m.Epoch, Want: int32(m.Want), Claim: m.Claim}}
	case share.Shared:
		e.Body = &actorspb.Envelope_Shared{Shared: &actorspb.Shared{Number: m.Number, Run: m.Run, Known: m.Known, From: m.From, CostNs: int64(m.Cost)}}
	case caller.Began:
		e.Body = &actorspb.Envelope_Began{Began: &actorspb.Began{Epoch: m.Epoch, Seq: m.Seq, Nonce: m.Nonce, Dispatched: m.Dispatched, StartedUs: micros(m.Started)}}
	case *caller.Outcomes:
		out := &actorspb.Outcomes{Outcomes: make([]*actorspb.Outcome, len(m.Outcomes))}
		for i := range m.Outcomes {
			o := &m.Outcomes[i]
			out.Outcomes[i] = &actorspb.Outcome{
				Epoch: o.Epoch, Seq: o.Seq, Nonce: o.Nonce, Turn: o.Turn, Dispatched: o.Dispatched,
				StartedUs: micros(o.Started), CpuNs: int64(o.CPU), Data: o.Data, Failure: o.Failure,
			}
		}
		e.Body = &actorspb.Envelope_Outcomes{Outcomes: out}
	}
	return e
}

// callerMessageFromPB is the message of package caller in an envelope, nil if it holds
// another one. A submission from another node may be repeated.
func callerMessageFromPB(e *actorspb.Envelope) any {
	switch b := e.Body.(type) {
	case *actorspb.Envelope_Submit:
		m := &caller.Submit{Repeated: b.Submit.Again, Group: b.Submit.Group, Far: true, Submissions: make([]caller.Submission, len(b.Submit.Submissions))}
		for i, pb := range b.Submit.Submissions {
			m.Submissions[i] = caller.Submission{Number: pb.Number, Key: pb.Key, Nonce: pb.Nonce, Wait: pb.Wait, Deadline: fromMicros(pb.DeadlineUs), Callback: callbackOf(pb.Callback), Curves: curvesFromPB(pb.Curves), Trace: traceOf(pb.Trace)}
			if len(pb.Known) > 0 || pb.Deadly != nil {
				m.Submissions[i].Known = &fairfactor.Known{Number: pb.Number, Factors: factorsFromPB(pb.Known), Complete: pb.Complete, Deadly: deadlyFromPB(pb.Number, pb.Deadly)}
			}
		}
		return m
	case *actorspb.Envelope_Look:
		return caller.Look{Seq: b.Look.Seq}
	case *actorspb.Envelope_Await:
		return caller.Await{ID: idFromPB(b.Await.Id), Deadline: fromMicros(b.Await.DeadlineUs)}
	case *actorspb.Envelope_Cancel:
		return caller.Cancel{ID: idFromPB(b.Cancel.Id)}
	case *actorspb.Envelope_Expire:
		return caller.Expire{ID: idFromPB(b.Expire.Id)}
	case *actorspb.Envelope_Retry:
		return caller.Retry{ID: idFromPB(b.Retry.Id)}
	case *actorspb.Envelope_Weigh:
		return caller.Weigh{Weight: int(b.Weigh.Weight)}
	case *actorspb.Envelope_Regroup:
		return caller.Regroup{Group: b.Regroup.Group}
	case *actorspb.Envelope_Many:
		m := &caller.Many{IDs: make([]fairfactor.ID, len(b.Many.Ids)), Retry: b.Many.Retry, Waiting: b.Many.Waiting, Again: b.Many.Again, Since: fromMicros(b.Many.SinceUs), Orders: b.Many.Orders}
		for i, id := range b.Many.Ids {
			m.IDs[i] = idFromPB(id)
		}
		return m
	case *actorspb.Envelope_Save:
		return caller.Save{}
	case *actorspb.Envelope_Died:
		return caller.Died{ID: idFromPB(b.Died.Id), Process: b.Died.Process}
	case *actorspb.Envelope_Pause:
		return caller.Pause{Paused: b.Pause.Paused}
	case *actorspb.Envelope_Bound:
		return caller.Bound{Change: boundFromPB(b.Bound)}
	case *actorspb.Envelope_Account:
		return caller.AskAccount{}
	case *actorspb.Envelope_AskLeft:
		return caller.AskLeft{Number: b.AskLeft.Number, Piece: int(b.AskLeft.Piece)}
	case *actorspb.Envelope_Pull:
		return caller.Pull{Epoch: b.Pull.Epoch, Want: int(b.Pull.Want), Claim: b.Pull.Claim}
	case *actorspb.Envelope_Shared:
		return share.Shared{Number: b.Shared.Number, Run: b.Shared.Run, Known: b.Shared.Known, From: b.Shared.From, Cost: time.Duration(b.Shared.CostNs)}
	case *actorspb.Envelope_Began:
		return caller.Began{Epoch: b.Began.Epoch, Seq: b.Began.Seq, Nonce: b.Began.Nonce, Dispatched: b.Began.Dispatched, Started: fromMicros(b.Began.StartedUs)}
	case *actorspb.Envelope_Outcomes:
		m := &caller.Outcomes{Outcomes: make([]caller.Outcome, len(b.Outcomes.Outcomes))}
		for i, pb := range b.Outcomes.Outcomes {
			m.Outcomes[i] = caller.Outcome{Epoch: pb.Epoch, Outcome: backlog.Outcome{
				Seq: pb.Seq, Nonce: pb.Nonce, Turn: pb.Turn, Dispatched: pb.Dispatched, Started: fromMicros(pb.StartedUs),
				CPU: time.Duration(pb.CpuNs), Data: pb.Data, Failure: pb.Failure,
			}}
		}
		return m
	}
	return nil
}

func turnToPB(t *turn) *actorspb.Turn {
	return &actorspb.Turn{
		Caller: t.caller, Epoch: t.epoch, Seq: t.id.Seq, Turn: t.turn, Number: t.number, Payload: t.payload,
		PredictNs: t.predict, Dispatched: t.dispatched, Nonce: t.id.Nonce, CallerNumber: t.id.Caller,
		Suspect: t.suspect, Mourned: t.mourned,
	}
}

func turnFromPB(pb *actorspb.Turn) *turn {
	return &turn{
		id: fairfactor.ID{Nonce: pb.Nonce, Caller: pb.CallerNumber, Seq: pb.Seq}, caller: pb.Caller, epoch: pb.Epoch, turn: pb.Turn,
		number: pb.Number, payload: pb.Payload, predict: pb.PredictNs, dispatched: pb.Dispatched,
		suspect: pb.Suspect, mourned: pb.Mourned,
	}
}

// turnsFromPB are turns as the scheduler sees them.
func turnsFromPB(pbs []*actorspb.Turn) []dispatch.Turn {
	turns := make([]dispatch.Turn, len(pbs))
	for i, pb := range pbs {
		turns[i] = turnFromPB(pb).offered()
		turns[i].Waits = pb.WaitsUs
	}
	return turns
}

// offered is the turn as the scheduler sees it.
func (t *turn) offered() dispatch.Turn {
	return dispatch.Turn{
		Key:   dispatch.Key{Caller: t.caller, Epoch: t.epoch, Seq: t.id.Seq, Turn: t.turn},
		Nonce: t.id.Nonce, Predict: time.Duration(t.predict), Suspect: t.suspect, Mourned: t.mourned, Dispatched: t.dispatched, Body: t,
	}
}

func problemOf(err error) *actorspb.Problem {
	if err == nil {
		return nil
	}
	p := &actorspb.Problem{Code: string(fairfactor.CodeOf(err)), Message: fairfactor.MessageOf(err), Moved: errors.Is(err, caller.ErrMoved)}
	if e, ok := err.(*fairfactor.Error); ok {
		p.RetryNs, p.Quota = int64(e.Retry), quotaToPB(e.Quota)
	}
	return p
}

func errorOf(p *actorspb.Problem) error {
	if p == nil {
		return nil
	}
	if p.Moved {
		return caller.ErrMoved
	}
	return &fairfactor.Error{Code: fairfactor.Code(p.Code), Message: p.Message, Retry: time.Duration(p.RetryNs), Quota: quotaFromPB(p.Quota)}
}

func idToPB(id fairfactor.ID) *actorspb.Id {
	return &actorspb.Id{Nonce: id.Nonce, Caller: id.Caller, Seq: id.Seq}
}

func idFromPB(id *actorspb.Id) fairfactor.ID {
	return fairfactor.ID{Nonce: id.GetNonce(), Caller: id.GetCaller(), Seq: id.GetSeq()}
}

func factorsToPB(fs []fairfactor.Factor) []*actorspb.Factor {
	out := make([]*actorspb.Factor, len(fs))
	for i, f := range fs {
		out[i] = &actorspb.Factor{Prime: f.Prime, Exponent: int32(f.Exponent), Probable: f.Probable, Proof: uint32(f.Proof)}
	}
	return out
}

func factorsFromPB(fs []*actorspb.Factor) []fairfactor.Factor {
	if len(fs) == 0 {
		return nil
	}
	out := make([]fairfactor.Factor, len(fs))
	for i, f := range fs {
		out[i] = fairfactor.Factor{Prime: f.Prime, Exponent: int(f.Exponent), Probable: f.Probable, Proof: fairfactor.Proof(f.Proof)}
	}
	return out
}

func jobsToPB(js []fairfactor.Job) []*actorspb.Job {
	out := make([]*actorspb.Job, len(js))
	for i := range js {
		out[i] = jobToPB(&js[i])
	}
	return out
}

func jobsFromPB(pbs []*actorspb.Job) []fairfactor.Job {
	out := make([]fairfactor.Job, len(pbs))
	for i, pb := range pbs {
		out[i] = jobFromPB(pb)
	}
	return out
}

func curvesToPB(curves []fairfactor.Curves) (out []*actorspb.Curves) {
	for _, c := range curves {
		out = append(out, &actorspb.Curves{B1: c.B1, Count: c.Count})
	}
	return out
}

func curvesFromPB(pbs []*actorspb.Curves) (out []fairfactor.Curves) {
	for _, pb := range pbs {
		out = append(out, fairfactor.Curves{B1: pb.B1, Count: pb.Count})
	}
	return out
}

func jobToPB(j *fairfactor.Job) *actorspb.Job {
	pb := &actorspb.Job{
		Id: idToPB(j.ID), Caller: j.Caller, Number: j.Number, Key: j.Key, Order: j.Order, State: uint32(j.State),
		Factors: factorsToPB(j.Factors), SubmittedUs: micros(j.Submitted), StartedUs: micros(j.Started), FinishedUs: micros(j.Finished),
		Attempts: int32(j.Attempts), Turn: j.Turn, CpuNs: int64(j.CPU), Turns: j.Turns, Reason: j.Reason, Known: j.Known, DeadlineUs: micros(j.Deadline), Callback: urlOf(j.Callback), Trace: traceBytes(j.Trace),
		Curves: curvesToPB(j.Curves),
	}
	if d := j.Deaths; d != nil {
		pb.Deaths, pb.DeathsCpuNs = d.Processes, int64(d.CPU)
	}
	if p := j.Progress; p != nil {
		pb.Progress = &actorspb.Progress{Phase: p.Phase, Percent: p.Percent, LeftNs: int64(p.Left), Limited: p.Limited, Found: factorsToPB(p.Found), Remaining: p.Remaining, Memory: p.Memory}
	}
	return pb
}

func jobFromPB(pb *actorspb.Job) fairfactor.Job {
	j := fairfactor.Job{
		ID: idFromPB(pb.Id), Caller: pb.Caller, Number: pb.Number, Key: pb.Key, Order: pb.Order, State: fairfactor.State(pb.State),
		Factors: factorsFromPB(pb.Factors), Submitted: fromMicros(pb.SubmittedUs), Started: fromMicros(pb.StartedUs), Finished: fromMicros(pb.FinishedUs),
		Attempts: int(pb.Attempts), Turn: pb.Turn, CPU: time.Duration(pb.CpuNs), Turns: pb.Turns, Reason: pb.Reason, Known: pb.Known, Deadline: fromMicros(pb.DeadlineUs), Callback: callbackOf(pb.Callback), Trace: traceOf(pb.Trace),
		Curves: curvesFromPB(pb.Curves),
	}
	if len(pb.Deaths) > 0 {
		j.Deaths = &fairfactor.Deaths{Processes: pb.Deaths, CPU: time.Duration(pb.DeathsCpuNs)}
	}
	if p := pb.Progress; p != nil {
		j.Progress = &fairfactor.Progress{Phase: p.Phase, Percent: p.Percent, Left: time.Duration(p.LeftNs), Limited: p.Limited, Found: factorsFromPB(p.Found), Remaining: p.Remaining, Memory: p.Memory}
	}
	return j
}

// report is the scheduler's account of its promise.
func report(r dispatch.Report) fairfactor.Fairness {
	return fairfactor.Fairness{
		Quantum: r.Quantum, Bound: r.Bound, Lag: r.Lag, MaxLag: r.MaxLag, Jain: r.Jain, Violations: r.Violations,
		Active: r.Active, Dormant: r.Dormant, Waiting: r.Waiting, Open: r.Open, HandedOut: r.Dispatched, Epoch: r.Epoch,
		Between: fairfactor.FairnessLevel(r.Between), Inside: fairfactor.FairnessLevel(r.Inside),
		Jobs: r.Jobs, Work: r.Work, Oldest: fromMicros(r.Oldest),
	}
}

func fairnessToPB(f fairfactor.Fairness) proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Fairness{Fairness: &actorspb.Fairness{
		QuantumNs: int64(f.Quantum), BoundNs: int64(f.Bound), LagNs: int64(f.Lag), MaxLagNs: int64(f.MaxLag),
		Jain: f.Jain, Violations: f.Violations, Active: int64(f.Active), Waiting: int64(f.Waiting), Open: int64(f.Open),
		HandedOut: f.HandedOut, Epoch: f.Epoch, Dormant: int64(f.Dormant), Between: levelToPB(f.Between), Inside: levelToPB(f.Inside),
		Jobs: f.Jobs, WorkNs: int64(f.Work), OldestUs: micros(f.Oldest),
	}}}
}

func levelToPB(l fairfactor.FairnessLevel) *actorspb.Level {
	return &actorspb.Level{InLine: int64(l.InLine), BoundNs: int64(l.Bound), LagNs: int64(l.Lag), MaxLagNs: int64(l.MaxLag), Violations: l.Violations}
}

func levelFromPB(pb *actorspb.Level) fairfactor.FairnessLevel {
	return fairfactor.FairnessLevel{
		InLine: int(pb.GetInLine()), Bound: time.Duration(pb.GetBoundNs()), Lag: time.Duration(pb.GetLagNs()),
		MaxLag: time.Duration(pb.GetMaxLagNs()), Violations: pb.GetViolations(),
	}
}

func fairnessFromPB(pb *actorspb.Fairness) fairfactor.Fairness {
	return fairfactor.Fairness{
		Quantum: time.Duration(pb.QuantumNs), Bound: time.Duration(pb.BoundNs), Lag: time.Duration(pb.LagNs), MaxLag: time.Duration(pb.MaxLagNs),
		Jain: pb.Jain, Violations: pb.Violations, Active: int(pb.Active), Waiting: int(pb.Waiting), Open: int(pb.Open),
		HandedOut: pb.HandedOut, Epoch: pb.Epoch, Dormant: int(pb.Dormant), Between: levelFromPB(pb.Between), Inside: levelFromPB(pb.Inside),
		Jobs: pb.Jobs, Work: time.Duration(pb.WorkNs), Oldest: fromMicros(pb.OldestUs),
	}
}

// urlOf is the URL of a callback, empty for none. What is said of jobs between nodes has
// no deliveries: those are in the store.
func urlOf(c *fairfactor.Callback) string {
	if c == nil {
		return ""
	}
	return c.URL
}

// traceLength is the length of a trace as it is sent.
const traceLength = 16 + 8 + 1

// traceBytes is a trace as it is sent, nil for none.
func traceBytes(t *fairfactor.Trace) []byte {
	if t == nil {
		return nil
	}
	return append(append(append(make([]byte, 0, traceLength), t.ID[:]...), t.Parent[:]...), t.Flags)
}

// traceOf reads what traceBytes made.
func traceOf(b []byte) *fairfactor.Trace {
	if len(b) != traceLength {
		return nil
	}
	return &fairfactor.Trace{ID: [16]byte(b), Parent: [8]byte(b[16:]), Flags: b[24]}
}

// callbackOf is the callback with that URL, nil if it is empty.
func callbackOf(url string) *fairfactor.Callback {
	if url == "" {
		return nil
	}
	return &fairfactor.Callback{URL: url}
}
