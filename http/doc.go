// Package http offers a node's [fairfactor.Jobs] to the network, and is a client
// of it on the other side. Importers name it httpd.
//
// The server knows nothing of actors, clusters or stores. It reads a request
// strictly, asks Jobs, and writes the answer. It owns its connections and their
// limits, and no other state. Every refusal is a problem document (RFC 9457); the
// tables in problem.go and routes.go are the contract in code.
//
// A request passes connections.go (parked until its head is there), handle.go
// (Host, Origin, path, key, parameters), its endpoint, gate.go (calls of Jobs in the
// order of their arrival) and response.go. A long poll leaves its worker on the
// way; see poll.go.
//
// Answers that clients don't read cost memory: long ones are made in parts while they
// are sent (pieces.go, lists.go, exchange.go), and what is made and not taken is bounded
// for the whole node (budget.go).
//
// Who may do what is decided in access.go, which each line of routes.go names, and
// by the keys of a [Keyring] or the certificates of clients (tls.go).
//
// Jobs and receipts are written by hand (json.go); all other answers are structs
// that server, client and command line share (answers.go).
//
// Start reading at [Server], then routes.go. A submission is compute.go: caller,
// media type, body, number, Submit, answer.
package http
