// Package postgres is the [fairfactor.Store] that many nodes share, in a
// PostgreSQL of version 14 or newer, and the table of their members. It keeps
// nothing in memory that another node could make wrong; a transaction locks the
// rows that it builds on.
//
// # Tables
//
// All are in the schema fairfactor; migrations/ has them with their indexes. Times
// are in microseconds, and what never was is the first second of the year 1.
//
//	callers    account of a caller: number, epoch, group, highest order, weight, tallies
//	idle       accounts that may have no jobs, and account_counts: see accounts.go
//	groups     groups of callers whose weight is not 1
//	queue      unfinished jobs with their checkpoints, by caller and order
//	pieces     parts of those checkpoints
//	jobs       finished jobs, by caller and sequence number
//	ended      which jobs ended in a group of changes, by the time of the first
//	events     what each group of changes did to jobs, see events.go
//	keys       job that was submitted last with an idempotency key
//	scheduler  epoch of the scheduler
//	writers    last group of each lane that writes, see below
//	operations operations on many jobs, and those that were done lately
//	members    nodes of the cluster with their leases, and those that were, for 30 days
//	roll       version of the list of members
//	api_keys   API keys, and in api_keys_version their version
//	schema     version of the tables
//
// A job is a row of queue while it is unfinished and moves to jobs when it ends;
// one that ended before it was accepted goes to jobs at once. So what is looked
// through to activate a caller stays small, however many jobs have ended, and a
// finished job is written twice at most, not with all its indexes over and over. A
// job's id carries its caller and sequence number, so it is found by the primary
// keys.
//
// # Groups
//
// [Store.Apply] writes a group of changes in one transaction. Mostly that is one
// trip: it is assumed that the epochs are the newest and that jobs which end wait,
// see staging, and the statements make sure of it; what is sent in one trip takes
// place as a whole or not at all. If it does not suit, or if a change needs to know
// what is stored, a transaction of two trips follows: the first locks the callers'
// rows, in the order of their numbers, and reads how matters stand; the second
// writes. So two nodes that take one caller for theirs can't both write. A deadlock
// or a serialization failure is tried again. Two groups can be under way at once,
// each on a lane of its own.
//
// A commit that is not answered may have taken place, or may take place yet. Each
// group moves the number in its lane's row in writers on by one, from the number
// before. To find out what became of it, the row is locked; if the number is not
// there, another one is put in, and the group fails if it comes after all. Apply
// returns only when it knows, also if that is when the server is back.
//
// synchronous_commit is on, whatever the database says.
//
// # A database that went back
//
// A failover to a standby that lagged, or a backup, takes back what was
// acknowledged. The rows of writers show it, on the first new connection: activations
// that were claimed before are answered with [fairfactor.ErrWentBack] from then on.
// An epoch is the time in milliseconds, so one that was lost is not given again.
//
// # Clocks
//
// Leases, and how long jobs and keys are kept, are by the clock of the database.
//
// # Several nodes
//
// There is no LISTEN, and an advisory lock only while the tables are brought up to
// date at the start. [Store.Expire] skips what another node is deleting.
//
// Start reading at [Store.Apply], then staging.change; [Open] for the connections.
package postgres
