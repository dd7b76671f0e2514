package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

var connectionsComparison = comparison{
	name:    "connections",
	summary: "answer times over thousands of open connections",
	help: `Opens that many keep-alive connections to a node and keeps all of them open. Each
sends its requests at random moments of the period, a POST or a GET of a job as a
coin falls, and waits for the answer. Every answer should come within 2 s.`,
	prepare: func(f *flag.FlagSet) measurement {
		var c connections
		f.IntVar(&c.n, "n", 10_000, "connections")
		f.IntVar(&c.each, "requests", 4, "requests on each connection")
		f.DurationVar(&c.period, "period", 10*time.Second, "time over which they are sent")
		return c.measure
	},
}

type connections struct {
	n, each int
	period  time.Duration
}

// spareFiles are open files beside the connections.
const spareFiles = 200

// dialers bounds how many connections are opened at once, below what a listener
// queues.
const dialers = 64

// raiseFiles lets this process, and those it starts, open that many files.
func raiseFiles(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < n {
		return fmt.Errorf("%d open files are needed and the hard limit is %d: raise it (ulimit -Hn) or ask for fewer connections", n, limit.Max)
	}
	// Set even if it is high enough: a limit that was set is what the processes
	// started from here get too.
	limit.Cur = max(limit.Cur, n)
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

func (m *connections) measure(ctx context.Context, b *bench) ([]row, error) {
	if err := raiseFiles(uint64(m.n + spareFiles)); err != nil {
		return nil, err
	}
	node, err := b.node(ctx, b.folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.kill()
	c, err := newClient(node.url, 1)
	if err != nil {
		return nil, err
	}
	defer c.close()
	known, err := c.batch("connections", []string{"600851475143"})
	if err != nil {
		return nil, err
	}
	idleBytes, err := node.resident()
	if err != nil {
		return nil, err
	}
	conns, err := dialAll(ctx, strings.TrimPrefix(node.url, "http://"), m.n)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	b.say("%d connections are open", len(conns))
	l, failed, fault := m.talk(ctx, b.seed, conns, known[0])
	fullBytes, err := node.resident()
	if err != nil {
		return nil, err
	}
	_, longest := l.extremes()
	rows := []row{
		figure("connections open", float64(len(conns)), ""),
		figure("answers", float64(l.count()), ""),
		figure("requests without an answer", float64(failed), "").atMost(0).must(),
		figure("p50 answer time", millis(l.at(50)), "ms"),
		figure("p99.9 answer time", millis(l.at(99.9)), "ms"),
		figure("longest answer time", millis(longest), "ms").atMost(2000),
		figure("resident memory for each connection", (fullBytes-idleBytes)/float64(m.n)/1024, "KiB"),
	}
	if fault != nil {
		return rows, fmt.Errorf("the first of %d failures: %w", failed, fault)
	}
	return rows, ctx.Err()
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// dialAll opens n connections.
func dialAll(ctx context.Context, addr string, n int) ([]net.Conn, error) {
	conns := make([]net.Conn, n)
	errs := make([]error, dialers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for d := range dialers {
		wg.Go(func() {
			dialer := net.Dialer{Timeout: answerTime}
			for i := int(next.Add(1)) - 1; i < n && errs[d] == nil; i = int(next.Add(1)) - 1 {
				conns[i], errs[d] = dialer.DialContext(ctx, "tcp", addr)
			}
		})
	}
	wg.Wait()
	var opened []net.Conn
	for _, conn := range conns {
		if conn != nil {
			opened = append(opened, conn)
		}
	}
	return opened, errors.Join(errs...)
}

// talk sends the requests of all connections and returns the answer times, how
// many requests had no good answer, and the first reason.
func (m connections) talk(ctx context.Context, seed uint64, conns []net.Conn, id string) (l *latencies, failed int, fault error) {
	l = newLatencies()
	var mu sync.Mutex // guards failed and fault
	var wg sync.WaitGroup
	for i, conn := range conns {
		wg.Go(func() {
			if err := m.converse(ctx, newRand(seed, uint64(i)), conn, i, id, l); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed++
				if fault == nil {
					fault = err
				}
			}
		})
	}
	wg.Wait()
	return l, failed, fault
}

// converse sends the requests of one connection at random moments.
func (m connections) converse(ctx context.Context, rng *rand.Rand, conn net.Conn, i int, id string, l *latencies) error {
	step := max(m.period/time.Duration(m.each), 1)
	begin := time.Now()
	in := bufio.NewReaderSize(conn, 2048)
	var resp fasthttp.Response
	for r := range m.each {
		at := begin.Add(time.Duration(r)*step + time.Duration(rng.Int64N(int64(step))))
		if err := pause(ctx, time.Until(at)); err != nil {
			return err
		}
		request, want := "GET /compute/"+id+" HTTP/1.1\r\nHost: bench\r\n\r\n", fasthttp.StatusOK
		if rng.IntN(2) == 0 {
			body := `{"number":"` + uniform(rng) + `"}`
			request = fmt.Sprintf("POST /compute HTTP/1.1\r\nHost: bench\r\nX-Caller-ID: conn-%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", i%100, len(body), body)
			want = fasthttp.StatusAccepted
		}
		start := time.Now()
		conn.SetDeadline(start.Add(answerTime))
		if _, err := conn.Write([]byte(request)); err != nil {
			return err
		}
		if err := resp.Read(in); err != nil {
			return err
		}
		if resp.StatusCode() != want {
			return fmt.Errorf("status %d instead of %d: %.200s", resp.StatusCode(), want, resp.Body())
		}
		l.add(time.Since(start))
	}
	return nil
}
