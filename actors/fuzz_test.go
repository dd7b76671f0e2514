package actors

import (
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors/actorspb"
	"fairfactor/actors/caller"
	"fairfactor/actors/share"
	"fairfactor/cluster"
)

// FuzzMessage: nothing that another node sends makes reading it panic, and what is read
// is sent on as it was.
func FuzzMessage(f *testing.F) {
	at := time.UnixMicro(1_900_000_000_000_000).UTC()
	id := fairfactor.ID{Nonce: 7, Caller: 3, Seq: 9}
	job := fairfactor.Job{
		ID: id, Caller: "a", Number: "35", Key: "k", State: fairfactor.Completed, Submitted: at, Finished: at,
		Factors: []fairfactor.Factor{{Prime: "5", Exponent: 1}}, Progress: &fairfactor.Progress{Phase: "sieve", Percent: 3},
	}
	for _, m := range []any{
		&submit{caller.Submit{Group: "g", Submissions: []caller.Submission{{Number: "35", Key: "k", Deadline: at, Known: &fairfactor.Known{Number: "35", Complete: true, Factors: job.Factors}}}}},
		&submit{caller.Submit{Submissions: []caller.Submission{{Number: "35", Known: &fairfactor.Known{Number: "35", Deadly: &fairfactor.Deadly{
			Number: "35", Deaths: fairfactor.Deaths{Processes: []string{"n1", "n2"}, CPU: 3}, Job: id, Caller: "b", Since: at, Used: at,
		}}}}}},
		toCaller{caller.Look{Seq: 2}},
		toCaller{caller.Await{ID: id, Deadline: at}},
		toCaller{caller.Cancel{ID: id}},
		toCaller{caller.Retry{ID: id}},
		toCaller{caller.Expire{ID: id}},
		toCaller{&caller.Many{IDs: []fairfactor.ID{id}, Orders: []uint64{1 << 40}, Since: at}},
		toCaller{caller.Pull{Epoch: 3, Want: 7}},
		toCaller{share.Shared{Number: "35", Run: true}},
		toCaller{caller.Began{Epoch: 1, Seq: 2, Started: at}},
		withdraw{"a", 3, 7},
		&ended{member: "n1", ends: []end{{7, 1000}}}, &beat{member: "n1", slots: 2, epoch: 5},
		askReport{},
		weighGroup{"g", 3},
		&run{epoch: 2, turns: []*turn{{id: id, caller: "a", number: "35", payload: []byte("x")}}},
		halt{[]uint64{1, 2}},
		askStatus{},
		askLive{},
		status{workers: []fairfactor.Worker{{Since: at, Caller: "a", Number: "35", Job: id.String()}}},
		live{[]liveCaller{{name: "a", jobs: []fairfactor.Job{job}}}},
		&receipts{[]fairfactor.Receipt{{Job: job}, {Err: fairfactor.Errorf(fairfactor.Limit, "full")}}},
		jobs{[]fairfactor.Job{job}},
		account{Weight: 3, Group: "g"},
		changed{Done: 3},
		failure{caller.ErrMoved},
		fairness{fairfactor.Fairness{Jain: 0.5}},
	} {
		raw, err := proto.Marshal(m.(cluster.Portable).Proto())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		first := &actorspb.Envelope{}
		if proto.Unmarshal(raw, first) != nil {
			return
		}
		m := opened(first)
		if m == nil {
			return
		}
		p, ok := m.(cluster.Portable)
		if !ok {
			t.Fatalf("%T can't be sent on", m)
		}
		again, err := proto.Marshal(p.Proto())
		if err != nil {
			return // not text in UTF-8, which no sender can send
		}
		second := &actorspb.Envelope{}
		if err := proto.Unmarshal(again, second); err != nil {
			t.Fatalf("%T that was read can't be read again: %v", m, err)
		}
		if n := opened(second); reflect.TypeOf(n) != reflect.TypeOf(m) {
			t.Fatalf("%T was sent on as %T", m, n)
		}
		third, err := proto.Marshal(opened(second).(cluster.Portable).Proto())
		if err != nil || !proto.Equal(second, unmarshalled(t, third)) {
			t.Fatalf("%T changes each time that it is sent on: %v, %v", m, second, err)
		}
	})
}

func unmarshalled(t *testing.T, raw []byte) *actorspb.Envelope {
	t.Helper()
	e := &actorspb.Envelope{}
	if err := proto.Unmarshal(raw, e); err != nil {
		t.Fatal(err)
	}
	return e
}
