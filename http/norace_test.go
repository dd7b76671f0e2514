//go:build !race

package http_test

// pollBytes bounds what a waiting client costs on both ends of its connection: some 12 kB,
// two thirds of it stack, and room for what the run before left.
const pollBytes = 14 << 10
