package rules

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"fairfactor"
)

// Callers are found by how much they have through classes of size, because an index of
// the exact amount would be written with every job. Class c, from 1, is for amounts from
// 4<<c to below 16<<c, and class 0 for those below 16, which are in no index. Classes
// overlap: an amount that leaves one moves to that in whose middle it is, so it changes by
// at least 2<<c before it moves again.

// Class returns the class of an amount that was in class now before.
func Class(now uint8, n uint64) uint8 {
	if n >= 16<<now || now > 0 && n < 4<<now {
		return uint8(max(bits.Len64(n/6)-1, 0))
	}
	return now
}

// ClassEnd is above all amounts in a class.
func ClassEnd(class uint8) uint64 { return 16 << class }

// MaxCandidates is how many callers are looked at for the foremost ones: those in the
// highest classes. If those have few jobs, [fairfactor.MaxRanked] of all that have
// unfinished jobs are looked at too.
const MaxCandidates = 8192

// CPUAmount is what CPU counts for its class: milliseconds.
func CPUAmount(cpu time.Duration) uint64 { return uint64(max(cpu, 0) / time.Millisecond) }

// Ranks reports whether a caller has a place in an order: in others it is for its name.
func Ranks(order fairfactor.CallerOrder, c *fairfactor.Caller) bool {
	switch order {
	case fairfactor.ByQueued:
		return c.Queued > 0
	case fairfactor.ByCPU:
		return Class(0, CPUAmount(c.CPU)) > 0
	}
	return false
}

// CheckRanking refuses an order in which a store does not have its callers.
func CheckRanking(order fairfactor.CallerOrder) error {
	if order != fairfactor.ByQueued && order != fairfactor.ByCPU {
		return fairfactor.Errorf(fairfactor.Invalid, "a store does not know which callers come first in the order %d", order)
	}
	return nil
}

// Rank sorts callers by the amounts that the store has, the most first, and then by name,
// and returns the first ones.
func Rank(callers []fairfactor.Caller, order fairfactor.CallerOrder, limit int) []fairfactor.Caller {
	slices.SortFunc(callers, func(a, b fairfactor.Caller) int {
		return cmp.Or(cmp.Compare(order.Value(&b), order.Value(&a)), cmp.Compare(a.Name, b.Name))
	})
	return callers[:min(len(callers), max(limit, 0))]
}
