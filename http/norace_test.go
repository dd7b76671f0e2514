//go:build !race

package http_test

// What a client may cost on both ends of its connection, in bytes: one that says nothing
// some 7.6 kB, one that waits for its job 13.4 kB (two thirds of it stack), one that listens
// 9 kB.
const (
	idleBytes       = 10 << 10
	pollBytes       = 16 << 10
	subscriberBytes = 12 << 10
)
