package fleet

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestProxy sends through a proxy that is open, cut, healed and closed.
func TestProxy(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(c, c) }()
		}
	}()
	p, err := newProxy("127.0.0.1", echo.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send := func(what string) {
		t.Helper()
		if _, err := c.Write([]byte(what)); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
	send("open")
	receive("open")
	p.Cut()
	p.Cut() // once is enough
	send("held")
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("a cut proxy let %d bytes through, %v", n, err)
	}
	p.Heal()
	receive("held")
	p.Slow(50 * time.Millisecond)
	start := time.Now()
	send("slow")
	receive("slow")
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("a slow proxy took %v", took)
	}
	p.Cut()
	p.close() // a cut one too
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a closed proxy is open")
	}
}
