package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
)

// RunMembers checks every law of a [fairfactor.MemberTable]. open returns a table
// that is empty and takes its time from now.
func RunMembers(t *testing.T, open func(t *testing.T, now func() time.Time) fairfactor.MemberTable) {
	for _, l := range []struct {
		name  string
		check func(*council)
	}{
		{"JoinRenewLeave", joinRenewLeave},
		{"IDIsUsedOnce", idIsUsedOnce},
		{"RefusedRequestsChangeNothing", refusedRequestsChangeNothing},
		{"SameAddressReplaces", sameAddressReplaces},
		{"MajorityRemovesAtOnce", majorityRemovesAtOnce},
		{"MinorityRemovesNobody", minorityRemovesNobody},
		{"ReportsAreReplaced", reportsAreReplaced},
		{"RemovedMembersHaveNoVote", removedMembersHaveNoVote},
		{"NobodyVotesForItself", nobodyVotesForItself},
		{"OneOfTwo", oneOfTwo},
		{"AccusersStay", accusersStay},
		{"LeaseRunsOut", leaseRunsOut},
		{"Leased", leasedMembers},
		{"LateRenewalIsInTime", lateRenewalIsInTime},
		{"OutageRemovesNobody", outageRemovesNobody},
		{"LateMemberDoesNotJudge", lateMemberDoesNotJudge},
		{"NewMemberJudgesAfterALease", newMemberJudgesAfterALease},
		{"ClockSetBack", clockSetBack},
		{"ManyMembers", manyMembers},
		{"MembersEndedContext", membersEndedContext},
		{"MembersLikeTheModel", membersLikeTheModel},
	} {
		t.Run(l.name, func(t *testing.T) {
			c := &council{T: t, now: time.Date(2031, 5, 6, 7, 8, 9, 123456000, time.UTC)}
			c.table = open(t, func() time.Time {
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.now
			})
			l.check(c)
		})
	}
}

// term is the lease that members ask for.
const term = 9 * time.Second

// council is a table with a clock and helpers that fail the test.
type council struct {
	*testing.T
	table fairfactor.MemberTable

	mu  sync.Mutex // guards now
	now time.Time
}

// pass lets time pass.
func (c *council) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// node returns the member with an id: its address is its own.
func node(id string) fairfactor.Member {
	return fairfactor.Member{ID: id, Name: "node " + id, Address: id + ":1", Gossip: id + ":2"}
}

// rollOf returns the members with these ids at a version.
func rollOf(version uint64, ids ...string) fairfactor.MemberList {
	r := fairfactor.MemberList{Version: version}
	for _, id := range ids {
		r.Members = append(r.Members, node(id))
	}
	return r
}

func (c *council) same(what string, got, want fairfactor.MemberList) {
	c.Helper()
	if !reflect.DeepEqual(got, want) {
		c.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// join enters nodes, each with its own address.
func (c *council) join(ids ...string) (roll fairfactor.MemberList) {
	c.Helper()
	for _, id := range ids {
		var err error
		if roll, err = c.table.Join(c.Context(), node(id), term); err != nil {
			c.Fatalf("%s joins: %v", id, err)
		}
	}
	return roll
}

// renew renews the lease of a member that reports others dead.
func (c *council) renew(id string, dead ...string) fairfactor.MemberList {
	c.Helper()
	roll, err := c.table.Renew(c.Context(), id, dead, term)
	if err != nil {
		c.Fatalf("%s renews: %v", id, err)
	}
	return roll
}

// gone says that a node is no member any more and learns it when it renews.
func (c *council) gone(id string) {
	c.Helper()
	if roll, err := c.table.Renew(c.Context(), id, nil, term); fairfactor.CodeOf(err) != fairfactor.Conflict {
		c.Errorf("%s renews: got %+v, %v, want conflict", id, roll, err)
	}
}

func joinRenewLeave(c *council) {
	c.same("b alone", c.join("b"), rollOf(1, "b"))
	c.same("a joins", c.join("a"), rollOf(2, "a", "b"))
	c.same("c joins", c.join("c"), rollOf(3, "a", "b", "c"))
	for range 3 {
		c.pass(term / 3)
		for _, id := range []string{"a", "b", "c"} {
			c.same(id+" renews", c.renew(id), rollOf(3, "a", "b", "c"))
		}
	}
	for range 2 { // the second time it is gone already
		if err := c.table.Leave(c.Context(), "b"); err != nil {
			c.Errorf("b leaves: %v", err)
		}
		c.same("b left", c.renew("a"), rollOf(4, "a", "c"))
	}
	if err := c.table.Leave(c.Context(), "stranger"); err != nil {
		c.Errorf("a stranger leaves: %v", err)
	}
	c.gone("b")
	c.gone("stranger")
	for _, id := range []string{"a", "c"} {
		if err := c.table.Leave(c.Context(), id); err != nil {
			c.Errorf("%s leaves: %v", id, err)
		}
	}
	c.same("a new start", c.join("d"), rollOf(7, "d"))
}

func idIsUsedOnce(c *council) {
	c.join("a", "b", "c")
	if err := c.table.Leave(c.Context(), "b"); err != nil {
		c.Fatal(err)
	}
	c.renew("a", "c") // c and a are each other's only other member
	for _, id := range []string{"a", "b", "c"} {
		for _, m := range []fairfactor.Member{node(id), {ID: id, Name: "new", Address: "elsewhere:1", Gossip: "elsewhere:2"}} {
			if roll, err := c.table.Join(c.Context(), m, term); fairfactor.CodeOf(err) != fairfactor.Conflict {
				c.Errorf("%s joins again: got %+v, %v, want conflict", id, roll, err)
			}
		}
	}
	c.same("afterwards", c.renew("a"), rollOf(5, "a"))
}

func refusedRequestsChangeNothing(c *council) {
	c.join("a", "b")
	for _, m := range []fairfactor.Member{
		{},
		{ID: "c"},
		{Address: "c:1"},
		{ID: "c", Address: "c:1", Name: strings.Repeat("x", 257)},
		{ID: strings.Repeat("c", 257), Address: "c:1"},
		{ID: "c\x00", Address: "c:1"},
		{ID: "c", Address: "c:1", Gossip: "\xff"},
	} {
		if roll, err := c.table.Join(c.Context(), m, term); fairfactor.CodeOf(err) != fairfactor.Invalid {
			c.Errorf("%+v joins: got %+v, %v, want invalid", m, roll, err)
		}
	}
	for _, lease := range []time.Duration{0, -1} {
		if _, err := c.table.Join(c.Context(), node("c"), lease); fairfactor.CodeOf(err) != fairfactor.Invalid {
			c.Errorf("join with lease %s: %v, want invalid", lease, err)
		}
		if _, err := c.table.Renew(c.Context(), "a", []string{"b"}, lease); fairfactor.CodeOf(err) != fairfactor.Invalid {
			c.Errorf("renewal with lease %s: %v, want invalid", lease, err)
		}
	}
	c.same("afterwards", c.renew("a"), rollOf(2, "a", "b"))
	c.same("c was never used", c.join("c"), rollOf(3, "a", "b", "c"))
}

func sameAddressReplaces(c *council) {
	c.join("a", "b")
	again := fairfactor.Member{ID: "c", Name: "b again", Address: "b:1", Gossip: "other:2"}
	roll, err := c.table.Join(c.Context(), again, term)
	if err != nil {
		c.Fatal(err)
	}
	c.same("in one change", roll, fairfactor.MemberList{Version: 3, Members: []fairfactor.Member{node("a"), again}})
	c.gone("b")
	gossip := fairfactor.Member{ID: "d", Name: "d", Address: "d:1", Gossip: "a:2"} // the address of gossip is no reason
	if roll, err = c.table.Join(c.Context(), gossip, term); err != nil || len(roll.Members) != 3 {
		c.Errorf("got %+v, %v", roll, err)
	}
}

// manyMembers: members that come, renew and go all at once see versions that
// tell the same story.
func manyMembers(c *council) {
	const n = 16
	rolls := make(chan fairfactor.MemberList, 10*n)
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			id := fmt.Sprintf("node-%02d", i)
			roll, err := c.table.Join(c.Context(), node(id), term)
			for range 5 {
				if err != nil || !slices.ContainsFunc(roll.Members, func(m fairfactor.Member) bool { return m.ID == id }) {
					c.Errorf("%s: got %+v, %v", id, roll, err)
					return
				}
				rolls <- roll
				roll, err = c.table.Renew(c.Context(), id, nil, term)
			}
			if i%2 == 1 {
				if err := c.table.Leave(c.Context(), id); err != nil {
					c.Errorf("%s leaves: %v", id, err)
				}
			}
		})
	}
	done.Wait()
	close(rolls)
	seen := map[uint64]fairfactor.MemberList{}
	for roll := range rolls {
		if other, ok := seen[roll.Version]; ok {
			c.same(fmt.Sprintf("version %d", roll.Version), roll, other)
		}
		seen[roll.Version] = roll
	}
	last := c.renew("node-00")
	if last.Version != n+n/2 || len(last.Members) != n/2 {
		c.Errorf("in the end version %d with %d members, want %d with %d", last.Version, len(last.Members), n+n/2, n/2)
	}
}

func membersEndedContext(c *council) {
	c.join("a")
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	if _, err := c.table.Join(ctx, node("b"), term); err == nil {
		c.Error("joined with an ended context")
	}
	if _, err := c.table.Renew(ctx, "a", nil, term); err == nil {
		c.Error("renewed with an ended context")
	}
	if _, err := c.table.Leased(ctx); err == nil {
		c.Error("read with an ended context")
	}
	if err := c.table.Leave(ctx, "a"); err == nil {
		c.Error("left with an ended context")
	}
	c.same("afterwards", c.renew("a"), rollOf(1, "a"))
}
