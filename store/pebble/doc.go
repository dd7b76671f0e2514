// Package pebble is the embedded [fairfactor.Store] of a single node, on the
// log-structured store Pebble. It is built around the path that every job
// takes, accepted and finished: one key written for the first, one removed and
// one written for the second, and everything else once for a whole group.
//
// # Keys
//
// Numbers are big-endian: 5 bytes for a caller's number, a sequence number or
// an order, 8 bytes for a group or a time in microseconds. Every value ends in
// a checksum over its key and itself.
//
//	c<name>           account of a caller: number, epoch, weight, tallies
//	n<caller>         name of a caller
//	q<caller><order>  unfinished job, as it was when it entered the queue
//	p<caller><order>  the same job at its last checkpoint, and the checkpoint
//	o<caller><order><number>  a piece of that checkpoint
//	j<caller><seq>    finished job
//	r<caller><seq>    order of an unfinished job that was queued again
//	k<caller><key>    job that was submitted with an idempotency key
//	t<group>          roll of the jobs that a group accepted
//	f<time><group>    roll of the jobs that a group finished; the earliest time
//	m                 last group, highest place in the dispatch order
//	s                 epoch of the scheduler
//	v                 version of this layout
//
// A job's id carries its caller and sequence number, so finding it takes no
// index; the nonce is compared with the record. A q key is written once and
// removed once and its order is never used again, which lets Pebble cancel
// write against removal (SingleDelete) before either reaches the disk's lower
// levels.
//
// # Groups
//
// [Store.Apply] writes a group of changes as one batch under Store.mu, which
// also guards the accounts held in memory, and waits for the disk after it let
// go of the mutex; so the next group is prepared while this one is synced.
// Batches reach the log in the order of the mutex, hence a group that was built
// on another is never durable without it. Readers never take the mutex. They
// may see a change a moment before its sync; only who waits for Apply knows
// that it is durable. A job's final state, which nothing may take back, is shown
// after the sync only: see flights.
//
// A log that can't be written or synced ends the node, see Options.Fatal.
//
// # Damage
//
// What can't be read is reported as internal, never served and never taken for
// something that is not there. The logs and the list of tables are checked at
// the start, see torn.go. One thing can't be told apart: a log that was damaged
// in what was written last, and one that was torn there when the machine
// stopped; both end before it.
//
// Start reading at [Store.Apply], then staging.change.
package pebble
