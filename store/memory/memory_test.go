package memory_test

import (
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/memory"
	"fairfactor/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T, string) fairfactor.Store { return memory.New() }, storetest.Forgetful())
}

// A store that goes back has what it had, and gives no epoch again.
func TestGoBack(t *testing.T) {
	s := memory.New()
	accept := func(seq uint64) fairfactor.Claim {
		claim, err := s.ClaimCaller(t.Context(), "alice", "")
		if err != nil {
			t.Fatal(err)
		}
		errs, err := s.Apply(t.Context(), []fairfactor.Change{{
			Op: fairfactor.Accept, Caller: "alice", Number: claim.Number, Epoch: claim.Epoch, Job: &fairfactor.Job{
				ID: fairfactor.ID{Nonce: 7, Caller: claim.Number, Seq: seq}, Caller: "alice", Number: "15", Order: seq, State: fairfactor.Pending,
			},
		}})
		if errs != nil || err != nil {
			t.Fatal(errs, err)
		}
		return claim
	}
	accept(1)
	before := s.Copy()
	lost := accept(2)
	since := s.GoBack(before)
	now, err := s.ClaimCaller(t.Context(), "alice", "")
	if err != nil || now.Last != 1 || now.Epoch <= lost.Epoch || now.Epoch < since {
		t.Errorf("after %+v the claim is %+v, %v; epochs begin at %d", lost, now, err, since)
	}
}

func TestMembers(t *testing.T) {
	storetest.RunMembers(t, func(_ *testing.T, now func() time.Time) fairfactor.MemberTable { return memory.NewMembers(now) })
}

func TestKeys(t *testing.T) {
	storetest.RunKeys(t, func(*testing.T, string) storetest.KeyStore { return memory.NewKeys() }, storetest.Forgetful())
}
