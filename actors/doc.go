// Package actors runs jobs: a caller actor for each active caller, one scheduler
// actor for the cluster, one worker actor for each node.
//
//	caller     buffers its caller's jobs and is the only one to write them
//	           (packages caller and backlog are its machines)
//	scheduler  takes one turn per caller in turn and hands it to a worker
//	           (packages dispatch and fair)
//	worker     runs turns on compute threads and knows nothing else
//
// The actors here are shells: they turn messages into events of their machine,
// and what the machine says into messages, steps and reads. No actor waits for the
// store or for another actor: what it asked for comes back as a message. (At the
// start of a node they wait for it to be connected.) Messages are gathered while an
// actor is busy and handled together: the first of a batch makes the actor send
// itself a flush, which arrives behind all that came meanwhile.
//
// Within a node messages are Go values that are handed over as they are; wire.go
// has what they are between nodes. A message belongs to its receiver. Many of them
// are used again when they have been taken in: see messages.go. A turn
// goes from its caller through the scheduler to a worker and is used again when the
// scheduler has its end, a submission when its answer was read.
//
// An actor exists while it has something in hand: an idle one stops, and the
// scheduler asks callers whose jobs wait in the store when their turn is near. Only
// what is due costs time: see alarms. Lists ask each node for its table of running
// jobs, and activate no actor.
//
// Nothing an actor holds is needed after a crash except what the store has. Any
// message may be lost or arrive twice: callers offer again what had no outcome,
// the scheduler hands out again what a worker does not have, and the first
// outcome of a turn counts. Epochs fence: of the caller in the store and in
// each turn, of the scheduler at the workers.
//
// Start reading at [System], then caller.go and package caller.
package actors
