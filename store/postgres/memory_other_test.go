//go:build !linux

package postgres_test

import "testing"

func mountMemory(t *testing.T, _, _ string) {
	t.Helper()
	t.Skip("mounting a file system in memory needs Linux")
}
