// Package caller owns the jobs of one caller: it accepts them, offers their turns
// to the scheduler, takes in what workers found, and makes every step durable.
//
// A [Caller] is the actor without the actor system. Messages and results come in
// as method calls, from one goroutine at a time; what it needs of the world stands
// in [Host]. All that is under way is data: steps on their way to the store in one
// queue ([Caller.Pending] prints it), reads as [Read] values that come back with
// their results.
//
// # Work need not wait for the disk
//
// A job is offered when it arrives, while its acceptance is on its way to the
// store. If it ends before a group took its acceptance, both are written as one
// record. Nothing is said of a job before the step in question is durable: the
// receipt waits for the acceptance, those who ask for its end for the end. A job
// whose acceptance is refused is forgotten, with whatever was found for it.
//
// # Epochs
//
// An activation claims an epoch of its caller in the store before it does anything
// else. As soon as a step is refused because a newer activation exists, it stops
// and answers all that wait with [ErrMoved]: what they asked for left no trace.
//
// Start reading at [Caller.Submit] and [Caller.Written].
package caller
