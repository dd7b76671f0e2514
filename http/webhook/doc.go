// Package webhook tells callbacks that jobs have ended: it claims deliveries from the
// store, posts them, and settles what came of them.
//
// It owns no state that must survive: a delivery is in the store from the commit of its
// job's end until it was delivered or given up, and a claim that a node took with it runs
// out. So each delivery is made at least once, and perhaps again.
//
// What it connects to is chosen by the operator, see [Hosts]: the submitters of jobs are
// not trusted with the node's network. Start reading at [Sender.Run].
package webhook
