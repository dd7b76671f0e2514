package storetest

import (
	"slices"
	"time"
)

// leaseRunsOut: who has renewed all the time judges who has not, and not before
// the lease is over.
func leaseRunsOut(c *council) {
	c.join("a", "b", "c")
	for _, d := range []time.Duration{term / 2, term / 2} {
		c.pass(d)
		c.same("within the lease", c.renew("a"), rollOf(3, "a", "b", "c"))
	}
	c.renew("b")
	c.pass(time.Microsecond)
	c.same("after it", c.renew("a"), rollOf(4, "a", "b"))
	c.gone("c")
	c.same("and not again", c.renew("b"), rollOf(4, "a", "b"))
}

// leasedMembers: those whose lease is over are still members, but not leased.
func leasedMembers(c *council) {
	c.leased("before all")
	c.join("b", "a")
	c.leased("from the start", "a", "b")
	c.pass(term - time.Second)
	c.renew("a")
	c.pass(time.Second)
	c.leased("to the end", "a", "b")
	c.pass(time.Microsecond)
	c.leased("after that", "a")
	c.renew("b")
	c.leased("renewed", "a", "b")
	if err := c.table.Leave(c.Context(), "a"); err != nil {
		c.Fatal(err)
	}
	c.leased("after one has left", "b")
}

func (c *council) leased(what string, ids ...string) {
	c.Helper()
	got, err := c.table.Leased(c.Context())
	if want := rollOf(0, ids...).Members; err != nil || !slices.Equal(got, want) {
		c.Errorf("%s: leased are %+v, %v, want %+v", what, got, err, want)
	}
}

// lateRenewalIsInTime: until it is judged, a member whose lease is over
// may renew it.
func lateRenewalIsInTime(c *council) {
	c.join("a", "b")
	c.pass(term - time.Second)
	c.renew("a")
	c.pass(2 * time.Second)
	c.same("late", c.renew("b"), rollOf(2, "a", "b"))
	c.same("judged afterwards", c.renew("a"), rollOf(2, "a", "b"))
}

// outageRemovesNobody: when the table could not be reached for longer than a
// lease, all stay, and who does not return within one lease is removed.
func outageRemovesNobody(c *council) {
	c.join("a", "b", "c")
	c.pass(10 * term)
	c.same("a returns", c.renew("a"), rollOf(3, "a", "b", "c"))
	c.pass(term / 2)
	c.same("a goes on", c.renew("a"), rollOf(3, "a", "b", "c"))
	c.pass(term / 2)
	c.same("a whole lease later", c.renew("a"), rollOf(3, "a", "b", "c"))
	c.same("b returns at the last moment", c.renew("b"), rollOf(3, "a", "b", "c"))
	c.pass(time.Microsecond)
	c.same("c does not", c.renew("a"), rollOf(4, "a", "b"))
	c.gone("c")
}

// lateMemberDoesNotJudge: of two whose leases ran out, neither judges the other;
// the third, whose lease did not, judges both.
func lateMemberDoesNotJudge(c *council) {
	c.join("a", "b", "c")
	c.pass(term)
	c.renew("a")
	c.pass(2 * time.Second)
	c.same("b comes late, and c has not come", c.renew("b"), rollOf(3, "a", "b", "c"))
	c.same("a was there all the time", c.renew("a"), rollOf(4, "a", "b"))
}

// newMemberJudgesAfterALease: one that joins a table of the dead does not know
// that they are, and gives them a lease.
func newMemberJudgesAfterALease(c *council) {
	c.join("a", "b")
	c.pass(5 * term)
	c.same("c joins", c.join("c"), rollOf(3, "a", "b", "c"))
	c.pass(term)
	c.same("a lease later", c.renew("c"), rollOf(3, "a", "b", "c"))
	c.pass(time.Microsecond)
	c.same("both in one change", c.renew("c"), rollOf(4, "c"))
}

// clockSetBack: leases of a time that was set back do not last until it has come
// again.
func clockSetBack(c *council) {
	c.join("a", "b", "c")
	c.pass(-time.Hour)
	for range 2 {
		c.same("set back", c.renew("a"), rollOf(3, "a", "b", "c"))
		c.same("set back", c.renew("b"), rollOf(3, "a", "b", "c"))
		c.pass(term / 2)
	}
	c.renew("a")
	c.pass(time.Microsecond)
	c.same("c has not come for a lease", c.renew("a"), rollOf(4, "a", "b"))
}
