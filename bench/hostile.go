package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

var hostileComparison = comparison{
	name:    "hostile",
	summary: "an ordinary caller's answer times while others misbehave",
	help: `An ordinary caller submits and looks at jobs, first alone, then beside an attack,
for each of four attacks: bodies of 10 MB; thousands of connections that send half a
request and then one byte each 10 s; headers without end; random bytes. The ratio is
that of the 99th percentiles with and without the attack, measured right after one
another. Eight attackers share the machine's CPUs with the node and with the
ordinary caller, so they rest for 100 ms between attempts. No request of the ordinary caller may fail.`,
	prepare: func(f *flag.FlagSet) measurement {
		var h hostile
		f.IntVar(&h.slow, "slow", 10_000, "connections of the slow attack")
		f.DurationVar(&h.watch, "watch", 3*time.Second, "time of each measurement")
		return h.measure
	},
}

type hostile struct {
	slow  int
	watch time.Duration
}

// Sizes of the attacks.
const (
	hugeBody     = 10 << 20
	attackers    = 8                      // of all but the slow attack
	attackPause  = 100 * time.Millisecond // of an attacker between attempts
	attackAnswer = 300 * time.Millisecond // how long an attacker waits for an answer
	headerFlood  = 1 << 20                // bytes of headers before an attacker gives up
	randomBytes  = 4 << 10
	slowEvery    = 10 * time.Second
)

// attack is one attempt on a connection of its own. Its errors are what the
// attacker deserves.
type attack func(conn net.Conn, rng *rand.Rand)

func (m *hostile) measure(ctx context.Context, b *bench) ([]row, error) {
	if err := raiseFiles(uint64(m.slow + spareFiles)); err != nil {
		return nil, err
	}
	node, err := b.node(ctx, b.folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.kill()
	addr := strings.TrimPrefix(node.url, "http://")
	attacks := []struct {
		name  string
		start func(context.Context) func()
	}{
		{"10 MB bodies", func(ctx context.Context) func() { return repeat(ctx, addr, b.seed, sendHugeBody) }},
		{fmt.Sprintf("%s slow half-requests", grouped(int64(m.slow))), func(ctx context.Context) func() { return m.trickle(ctx, addr) }},
		{"header flood", func(ctx context.Context) func() { return repeat(ctx, addr, b.seed, floodHeaders) }},
		{"random bytes", func(ctx context.Context) func() { return repeat(ctx, addr, b.seed, sendRandom) }},
	}
	var rows []row
	for _, a := range attacks {
		b.say("%s", a.name)
		calm, failed, err := m.ordinary(ctx, b.seed, node)
		if err != nil {
			return rows, err
		}
		attacking, stop := context.WithCancel(ctx)
		wait := a.start(attacking)
		under, failedUnder, err := m.ordinary(ctx, b.seed, node)
		stop()
		wait()
		if err != nil {
			return rows, err
		}
		if node.gone() {
			return rows, fmt.Errorf("the node died of %s: %s", a.name, node.log)
		}
		quiet, loud := millis(calm.at(99)), millis(under.at(99))
		rows = append(rows, figure("p99 beside "+a.name, loud, "ms").against("without", quiet, loud/quiet),
			figure("ordinary requests failed, "+a.name, float64(failed+failedUnder), "").atMost(0).must())
	}
	resident, err := node.resident()
	return append(rows, figure("resident memory of the node at the end", resident/(1<<20), "MiB")), err
}

// ordinary submits jobs and looks at them for a while, one request after the
// other with a breath between, and returns the answer times.
func (m hostile) ordinary(ctx context.Context, seed uint64, node *process) (*latencies, int, error) {
	c, err := newClient(node.url, 1)
	if err != nil {
		return nil, 0, err
	}
	defer c.close()
	l, failed := newLatencies(), 0
	rng, poster := newRand(seed, 1), c.poster()
	for begin := time.Now(); time.Since(begin) < m.watch; {
		start := time.Now()
		id, err := poster.accepted("ordinary", uniform(rng))
		if err == nil {
			l.add(time.Since(start))
			start = time.Now()
			_, err = c.job(id)
		}
		if err != nil {
			failed++
		} else {
			l.add(time.Since(start))
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return l, failed, err
		}
	}
	return l, failed, nil
}

// repeat attacks from a few goroutines until ctx ends; the result waits for
// them.
func repeat(ctx context.Context, addr string, seed uint64, a attack) (wait func()) {
	var wg sync.WaitGroup
	for i := range attackers {
		wg.Go(func() {
			rng := newRand(seed, uint64(i))
			for ctx.Err() == nil {
				if conn, err := net.DialTimeout("tcp", addr, answerTime); err == nil {
					conn.SetDeadline(time.Now().Add(attackAnswer))
					a(conn, rng)
					conn.Close()
				}
				pause(ctx, attackPause)
			}
		})
	}
	return wg.Wait
}

func sendHugeBody(conn net.Conn, _ *rand.Rand) {
	fmt.Fprintf(conn, "POST /compute HTTP/1.1\r\nHost: bench\r\nX-Caller-ID: hostile\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", hugeBody)
	chunk := []byte(strings.Repeat("9", 64<<10))
	for sent := 0; sent < hugeBody; sent += len(chunk) {
		if _, err := conn.Write(chunk); err != nil {
			return
		}
	}
	io.Copy(io.Discard, conn)
}

func floodHeaders(conn net.Conn, rng *rand.Rand) {
	io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: bench\r\n")
	for sent := 0; sent < headerFlood; {
		n, err := fmt.Fprintf(conn, "X-%d: %s\r\n", rng.Uint64(), strings.Repeat("a", 1000))
		if err != nil {
			return
		}
		sent += n
	}
	io.Copy(io.Discard, conn)
}

func sendRandom(conn net.Conn, rng *rand.Rand) {
	noise := make([]byte, randomBytes)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	if _, err := conn.Write(noise); err == nil {
		io.Copy(io.Discard, conn)
	}
}

// trickle opens the slow connections, each with half a request, and then sends
// a byte on each now and then until ctx ends; one that the node closes is
// opened again. It returns when all have been opened once.
func (m hostile) trickle(ctx context.Context, addr string) (wait func()) {
	var opened, wg sync.WaitGroup
	opened.Add(m.slow)
	slots := make(chan struct{}, dialers)
	for range m.slow {
		wg.Go(func() {
			open := sync.OnceFunc(opened.Done)
			defer open()
			for ctx.Err() == nil {
				slots <- struct{}{}
				conn, err := net.DialTimeout("tcp", addr, answerTime)
				<-slots
				open()
				if err != nil {
					pause(ctx, slowEvery)
					continue
				}
				dribble(ctx, conn)
				conn.Close()
			}
		})
	}
	opened.Wait()
	return wg.Wait
}

// dribble sends half a request and then a byte each few seconds, until the
// other side has had enough or ctx ends.
func dribble(ctx context.Context, conn net.Conn) {
	request := []byte("POST /compute HTTP/1.1\r\nHost: bench\r\nX-Caller-ID: slow\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n")
	if _, err := conn.Write(request[:len(request)/2]); err != nil {
		return
	}
	for _, c := range request[len(request)/2:] {
		if pause(ctx, slowEvery) != nil {
			return
		}
		if _, err := conn.Write([]byte{c}); err != nil {
			return
		}
	}
}
