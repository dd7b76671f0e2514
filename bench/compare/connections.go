package compare

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
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// Connections is `bench connections`.
var Connections = command.Comparison{
	Name:    "connections",
	Summary: "answer times over thousands of open connections",
	Help: `Opens that many keep-alive connections to a node and keeps all of them open. First
each sends its requests at random moments of the period, a POST or a GET of a job as a
coin falls, and waits for the answer. Then all of them send POSTs at once, each the next
one as soon as it has an answer: served in turn, no answer takes much longer than the
mean. Every answer should come within 2 s. Connections to loopback are spread over
several source addresses, 127.0.0.2 and the following, 20,000 on each.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
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

	postsOnly bool
}

func (m *connections) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	if err := harness.RaiseFileLimit(uint64(m.n + harness.SpareFiles)); err != nil {
		return nil, err
	}
	node, err := h.Node(ctx, h.Folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, 1)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	known, err := c.Batch("connections", []string{"600851475143"})
	if err != nil {
		return nil, err
	}
	ownIdle, err := harness.OwnResident()
	if err != nil {
		return nil, err
	}
	idleBytes, err := node.Resident()
	if err != nil {
		return nil, err
	}
	conns, err := client.Dial(ctx, strings.TrimPrefix(node.URL, "http://"), m.n)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	h.Say("%d connections are open", len(conns))
	l, failed, fault := m.talk(ctx, h.Seed, conns, known[0])
	fullBytes, err := node.Resident()
	if err != nil {
		return nil, err
	}
	ownFull, err := harness.OwnResident()
	if err != nil {
		return nil, err
	}
	_, longest := l.Extremes()
	rows := []report.Row{
		report.Figure("connections open", float64(len(conns)), ""),
		report.Figure("answers", float64(l.Count()), ""),
		report.Figure("requests without an answer", float64(failed), "").AtMost(0).Must(),
		report.Figure("p50 answer time", stats.Millis(l.At(50)), "ms"),
		report.Figure("p99.9 answer time", stats.Millis(l.At(99.9)), "ms"),
		report.Figure("longest answer time", stats.Millis(longest), "ms").AtMost(2000),
		report.Figure("resident memory of the node for each connection", (fullBytes-idleBytes)/float64(m.n)/1024, "KiB"),
		report.Figure("resident memory of bench for each connection", (ownFull-ownIdle)/float64(m.n)/1024, "KiB"),
	}
	if fault != nil {
		return rows, fmt.Errorf("the first of %d failures: %w", failed, fault)
	}
	h.Say("all of them at once")
	burst, err := m.atOnce(ctx, h.Seed, conns)
	return append(rows, burst...), errors.Join(err, ctx.Err())
}

// atOnce has all connections send POSTs, each the next one with the answer to the
// last.
func (m connections) atOnce(ctx context.Context, seed uint64, conns []net.Conn) ([]report.Row, error) {
	m.period, m.postsOnly = 0, true
	l, failed, fault := m.talk(ctx, seed+1, conns, "")
	_, longest := l.Extremes()
	p99, mean := stats.Millis(l.At(99)), stats.Millis(l.Mean())
	rows := []report.Row{
		report.Figure("all at once: answers", float64(l.Count()), ""),
		report.Figure("all at once: requests without an answer", float64(failed), "").AtMost(0).Must(),
		report.Figure("all at once: p99", p99, "ms").Against("mean", mean, stats.RatioOf(p99, mean)).AtMost(2),
		report.Figure("all at once: longest", stats.Millis(longest), "ms").AtMost(2000),
	}
	if fault != nil {
		return rows, fmt.Errorf("all at once, the first of %d failures: %w", failed, fault)
	}
	return rows, nil
}

// talk sends the requests of all connections and returns the answer times, how
// many requests had no good answer, and the first reason.
func (m connections) talk(ctx context.Context, seed uint64, conns []net.Conn, id string) (l *stats.Latencies, failed int, fault error) {
	l = stats.NewLatencies()
	var mu sync.Mutex // guards failed and fault
	var wg sync.WaitGroup
	for i, conn := range conns {
		wg.Go(func() {
			if err := m.converse(ctx, random.New(seed, uint64(i)), conn, i, id, l); err != nil {
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
func (m connections) converse(ctx context.Context, rng *rand.Rand, conn net.Conn, i int, id string, l *stats.Latencies) error {
	step := max(m.period/time.Duration(m.each), 1)
	begin := time.Now()
	in := bufio.NewReaderSize(conn, 2048)
	var resp fasthttp.Response
	for r := range m.each {
		at := begin.Add(time.Duration(r)*step + time.Duration(rng.Int64N(int64(step))))
		if err := wait.For(ctx, time.Until(at)); err != nil {
			return err
		}
		request, want := "GET /compute/"+id+" HTTP/1.1\r\nHost: bench\r\n\r\n", fasthttp.StatusOK
		if m.postsOnly || rng.IntN(2) == 0 {
			body := `{"number":"` + random.Uniform(rng) + `"}`
			request = fmt.Sprintf("POST /compute HTTP/1.1\r\nHost: bench\r\nX-Caller-ID: conn-%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", i%100, len(body), body)
			want = fasthttp.StatusAccepted
		}
		start := time.Now()
		conn.SetDeadline(start.Add(client.AnswerTime))
		if _, err := conn.Write([]byte(request)); err != nil {
			return err
		}
		if err := resp.Read(in); err != nil {
			return err
		}
		if resp.StatusCode() != want {
			return fmt.Errorf("status %d instead of %d: %.200s", resp.StatusCode(), want, resp.Body())
		}
		l.Add(time.Since(start))
	}
	return nil
}
