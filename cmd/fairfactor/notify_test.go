package main

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

// TestServiceManagerIsTold starts a node as systemd does with Type=notify: it says that
// it is ready when it can be used, and that it stops before it is gone.
func TestServiceManagerIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	hear := func(want string) {
		t.Helper()
		if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 100)
		if n, err := manager.Read(buffer); err != nil || string(buffer[:n]) != want {
			t.Fatalf("the node said %q, %v; want %q", buffer[:n], err, want)
		}
	}
	t.Setenv("NOTIFY_SOCKET", path)
	p := serve(t, t.TempDir())
	hear("READY=1")
	p.wait(p.submit("a", "91").ID)
	if status := p.terminate(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	hear("STOPPING=1")
}
