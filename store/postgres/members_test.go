package postgres_test

import (
	"testing"
	"time"

	"fairfactor"
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
