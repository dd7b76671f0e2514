// Package sim runs nodes in one goroutine, on a simulated network, clock and store,
// to find what goes wrong when everything else does. A seed is a run: the same seed
// gives the same run, step by step.
//
// # What is real
//
// The actors and the service of package actors with all that they are made of: the
// machine of a caller, its backlog, the scheduler with its ring, the worker and its
// queue, the requests that are sent again, the messages between nodes in their form
// on the wire, the group committer, and the factoring engine. They run on
// [actors.Runtime], which is simulated here, as is package cluster: its rules for
// leases, views, hand-over and requests stand in cluster.go, view.go and router.go, on
// the table of members of store/membership. The store is store/memory.
//
// # What goes wrong
//
// Processes are killed and stopped, nodes can't reach each other or the store, the
// store is slow, refuses, takes what the writer never hears of, or loses what it
// acknowledged; messages are late, and in some runs lost, doubled and reordered; clocks
// are set; processors are busy; turns fail. See [FaultKind]. All that is random comes from the seed, and so does
// what clients ask for.
//
// # What must hold
//
// A job ends once, and only the activation that has claimed an epoch writes with it.
// What was accepted is there and what was refused is not; a submission is one job, and
// so is an idempotency key. The answers about a job, one after the other and at once,
// can have happened: model.go says what a job may do, and porcupine looks for an order.
// An operation on all jobs of a caller comes to each that was there, and counts what it
// changed. Who follows events hears of all that happened, once and in order, over
// connections that break. A caller whose account is forgotten again and again, at any
// moment, loses no job that it was told of, and gets no number twice. They hold over
// crashes, in which a node loses all that it did not store. A job that processes died
// with is quarantined after as many as that takes, all of them dead; on one node each
// death is durable before the job runs again. The scheduler keeps its bound. After the
// last fault and the last request all jobs end within a bounded time.
//
// # Does it find anything
//
// testdata/mutants.txt has faults, old ones and some that would be, and make
// sim-mutants puts them back and sees that each is found.
//
// Start reading at [Run], then client.go and check.go.
package sim
