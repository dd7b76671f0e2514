// Package fair decides whose turn it is.
//
// A [Ring] holds the callers that have work, on two levels: it shares turns
// among groups, and inside a group among the group's callers. A caller without a
// group competes with the groups. Both levels follow the same rule.
//
// Each member of a level has a start tag: the CPU it was charged so far, divided
// by its weight. Turns go round robin among the members whose start tag is within
// the ring's slack of the smallest one, as many turns to each in a round as its
// weight says. A member that is further ahead is passed over until the others
// have caught up. A turn costs what it uses, but at least one quantum. So members
// with similar turns go strictly round robin although their turns jitter, and so
// do all members whose turns cost less than a quantum. A turn that took long is
// paid back.
//
// This is start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair
// Queueing", SIGCOMM 1996, nested as in its hierarchical link sharing) for several
// servers (Jin, Chase, Kaur: "Interposed Proportional Sharing for a Storage
// Service Utility", SIGMETRICS 2004), with round robin among members that are
// about level. docs/fairness.md derives the bound.
//
// A backlogged caller is in one of four states. It is ready while the scheduler
// has turns of it; blocked while its next one waits for room, and others go by;
// dormant while only the store has them; owed while an offer that was asked for is
// on its way. All four keep their start tag and their place in the round robin.
//
// The package is pure: no I/O, clock, goroutine or lock. Its owner is the
// scheduler machine in package dispatch. Start reading at [Ring].
package fair
