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
//	callers    account of a caller: number, epoch, highest order, weight, tallies
//	queue      unfinished jobs with their checkpoints, by caller and order
//	pieces     parts of those checkpoints
//	jobs       finished jobs, by caller and sequence number
//	keys       job that was submitted last with an idempotency key
//	scheduler  epoch of the scheduler
//	writers    last group of each lane that writes, see below
//	members    nodes of the cluster with their leases, and those that were, for 30 days
//	roll       version of the list of members
//	schema     version of the tables
//
// A job is a row of queue while it is unfinished and moves to jobs when it ends.
// So what is looked through to activate a caller stays small, however many jobs
// have ended, and a finished job is written twice, not with all its indexes over
// and over. A job's id carries its caller and sequence number, so it is found by
// the primary keys.
//
// # Groups
//
// [Store.Apply] writes a group of changes in one transaction of two trips. The
// first locks the callers' rows, in the order of their numbers, and reads how
// matters stand; what each change does is worked out in between, see staging; the
// second writes one statement for each table, with the rows as arrays, and commits.
// The epochs are checked under the lock, so two nodes that take one caller for
// theirs can't both write. A deadlock or a serialization failure is tried again.
//
// A commit that nobody answers may have taken place. Each transaction locks the
// row of its lane in writers and leaves its number there; whoever gets the lock
// after it can read whether it was committed. Apply returns only when it knows,
// also if that is when the server is back.
//
// synchronous_commit is on, whatever the database says.
//
// # Several nodes
//
// There is no LISTEN, and an advisory lock only while the tables are brought up to
// date at the start. [Store.Expire] skips what another node is deleting.
//
// Start reading at [Store.Apply], then staging.change; [Open] for the connections.
package postgres
