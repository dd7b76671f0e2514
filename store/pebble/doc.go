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
//	c<name>           account of a caller: number, epoch, weight, tallies, group
//	n<caller>         name of a caller
//	b<order><class><caller>  caller that has much: see ranks.go; the class inverted
//	I<time><caller>   idle account, and since when it is: see idle.go
//	q<caller><order>  unfinished job, as it was when it entered the queue
//	p<caller><order>  the same job at its last checkpoint, and the checkpoint
//	o<caller><order><number>  a piece of that checkpoint
//	j<caller><seq>    finished job
//	r<caller><seq>    order of an unfinished job that was queued again
//	k<caller><key>    job that was submitted with an idempotency key
//	t<group>          roll of the jobs that a group of changes accepted, and when they were submitted
//	u<group>          how many of them are unfinished, if any
//	d<group>          is there if one of them has completed
//	x<state><group><caller><seq>  job of that group that failed or was cancelled; quarantined
//	                              ones have a second key, in a state of their own
//	y<caller><state><seq>         the same job among its caller's
//	h<hash><group><caller><seq>   job of that group whose number has that hash, of 5 bytes
//	f<time><group>    roll of the jobs that a group finished; the earliest time
//	e<group>          journal: what a group did to jobs, and how many entries there ever were
//	g<name>           weight of a group of callers, if it is not 1
//	a<id>             API key
//	zr<hash>          what is known of a number
//	zu<worth><time><hash>  the same number in the order of usefulness, least first
//	zc                how many numbers are known
//	X<hash>           number that is deadly: a job for it was quarantined
//	W<caller><seq>    delivery to the callback of a job that has ended
//	H<host>0<time><caller><seq>  when the next attempt of a delivery to that host is due
//	D<time><caller><seq>  nonce of an unfinished job with that deadline
//	w<done><id>       operation on many jobs, in JSON
//	m                 last group of changes, highest dispatch number
//	l                 how far back the clock of submissions ever went, see times.go
//	A                 how many accounts there are
//	N                 highest number of an account that was forgotten, zero for none
//	L                 lines of the journal, see lines.go
//	i                 first group that is not indexed yet, see reindex.go
//	s                 epoch of the scheduler
//	u                 version of the API keys
//	v                 version of this layout
//
// A job's id carries its caller and sequence number, so finding it takes no
// index; the nonce is compared with the record. A q key is written once and
// removed once and its order is never used again, which lets Pebble cancel
// write against removal (SingleDelete) before either reaches the disk's lower
// levels. A job that ended before its acceptance was durable has a j key only.
//
// Which callers have unfinished jobs is in memory, a bit for each; see
// backlogged.go.
//
// # Groups
//
// [Store.Apply] writes a group of changes as one batch under Store.mu, which
// also guards the accounts held in memory, and waits for the disk after it let
// go of the mutex; so the next group is prepared while this one is synced.
// Batches reach the log in the order of the mutex, hence a group that was built
// on another is never durable without it. Readers never take the mutex. They
// see a group a moment before its sync, and wait for it before they say anything
// of a job that a crash could take back: that it was accepted, that it ended, that
// it was queued again. So no answer is ever taken back. What only the caller's own
// activation asks for, its backlog and its pieces, is shown at once: the changes
// that it makes of a job come after the job in the log.
//
// # Claims
//
// A claim writes nothing. It raises the epoch of the account in memory; the epoch,
// and the account and number of a caller that is new, reach the disk with the first
// change that takes effect. Only this process gives epochs out and no activation
// outlives it, so an epoch has to be known for as long as the process lives: an
// account that leaves the memory takes an unwritten epoch to the store. A caller
// without a change is forgotten instead, and its number is not given again before
// the next start, so what still carries the number is fenced. See claim.go.
//
// # Memory
//
// [Options.Memory] is divided among the block cache, the memtables, which Pebble
// reserves inside it, and what is remembered of callers and jobs; see memory.go.
// Without cgo all of it is on the Go heap: the code that sets the pace of the
// collector asks [Store.Held].
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
