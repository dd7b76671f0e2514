package postgres_test

import (
	"os"
	"syscall"
	"testing"
)

// mountMemory mounts a file system of a size in memory on a folder until the test ends, or
// skips a test that may not.
func mountMemory(t *testing.T, folder, size string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size+",mode=0777"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { // processes of a server that was killed may still be ending
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
