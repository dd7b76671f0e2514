package postgres_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
	"fairfactor/store/storetest"
)

func TestMembers(t *testing.T) {
	storetest.RunMembers(t, func(t *testing.T, now func() time.Time) fairfactor.MemberTable {
		s := open(t, pgtest.Database(t))
		t.Cleanup(func() { s.Close() })
		return s.MembersAt(now)
	})
}

// TestLeaseByTheServersClock: a lease lasts by the time of the database, and runs
// out by it.
func TestLeaseByTheServersClock(t *testing.T) {
	s := open(t, pgtest.Database(t))
	defer s.Close()
	table := s.Members()
	for _, id := range []string{"a", "b"} {
		if _, err := table.Join(t.Context(), fairfactor.Member{ID: id, Address: id}, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	for {
		roll, err := table.Renew(t.Context(), "a", nil, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(roll.Members) == 1 {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("after a minute: %+v", roll)
		}
	}
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("a lease of 1s ran out after %v", took)
	}
}

// TestFormerMembersAreForgotten: an id is refused for 30 days after its node has
// left, and its row is not kept for ever.
func TestFormerMembersAreForgotten(t *testing.T) {
	s := open(t, pgtest.Database(t))
	defer s.Close()
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	table := s.MembersAt(func() time.Time { return now })
	join := func(id string) error {
		_, err := table.Join(t.Context(), fairfactor.Member{ID: id, Address: id}, time.Minute)
		return err
	}
	if err := join("old"); err != nil {
		t.Fatal(err)
	}
	if err := table.Leave(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		id   string
		wait time.Duration
		want fairfactor.Code
	}{
		{"young", 30 * 24 * time.Hour, ""},
		{"old", 0, fairfactor.Conflict},
		{"younger", time.Second, ""},
		{"old", 0, ""},
	} {
		now = now.Add(tt.wait)
		if err := join(tt.id); fairfactor.CodeOf(err) != tt.want {
			t.Errorf("%s: %v", tt.id, err)
		}
	}
}

// TestManyMembersRenewQuickly: in a large cluster nearly all renewals write one row and read
// no other. They answer as the others do, and leave to these what they must not decide.
func TestManyMembersRenewQuickly(t *testing.T) {
	const members, lease = 100, time.Minute
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	other := open(t, url)
	defer other.Close()
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	clock := func() time.Time { return now }
	table, second := s.MembersAt(clock), other.MembersAt(clock)
	ids := make([]string, members)
	var list fairfactor.MemberList
	for i := range ids {
		ids[i] = fmt.Sprintf("node-%04d", i)
		var err error
		if list, err = table.Join(t.Context(), fairfactor.Member{ID: ids[i], Name: "n", Address: ids[i], Gossip: "g"}, lease); err != nil {
			t.Fatal(err)
		}
	}
	renew := func(id string, dead ...string) fairfactor.MemberList {
		t.Helper()
		got, err := table.Renew(t.Context(), id, dead, lease)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	quick := func(id string) (got fairfactor.MemberList, ok bool) {
		t.Helper()
		for range 100 { // it may be its turn to judge
			var err error
			if got, ok, err = table.Quick(t.Context(), id, nil, lease); err != nil {
				t.Fatal(err)
			} else if ok {
				return got, true
			}
		}
		return got, false
	}
	now = now.Add(lease / 2)
	if got := renew(ids[0]); !reflect.DeepEqual(got, list) {
		t.Errorf("%d members at version %d, want %d at %d", len(got.Members), got.Version, len(list.Members), list.Version)
	}
	if got, ok := quick(ids[1]); !ok || !reflect.DeepEqual(got, list) {
		t.Errorf("a quick renewal: %v, %d members at version %d", ok, len(got.Members), got.Version)
	}
	if got := count(t, url, "SELECT extract(epoch FROM until)::bigint FROM fairfactor.members WHERE id = 'node-0001'"); got != int(now.Add(lease).Unix()) {
		t.Errorf("the lease lasts until %d, want %d", got, now.Add(lease).Unix())
	}

	// Another node takes one out: a quick renewal tells so.
	last := ids[members-1]
	if err := second.Leave(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, ok := quick(ids[1]); !ok || got.Version != list.Version+1 || len(got.Members) != members-1 {
			t.Errorf("after one has left: %v, %d members at version %d", ok, len(got.Members), got.Version)
		}
	}

	// These are left to who judges.
	if _, ok := quick(last); ok {
		t.Error("one that has left renews")
	}
	if _, err := table.Renew(t.Context(), last, nil, lease); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("one that has left renews: %v", err)
	}
	renew(ids[2], ids[3])
	if _, ok := quick(ids[2]); ok {
		t.Error("a report is not taken back")
	}
	renew(ids[2])
	if _, ok := quick(ids[2]); !ok {
		t.Error("no quick renewal after a report was taken back")
	}
	now = now.Add(lease/2 + time.Second)
	if _, ok := quick(ids[4]); ok {
		t.Error("a lease that ran out is renewed as if it had not")
	}
	got := renew(ids[1])
	for tries := 0; len(got.Members) == members-1 && tries < 1000; tries++ { // until it is its turn
		got = renew(ids[1])
	}
	if len(got.Members) != 3 { // the leases of all but the first three have run out
		t.Errorf("%d members are left, want 3", len(got.Members))
	}
}

// TestRemovedNodeClaimsNoCaller: a node that the others have removed takes no caller from
// them, known or new, and leaves the epochs as they are.
func TestRemovedNodeClaimsNoCaller(t *testing.T) {
	url := pgtest.Database(t)
	removed, other := open(t, url), open(t, url)
	defer removed.Close()
	defer other.Close()
	for id, s := range map[string]*postgres.Store{"a": removed, "b": other} {
		if _, err := s.Members().Join(t.Context(), fairfactor.Member{ID: id, Address: id}, time.Hour); err != nil {
			t.Fatal(err)
		}
		s.ClaimFor(id)
	}
	first, err := removed.ClaimCaller(t.Context(), "alice", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Members().Leave(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "bob"} {
		if c, err := removed.ClaimCaller(t.Context(), name, ""); fairfactor.CodeOf(err) != fairfactor.Unavailable || c.Number != 0 {
			t.Errorf("a removed node claims %s: %+v, %v", name, c, err)
		}
	}
	second, err := other.ClaimCaller(t.Context(), "alice", "")
	if err != nil || second.Number != first.Number || second.Epoch <= first.Epoch {
		t.Errorf("%+v, %v after %+v", second, err, first)
	}
}
