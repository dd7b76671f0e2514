//go:build race

package http_test

// pollBytes bounds what a waiting client costs on both ends of its connection. The
// race detector makes stacks larger.
const pollBytes = 24 << 10
