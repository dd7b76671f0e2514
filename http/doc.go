// Package http offers a node's [fairfactor.Jobs] to the network and is that
// interface's client on the other side. It is imported as httpd.
//
// The server knows nothing of actors, clusters or stores: it reads what a
// client sent, strictly, asks Jobs, and writes what came of it. It owns its
// connections and their limits, and no other state. Every refusal is a problem
// document (RFC 9457); the tables in problem.go and routes.go are the contract
// in code.
//
// Start reading at [Server], then routes.go. A submission's way is compute.go:
// caller, media type, body, number, Submit, answer.
package http
