// Package actors runs jobs: a caller actor for each caller, one scheduler actor
// for the cluster, one worker actor for each node.
//
//	caller  buffers its caller's jobs and is the only one to write them
//	        (package backlog is its machine)
//	scheduler  takes one turn per caller in turn and hands it to a worker
//	        (packages dispatch and fair)
//	worker  runs turns on compute threads and knows nothing else
//
// The actors here are shells: they turn messages into events of their machine,
// and what the machine says into messages, commits and reads. No actor ever
// waits for anything: a commit, a page of the backlog, an answer comes back as
// a message. Messages are gathered while an actor is busy and handled together:
// the first of a batch makes the actor send itself a flush, which arrives behind
// all that came meanwhile.
//
// Nothing an actor holds is needed after a crash except what the store has. Any
// message may be lost or arrive twice: callers offer again what had no outcome,
// the scheduler hands out again what a worker does not have, and the first
// outcome of a turn counts. Epochs fence: of the caller in the store and in
// each turn, of the scheduler at the workers.
//
// Start reading at [System], then caller.go.
package actors
