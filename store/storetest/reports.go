package storetest

import (
	"fmt"

	"fairfactor"
)

// majorityRemovesAtOnce: with n members it takes more than half of the other
// n-1, and not one report more.
func majorityRemovesAtOnce(c *council) {
	version := uint64(0)
	for n := 2; n <= 9; n++ {
		var ids []string
		for i := range n {
			ids = append(ids, fmt.Sprintf("%d-of-%d", i, n))
		}
		version = c.join(ids...).Version
		suspect, others := ids[n-1], ids[:n-1]
		needed := (n-1)/2 + 1
		for i, id := range others[:needed] {
			roll := c.renew(id, suspect)
			if i < needed-1 {
				c.same(fmt.Sprintf("%d of %d others report it", i+1, n-1), roll, rollOf(version, ids...))
				c.same("it renews all the same", c.renew(suspect), rollOf(version, ids...))
				continue
			}
			c.same(fmt.Sprintf("%d of %d others report it", i+1, n-1), roll, rollOf(version+1, others...))
		}
		c.gone(suspect)
		for _, id := range others {
			if err := c.table.Leave(c.Context(), id); err != nil {
				c.Fatal(err)
			}
		}
	}
}

func minorityRemovesNobody(c *council) {
	ids := []string{"a", "b", "c", "d", "e"}
	c.join(ids...)
	for range 20 {
		c.pass(term / 3)
		for _, id := range ids {
			dead := []string{"e"}
			if id != "a" && id != "b" {
				dead = nil
			}
			c.same("two of four report e", c.renew(id, dead...), rollOf(5, ids...))
		}
	}
}

// reportsAreReplaced: what counts is what a member said last.
func reportsAreReplaced(c *council) {
	ids := []string{"a", "b", "c", "d"}
	c.join(ids...)
	c.renew("a", "d")
	c.renew("a")
	c.same("a took it back", c.renew("b", "d"), rollOf(4, ids...))
	c.same("a said it twice", c.renew("b", "d", "d"), rollOf(4, ids...))
	c.same("a says it again", c.renew("a", "d"), rollOf(5, "a", "b", "c"))
}

// removedMembersHaveNoVote: what a member reported goes with it, and what was
// reported of one that is no member yet was never said.
func removedMembersHaveNoVote(c *council) {
	ids := []string{"a", "b", "c", "d", "e"}
	c.join(ids...)
	c.renew("a", "e")
	c.renew("b", "e", "f")
	for _, id := range []string{"a", "b"} {
		if err := c.table.Leave(c.Context(), id); err != nil {
			c.Fatal(err)
		}
	}
	c.same("c alone of two others", c.renew("c", "e"), rollOf(7, "c", "d", "e"))
	c.join("f", "g")
	c.same("c and d of four others", c.renew("d", "f"), rollOf(9, "c", "d", "e", "f", "g"))
	c.same("c and d of four others", c.renew("c", "f"), rollOf(9, "c", "d", "e", "f", "g"))
	c.same("c, d and g of four others", c.renew("g", "f", "a", "b", "stranger"), rollOf(10, "c", "d", "e", "g"))
}

func nobodyVotesForItself(c *council) {
	c.join("a", "b", "c")
	c.renew("a", "a")
	c.same("b and itself", c.renew("b", "a"), rollOf(3, "a", "b", "c"))
	c.same("alone with itself", c.renew("a", "a"), rollOf(3, "a", "b", "c"))
}

// oneOfTwo: when two lose each other, the one that says so first stays.
func oneOfTwo(c *council) {
	c.join("a", "b")
	c.same("b is first", c.renew("b", "a"), rollOf(3, "b"))
	if roll, err := c.table.Renew(c.Context(), "a", []string{"b"}, term); fairfactor.CodeOf(err) != fairfactor.Conflict {
		c.Errorf("a is second: got %+v, %v, want conflict", roll, err)
	}
	c.same("b stays", c.renew("b", "a"), rollOf(3, "b"))
}

// accusersStay: all report all others. One after the other they go, and the last
// that speaks is never one of them.
func accusersStay(c *council) {
	c.join("a", "b", "c")
	c.same("a", c.renew("a", "b", "c"), rollOf(3, "a", "b", "c"))
	c.same("b", c.renew("b", "a", "c"), rollOf(4, "a", "b"))
	c.same("a again", c.renew("a", "b", "c"), rollOf(5, "a"))
	c.gone("b")
}
