package actors

import (
	"errors"
	"time"

	"fairfactor"
	"fairfactor/actors/actorspb"
	"fairfactor/actors/backlog"
	"fairfactor/actors/dispatch"
)

// This file maps messages to the domain and to the machines, and back.

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

func problemOf(err error) *actorspb.Problem {
	if err == nil {
		return nil
	}
	p := &actorspb.Problem{Code: string(fairfactor.CodeOf(err)), Message: fairfactor.MessageOf(err), Moved: errors.Is(err, errMoved)}
	if e, ok := err.(*fairfactor.Error); ok {
		p.RetryNs = int64(e.Retry)
	}
	return p
}

func errorOf(p *actorspb.Problem) error {
	if p == nil {
		return nil
	}
	if p.Moved {
		return errMoved
	}
	return &fairfactor.Error{Code: fairfactor.Code(p.Code), Message: p.Message, Retry: time.Duration(p.RetryNs)}
}

func problemEnvelope(err error) *actorspb.Envelope {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Problem{Problem: problemOf(err)}}
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
		out[i] = &actorspb.Factor{Prime: f.Prime, Exponent: int32(f.Exponent), Probable: f.Probable}
	}
	return out
}

func factorsFromPB(fs []*actorspb.Factor) []fairfactor.Factor {
	if len(fs) == 0 {
		return nil
	}
	out := make([]fairfactor.Factor, len(fs))
	for i, f := range fs {
		out[i] = fairfactor.Factor{Prime: f.Prime, Exponent: int(f.Exponent), Probable: f.Probable}
	}
	return out
}

func jobToPB(j *fairfactor.Job) *actorspb.Job {
	pb := &actorspb.Job{
		Id: idToPB(j.ID), Caller: j.Caller, Number: j.Number, Key: j.Key, Order: j.Order, State: uint32(j.State),
		Factors: factorsToPB(j.Factors), SubmittedUs: micros(j.Submitted), StartedUs: micros(j.Started), FinishedUs: micros(j.Finished),
		Attempts: int32(j.Attempts), Turn: j.Turn, CpuNs: int64(j.CPU), Turns: j.Turns, Reason: j.Reason,
	}
	if p := j.Progress; p != nil {
		pb.Progress = &actorspb.Progress{Phase: p.Phase, Percent: p.Percent, LeftNs: int64(p.Left), Found: factorsToPB(p.Found), Remaining: p.Remaining}
	}
	return pb
}

func jobFromPB(pb *actorspb.Job) fairfactor.Job {
	j := fairfactor.Job{
		ID: idFromPB(pb.Id), Caller: pb.Caller, Number: pb.Number, Key: pb.Key, Order: pb.Order, State: fairfactor.State(pb.State),
		Factors: factorsFromPB(pb.Factors), Submitted: fromMicros(pb.SubmittedUs), Started: fromMicros(pb.StartedUs), Finished: fromMicros(pb.FinishedUs),
		Attempts: int(pb.Attempts), Turn: pb.Turn, CPU: time.Duration(pb.CpuNs), Turns: pb.Turns, Reason: pb.Reason,
	}
	if p := pb.Progress; p != nil {
		j.Progress = &fairfactor.Progress{Phase: p.Phase, Percent: p.Percent, Left: time.Duration(p.LeftNs), Found: factorsFromPB(p.Found), Remaining: p.Remaining}
	}
	return j
}

func jobStateEnvelope(jobs ...fairfactor.Job) *actorspb.Envelope {
	state := &actorspb.JobState{}
	for i := range jobs {
		state.Jobs = append(state.Jobs, jobToPB(&jobs[i]))
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_JobState{JobState: state}}
}

// turnsToPB gives a caller's turns the address of their outcome.
func turnsToPB(caller string, epoch uint64, turns []backlog.Turn) []*actorspb.Turn {
	out, block := make([]*actorspb.Turn, len(turns)), make([]actorspb.Turn, len(turns))
	for i := range turns {
		t := &turns[i]
		pb := &block[i]
		pb.Caller, pb.Epoch, pb.Seq, pb.Turn = caller, epoch, t.ID.Seq, t.Turn
		pb.Nonce, pb.CallerNumber = t.ID.Nonce, t.ID.Caller
		pb.Number, pb.Payload, pb.PredictNs = t.Number, t.Payload, int64(t.Predict)
		out[i] = pb
	}
	return out
}

func outcomeFromPB(pb *actorspb.Outcome) backlog.Outcome {
	return backlog.Outcome{
		Seq: pb.Seq, Turn: pb.Turn, Place: pb.Place, Started: fromMicros(pb.StartedUs),
		CPU: time.Duration(pb.CpuNs), Data: pb.Data, Failure: pb.Failure,
	}
}

// dispatchTurns keeps each message as the body of its turn.
func dispatchTurns(pbs []*actorspb.Turn, withBody bool) []dispatch.Turn {
	turns := make([]dispatch.Turn, len(pbs))
	for i, pb := range pbs {
		turns[i] = dispatch.Turn{
			Key:     dispatch.Key{Caller: pb.Caller, Epoch: pb.Epoch, Seq: pb.Seq, Turn: pb.Turn},
			Predict: time.Duration(pb.PredictNs), Dispatched: pb.Place,
		}
		if withBody {
			turns[i].Body = pb
		}
	}
	return turns
}

func runToPB(epoch uint64, turns []dispatch.Turn) *actorspb.Envelope {
	run := &actorspb.Run{Epoch: epoch, Turns: make([]*actorspb.Turn, len(turns))}
	for i, t := range turns {
		pb := t.Body.(*actorspb.Turn)
		if pb.Place != 0 { // handed out before: the earlier message may still be read
			again := &actorspb.Turn{
				Caller: pb.Caller, Epoch: pb.Epoch, Seq: pb.Seq, Turn: pb.Turn, Number: pb.Number, Payload: pb.Payload,
				PredictNs: pb.PredictNs, Nonce: pb.Nonce, CallerNumber: pb.CallerNumber,
			}
			pb = again
		}
		pb.Place = t.Dispatched
		run.Turns[i] = pb
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_Run{Run: run}}
}

func reportToPB(r dispatch.Report) *actorspb.Envelope {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Fairness{Fairness: &actorspb.Fairness{
		QuantumNs: int64(r.Quantum), BoundNs: int64(r.Bound), LagNs: int64(r.Lag), MaxLagNs: int64(r.MaxLag),
		Jain: r.Jain, Violations: r.Violations, Active: int64(r.Active), Waiting: int64(r.Waiting), Open: int64(r.Open),
		HandedOut: r.Dispatched, Epoch: r.Epoch,
	}}}
}

func fairnessFromPB(pb *actorspb.Fairness) fairfactor.Fairness {
	return fairfactor.Fairness{
		Quantum: time.Duration(pb.QuantumNs), Bound: time.Duration(pb.BoundNs), Lag: time.Duration(pb.LagNs), MaxLag: time.Duration(pb.MaxLagNs),
		Jain: pb.Jain, Violations: pb.Violations, Active: int(pb.Active), Waiting: int(pb.Waiting), Open: int(pb.Open),
		HandedOut: pb.HandedOut, Epoch: pb.Epoch,
	}
}
