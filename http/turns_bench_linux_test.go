package http_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fairfactor"
)

// grouped is Jobs that does one thing after the other, as a store does: it takes
// what waits as a group, works for a while for each submission of it, and answers
// them all.
type grouped struct {
	fairfactor.Jobs
	calls chan *groupedCall
}

type groupedCall struct {
	caller string
	subs   []fairfactor.Submission
	answer chan []fairfactor.Receipt
}

// groupedWork is what a submission costs, about what it costs a node.
const groupedWork = 20 * time.Microsecond

func newGrouped() *grouped {
	j := &grouped{calls: make(chan *groupedCall, 1<<16)}
	go func() {
		answers := newAtOnce()
		for call := range j.calls {
			group := []*groupedCall{call}
			for n := len(j.calls); n > 0; n-- {
				group = append(group, <-j.calls)
			}
			for begun := time.Now(); time.Since(begun) < time.Duration(len(group))*groupedWork; {
			}
			for _, call := range group {
				receipts, _ := answers.Submit(context.Background(), call.caller, call.subs, nil) // never fails
				call.answer <- receipts
			}
		}
	}()
	return j
}

func (j *grouped) Submit(_ context.Context, caller string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	call := &groupedCall{caller, subs, make(chan []fairfactor.Receipt, 1)}
	j.calls <- call
	return append(into, <-call.answer...), nil
}

// BenchmarkTurns measures how equally 10,000 connections are served that each send
// their next submission when the last one is answered. The client is one thread
// that takes what is there in the system's order: a client of 10,000 goroutines
// would measure its own scheduler. With the gate, and without.
func BenchmarkTurns(b *testing.B) {
	for _, kind := range []string{"turns", "ungated"} {
		b.Run(kind, func(b *testing.B) {
			addr, stop := startBench(b, kind)
			defer stop()
			c := openMany(b, addr, 10_000)
			defer c.close()
			b.ResetTimer()
			took, others := c.drive(b, max(b.N, len(c.conns)))
			b.StopTimer()
			mean, p99, most := summary(took)
			b.ReportMetric(mean/1e6, "mean-ms")
			b.ReportMetric(most/1e6, "max-ms")
			b.ReportMetric(p99/mean, "p99/mean")
			mean, p99, most = summary(others)
			b.ReportMetric(p99/mean, "others-p99/mean")
			b.ReportMetric(most/mean, "others-max/mean")
		})
	}
}

func summary(values []float64) (mean, p99, most float64) {
	slices.Sort(values)
	for _, v := range values {
		mean += v / float64(len(values))
	}
	return mean, values[len(values)*99/100], values[len(values)-1]
}

// manyConns are connections that one thread serves.
type manyConns struct {
	epoll int
	conns map[int32]*oneConn // by descriptor
}

type oneConn struct {
	fd     int
	sent   time.Time
	before int // answers until then
	in     []byte
}

func openMany(b *testing.B, addr string, n int) *manyConns {
	b.Helper()
	to, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		b.Fatal(err)
	}
	target := &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		b.Fatal(err)
	}
	c := &manyConns{epoll: epoll, conns: map[int32]*oneConn{}}
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		c.conns[int32(fd)] = &oneConn{fd: fd}
		if err = unix.Connect(fd, target); err == nil {
			err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return c
}

func (c *manyConns) close() {
	for _, conn := range c.conns {
		unix.Close(conn.fd)
	}
	unix.Close(c.epoll)
}

// drive sends requests until so many are answered. It returns how many nanoseconds
// each took, and how many others were answered meanwhile, which does not depend on
// what else the machine does.
func (c *manyConns) drive(b *testing.B, total int) (took, others []float64) {
	b.Helper()
	left := total
	send := func(conn *oneConn) {
		if left == 0 {
			return
		}
		left--
		conn.sent, conn.before, conn.in = time.Now(), len(took), conn.in[:0]
		if _, err := unix.Write(conn.fd, []byte(postRequest)); err != nil {
			b.Fatal(err)
		}
	}
	for _, conn := range c.conns {
		send(conn)
	}
	events := make([]unix.EpollEvent, 512)
	buf := make([]byte, 4096)
	for len(took) < total {
		n, err := unix.EpollWait(c.epoll, events, 20_000)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			b.Fatalf("%d of %d answers: %v", len(took), total, err)
		}
		for _, event := range events[:n] {
			conn := c.conns[event.Fd]
			m, err := unix.Read(conn.fd, buf)
			if err != nil || m == 0 {
				b.Fatalf("a connection ended: %v", err)
			}
			if conn.in = append(conn.in, buf[:m]...); !bytes.HasSuffix(conn.in, []byte("}\n")) {
				continue
			}
			if !bytes.HasPrefix(conn.in, []byte("HTTP/1.1 202 ")) {
				b.Fatalf("%.300s", conn.in)
			}
			others = append(others, float64(len(took)-conn.before))
			took = append(took, float64(time.Since(conn.sent)))
			send(conn)
		}
	}
	return took, others
}
