package http_test

import (
	"bufio"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// settled is what is in use when what earlier tests have left behind is gone: their
// connections linger for a while.
func settled(t *testing.T) uint64 {
	t.Helper()
	client.CloseIdleConnections()
	last, same, since := inUse(), 0, time.Now()
	eventually(t, "the memory in use stays as it is", func() bool {
		now := inUse() // each look takes as long as a collection, half a second where much else runs
		if same++; now < last-last/100 {
			same, since = 0, time.Now()
		}
		last = now
		time.Sleep(20 * time.Millisecond)
		return same >= 3 && time.Since(since) > 400*time.Millisecond
	})
	return last
}

func TestIdleConnectionsAreCheap(t *testing.T) {
	s := start(t)
	s.submit("7")
	const n = 2000
	const most = 12 << 10 // both ends of a connection, and what the runtime keeps for it
	before := settled(t)
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
	if each > most {
		t.Errorf("%d bytes for each idle connection, want at most %d", each, most)
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
