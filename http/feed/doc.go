// Package feed brings what happens to jobs to many subscribers. A [Hub] reads the
// events of the store once for all of them, on one goroutine that does nothing while
// there are no subscribers, makes one text of each event, and puts it into the queues of
// those that want it. It knows nothing of HTTP.
//
// A subscriber that begins at an earlier position reads up to where the hub is by itself
// ([Subscription.CatchUp]), and takes from its queue after that: so it misses nothing and
// gets nothing twice. A queue is bounded; a subscriber that is too slow is closed, and can
// begin again from the last event it has seen.
//
// That a job runs, and how far it is, is not in the store: the hub looks twice a second
// which of the jobs with subscribers run, and says so after their acceptance and
// before their end, because it asks the store between.
//
// Start reading at [Hub.Run].
package feed
