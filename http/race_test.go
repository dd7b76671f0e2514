//go:build race

package http_test

// What a client may cost on both ends of its connection, in bytes. The race detector makes
// stacks and objects larger by half.
const (
	idleBytes       = 16 << 10
	pollBytes       = 20 << 10
	subscriberBytes = 20 << 10
)
