package cluster

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor"
)

// A member in the table that gossip doesn't see is a member all the same. It is
// reported as dead when gossip has lost it, or had the time to find it.
func TestWhoIsReportedDead(t *testing.T) {
	now := time.Unix(1000, 0)
	g := &gossip{wanted: make(chan struct{}, 1)}
	l := newLease(Config{Timing: Timing{}.withDefaults(), Logger: slog.New(slog.DiscardHandler)})
	d := newLeased(l, g, "a", 3*time.Second)
	d.now = func() time.Time { return now }
	table := func(version uint64, ids ...string) {
		r := fairfactor.MemberList{Version: version}
		for _, id := range ids {
			r.Members = append(r.Members, fairfactor.Member{ID: id, Address: id + ":1", Gossip: id + ":2"})
		}
		l.renewed(time.Now(), r)
	}
	poked := func() bool {
		select {
		case <-l.poked:
			return true
		default:
			return false
		}
	}
	step := func(after time.Duration, seen string, wantMembers, wantDead string, wantPoked bool) {
		t.Helper()
		now = now.Add(after)
		var list []Member
		for _, c := range seen {
			list = append(list, Member{ID: string(c)})
		}
		v, err := d.Decide(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		members := ""
		for _, m := range v.Members {
			members += m.ID
			if m.Address != m.ID+":1" {
				t.Errorf("member %s has the address %q", m.ID, m.Address)
			}
		}
		if members != wantMembers || v.Version != l.members().Version {
			t.Errorf("members %s at version %d, want %s at %d", members, v.Version, wantMembers, l.members().Version)
		}
		dead := ""
		for _, id := range l.dead {
			dead += id
		}
		if dead != wantDead {
			t.Errorf("reported %q, want %q", dead, wantDead)
		}
		if p := poked(); p != wantPoked {
			t.Errorf("renewed early: %v, want %v", p, wantPoked)
		}
	}
	table(1, "a", "b", "c")
	step(0, "a", "abc", "", false)
	if !slices.Equal(g.expected, []string{"b:2", "c:2"}) {
		t.Errorf("gossip looks for %v", g.expected)
	}
	step(2*time.Second, "ab", "abc", "", false)
	step(time.Second, "ab", "abc", "c", true)   // not found in time
	step(time.Second, "a", "abc", "bc", true)   // lost
	step(time.Second, "abc", "abc", "", true)   // both are back
	step(time.Second, "abcd", "abc", "", true)  // a node that the table does not have
	step(time.Second, "abcd", "abc", "", false) // asked once is enough
	table(2, "a", "b", "d", "e")
	step(time.Second, "abcd", "abde", "", true) // c has left, gossip doesn't know yet
	step(2999*time.Millisecond, "abd", "abde", "", false)
	step(time.Millisecond, "abd", "abde", "e", true)
	answering := "be"
	d.answers = func(id string) bool { return strings.Contains(answering, id) }
	step(time.Second, "ad", "abde", "", true) // both are slow: they answer
	answering = "b"
	step(time.Second, "ad", "abde", "e", true)
	g.left = map[string]bool{"b": true}
	step(time.Second, "ad", "abde", "be", true) // says that it leaves
	g.left, g.ended = nil, map[string]bool{"b": true}
	step(time.Second, "ad", "abde", "be", false) // its host refuses connections
}

// A lease that is over is over at the first look, whether or not any goroutine of
// the node has run since.
func TestLapsedAtOnce(t *testing.T) {
	l := newLease(Config{Timing: Timing{}.withDefaults(), Logger: slog.New(slog.DiscardHandler)})
	l.renewed(time.Now(), fairfactor.MemberList{})
	if l.lapsed() {
		t.Error("a new lease is over")
	}
	l.renewed(time.Now().Add(-l.timing.Lease), fairfactor.MemberList{})
	if !l.lapsed() || l.left() > 0 {
		t.Errorf("a lease is not over %v after its end", -l.left())
	}
	if l.lift() || !l.lapsed() {
		t.Error("a lease that is over was lifted")
	}
}
