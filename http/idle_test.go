package http_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// alone runs the test in a process of its own, and is true there: how much memory is in
// use tells of one test only if no other runs, and none has taught the runtime how large
// the stack of a new goroutine should be.
func alone(t *testing.T) bool {
	t.Helper()
	const here = "HTTP_TEST_ALONE"
	if os.Getenv(here) != "" {
		return true
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.timeout=5m", "-test.v")
	c.Env = append(os.Environ(), here+"=1")
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestIdleConnectionsAreCheap(t *testing.T) {
	if !alone(t) {
		return
	}
	s := start(t)
	s.submit("7")
	const n = 2000
	before := inUse()
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = dial(t, s.addr)
		if i%2 == 0 {
			continue // this one has never said a thing
		}
		roundTrip(t, conns[i])
	}
	eventually(t, "all connections are parked", func() bool { return s.metric(`fairfactor_http_connections{state="idle"}`) >= n })
	each := (int64(inUse()) - int64(before)) / n
	t.Logf("%d bytes for each idle connection, both ends", each)
	if each > idleBytes {
		t.Errorf("%d bytes for each idle connection, want at most %d", each, idleBytes)
	}
	for _, i := range []int{0, 1, n - 1} {
		roundTrip(t, conns[i]) // they still work
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// roundTrip submits a number over a connection.
func roundTrip(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.WriteString(conn, postRequest); err != nil {
		t.Fatal(err)
	}
	if err := readAnswer(bufio.NewReaderSize(conn, 512)); err != nil {
		t.Fatal(err)
	}
}
