package actors

import (
	"sync"

	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors/actorspb"
	"fairfactor/actors/caller"
	"fairfactor/actors/dispatch"
)

// Messages between actors. Those of one node hand each other these values as they
// are; between nodes they are the bodies of an [actorspb.Envelope], see wire.go.

// Messages to a caller: those that package caller knows.
type (
	submit   struct{ caller.Submit }
	outcomes struct{ caller.Outcomes }
	toCaller struct{ message any } // any of the others
)

// turn is a turn on its way from its caller through the scheduler to a worker. The
// hand-out sets its place; nothing else changes.
type turn struct {
	id         fairfactor.ID
	caller     string
	epoch      uint64 // of the caller's activation
	turn       uint64 // within the job
	number     string
	payload    []byte // nil for the first turn, which follows from the number
	predict    int64  // nanoseconds
	suspect    bool   // see [dispatch.Turn], as mourned
	mourned    string
	dispatched uint64 // in the global dispatch order
}

// Messages to the scheduler. askReport and weighGroup are answered with
// fairfactor.Fairness.
type (
	offer    struct{ dispatch.Offer } // the body of each turn is a *turn
	withdraw struct {
		caller string
		seq    uint64
		epoch  uint64 // of the activation that withdraws
	}
	// ended gives back credit; ends are in the order in which turns ended.
	ended struct {
		member string
		ends   []end
	}
	// beat tells that a worker lives, and all that it has in hand; no slots: it
	// drains.
	beat struct {
		member string
		slots  int
		open   []dispatch.Turn
		epoch  uint64 // the highest of a scheduler that the worker has heard of
	}
	askReport  struct{}
	weighGroup struct {
		group  string
		weight int
	}
)

// Messages that their receivers have taken in, and turns that have left all hands, are
// used again by who makes new ones: they are most of what a job would leave to the
// garbage collector.
var (
	spareOutcomes = sync.Pool{New: func() any { return new(outcomes) }}
	spareOffers   = sync.Pool{New: func() any { return new(offer) }}
	spareRuns     = sync.Pool{New: func() any { return new(run) }}
	spareEnded    = sync.Pool{New: func() any { return new(ended) }}
	spareTurns    = sync.Pool{New: func() any { return new(turn) }}
)

func (m *outcomes) free() {
	clear(m.Outcomes.Outcomes)
	m.Outcomes.Outcomes = m.Outcomes.Outcomes[:0]
	spareOutcomes.Put(m)
}

func (m *offer) free() {
	clear(m.Turns)
	m.Offer = dispatch.Offer{Turns: m.Turns[:0]}
	spareOffers.Put(m)
}

func (m *run) free() {
	clear(m.turns)
	m.turns = m.turns[:0]
	spareRuns.Put(m)
}

func (m *ended) free() {
	m.ends = m.ends[:0]
	spareEnded.Put(m)
}

// end says that a turn is no longer in a worker's hands.
type end struct {
	dispatched uint64
	cpu        int64 // nanoseconds
}

// Messages to a worker. askStatus is answered with status, askLive with live.
type (
	run struct {
		epoch uint64 // of the scheduler
		turns []*turn
	}
	halt      struct{ dispatched []uint64 }
	askStatus struct{}
	askLive   struct{}
)

// status tells what each compute thread does.
type status struct {
	workers []fairfactor.Worker
	counts  fairfactor.NodeCounts
}

// live tells which jobs the callers of a node have begun and not ended.
type live struct{ callers []liveCaller }

// failure is an error as an answer.
type failure struct{ err error }

// answers of a caller, see package caller.
type (
	receipts caller.Receipts
	jobs     caller.Jobs
	account  caller.Account
	changed  caller.Changed
	leftWork caller.LeftWork
)

// Proto implements cluster.Portable, as the methods of this name that follow.
func (m *submit) Proto() proto.Message   { return callerMessageToPB(&m.Submit) }
func (m *outcomes) Proto() proto.Message { return callerMessageToPB(&m.Outcomes) }
func (m toCaller) Proto() proto.Message  { return callerMessageToPB(m.message) }

func (m *offer) Proto() proto.Message {
	o := &actorspb.Offer{
		Caller: m.Caller, Group: m.Group, Home: m.Home, Epoch: m.Epoch, Weight: int32(m.Weight), More: m.More, Again: m.Again, ChargeNs: int64(m.Charge), Known: int64(m.Known),
		Jobs: m.Jobs, WorkNs: int64(m.Work), OldestUs: m.Oldest, Turns: make([]*actorspb.Turn, len(m.Turns)),
	}
	for i := range m.Turns {
		o.Turns[i] = turnToPB(m.Turns[i].Body.(*turn))
		o.Turns[i].WaitsUs = m.Turns[i].Waits
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_Offer{Offer: o}}
}

func (m withdraw) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Withdraw{Withdraw: &actorspb.Withdraw{Caller: m.caller, Seq: m.seq, Epoch: m.epoch}}}
}

func (m *ended) Proto() proto.Message {
	e := &actorspb.Ended{Member: m.member, Ends: make([]*actorspb.End, len(m.ends))}
	for i, end := range m.ends {
		e.Ends[i] = &actorspb.End{Dispatched: end.dispatched, CpuNs: end.cpu}
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_Ended{Ended: e}}
}

func (m *beat) Proto() proto.Message {
	b := &actorspb.Beat{Member: m.member, Slots: int32(m.slots), Epoch: m.epoch, Open: make([]*actorspb.Turn, len(m.open))}
	for i := range m.open {
		t := &m.open[i]
		b.Open[i] = &actorspb.Turn{Caller: t.Caller, Epoch: t.Epoch, Seq: t.Seq, Turn: t.Turn, PredictNs: int64(t.Predict), Dispatched: t.Dispatched, Nonce: t.Nonce, Suspect: t.Suspect, Mourned: t.Mourned}
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_Beat{Beat: b}}
}

func (askReport) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Report{Report: &actorspb.Report{}}}
}

func (m weighGroup) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_WeighGroup{WeighGroup: &actorspb.WeighGroup{Group: m.group, Weight: int32(m.weight)}}}
}

func (m *run) Proto() proto.Message {
	r := &actorspb.Run{Epoch: m.epoch, Turns: make([]*actorspb.Turn, len(m.turns))}
	for i, t := range m.turns {
		r.Turns[i] = turnToPB(t)
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_Run{Run: r}}
}

func (m halt) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Halt{Halt: &actorspb.Halt{Dispatched: m.dispatched}}}
}

func (askStatus) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Status{Status: &actorspb.Status{}}}
}

func (askLive) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Live{Live: &actorspb.Live{}}}
}

func (m status) Proto() proto.Message {
	c := &m.counts
	s := &actorspb.StatusState{Accepted: c.Accepted, Completed: c.Completed, Failed: c.Failed, Cancelled: c.Cancelled, Turns: c.Turns, CpuNs: int64(c.CPU)}
	for _, w := range m.workers {
		slot := &actorspb.Slot{SinceUs: micros(w.Since)}
		if id, err := fairfactor.ParseID(w.Job); err == nil {
			slot.Turn = &actorspb.Turn{Caller: w.Caller, Number: w.Number, Nonce: id.Nonce, CallerNumber: id.Caller, Seq: id.Seq}
		}
		s.Slots = append(s.Slots, slot)
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_StatusState{StatusState: s}}
}

func (m live) Proto() proto.Message {
	s := &actorspb.LiveState{}
	for i := range m.callers {
		c := &m.callers[i]
		s.Callers = append(s.Callers, &actorspb.LiveCaller{Name: c.name, Jobs: jobsToPB(c.jobs), CpuNs: int64(c.cpu), Turns: c.turns})
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_LiveState{LiveState: s}}
}

func (m failure) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Problem{Problem: problemOf(m.err)}}
}

func (m *receipts) Proto() proto.Message {
	out := &actorspb.Receipts{Receipts: make([]*actorspb.Receipt, len(m.Receipts))}
	for i := range m.Receipts {
		r := &m.Receipts[i]
		pb := &actorspb.Receipt{Replay: r.Replay, Problem: problemOf(r.Err)}
		if r.Err == nil {
			pb.Job = jobToPB(&r.Job)
		}
		out.Receipts[i] = pb
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_Receipts{Receipts: out}}
}

func (m jobs) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_JobState{JobState: &actorspb.JobState{Jobs: jobsToPB(m.Jobs)}}}
}

func (m account) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_AccountState{AccountState: &actorspb.AccountState{
		Weight: int32(m.Weight), Group: m.Group, Running: m.Running, CpuNs: int64(m.CPU), Turns: m.Turns,
	}}}
}

func (m changed) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Changed{Changed: &actorspb.Changed{Done: m.Done, Skipped: m.Skipped}}}
}

func (m leftWork) Proto() proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_LeftWork{LeftWork: &actorspb.LeftWork{Found: m.Found, Given: factorsToPB(m.Given), Data: m.Data}}}
}

// fairness is the scheduler's report as an answer.
type fairness struct{ fairfactor.Fairness }

func (m fairness) Proto() proto.Message { return fairnessToPB(m.Fairness) }
