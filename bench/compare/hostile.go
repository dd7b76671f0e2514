package compare

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

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// Hostile is `bench hostile`.
var Hostile = command.Comparison{
	Name:    "hostile",
	Summary: "an ordinary caller's answer times while others misbehave",
	Help: `An ordinary caller submits and looks at jobs, first alone, then during an attack,
for each of four attacks: bodies of 10 MB; thousands of connections that send half a
request and then one byte each 10 s; headers without end; random bytes. The ratio is
that of the 99th percentiles with and without the attack, measured right after one
another. Eight attackers share the machine's CPUs with the node and with the
ordinary caller, so they rest for 100 ms between attempts. What they take from the ordinary
caller wherever they send is measured too: the same attack goes to a bare fasthttp,
which refuses as cheaply as can be, while the caller is at the node.

Then a fresh node meets every kind of hostile client at once: clients that never read
pages, exports, lookups or events, or a byte a second, that send 30 requests and read
nothing, that hang up on long polls, that send huge bodies and heads, half bodies, a
slow beginning of TLS, HTTP/2, upgrades and noise. No request of the ordinary caller may fail.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		var h hostile
		f.IntVar(&h.slow, "slow", 10_000, "connections of the slow attack")
		f.IntVar(&h.crowd, "crowd", 400, "clients of every kind at once")
		f.IntVar(&h.rounds, "rounds", 3, "measurements of each")
		f.DurationVar(&h.watch, "watch", 2*time.Second, "time of each measurement")
		return h.measure
	},
}

type hostile struct {
	slow   int
	crowd  int
	rounds int
	watch  time.Duration
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

func (m *hostile) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	if err := harness.RaiseFileLimit(uint64(m.slow + harness.SpareFiles)); err != nil {
		return nil, err
	}
	p, err := startPair(ctx, h)
	if err != nil {
		return nil, err
	}
	defer p.close()
	repeated := func(a attack) func(context.Context, string) func() {
		return func(ctx context.Context, addr string) func() { return repeat(ctx, addr, h.Seed, a) }
	}
	var rows []report.Row
	for _, s := range []siege{
		{name: "10 MB bodies", start: repeated(sendHugeBody)},
		{name: fmt.Sprintf("%s slow half-requests", report.Grouped(int64(m.slow))), start: m.trickle},
		{name: "header flood", start: repeated(floodHeaders)},
		{name: "random bytes", start: repeated(sendRandom)},
	} {
		seen, err := m.lay(ctx, h, p, s)
		if rows = append(rows, seen...); err != nil {
			return rows, err
		}
	}
	resident, err := p.node.Resident()
	if err != nil {
		return rows, err
	}
	rows = append(rows, report.Figure("resident memory of the node at the end", resident/(1<<20), "MiB"))
	p.close()
	crowd, err := m.everyKind(ctx, h)
	return append(rows, crowd...), err
}

// ordinary submits jobs and looks at them for a while, one request after the
// other with a breath between, and returns the answer times.
func (m hostile) ordinary(ctx context.Context, seed uint64, node *harness.Process) (*stats.Latencies, int, error) {
	c, err := client.New(node.URL, 1)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	l, failed := stats.NewLatencies(), 0
	rng, poster := random.New(seed, 1), c.Poster()
	for begin := time.Now(); time.Since(begin) < m.watch; {
		start := time.Now()
		id, err := poster.Accepted("ordinary", random.Uniform(rng))
		if err == nil {
			l.Add(time.Since(start))
			start = time.Now()
			_, err = c.Job(id)
		}
		if err != nil {
			failed++
		} else {
			l.Add(time.Since(start))
		}
		if err := wait.For(ctx, time.Millisecond); err != nil {
			return l, failed, err
		}
	}
	return l, failed, nil
}

// repeat attacks from a few goroutines until ctx ends; the result waits for
// them.
func repeat(ctx context.Context, addr string, seed uint64, a attack) (ended func()) {
	var wg sync.WaitGroup
	for i := range attackers {
		wg.Go(func() {
			rng := random.New(seed, uint64(i))
			for ctx.Err() == nil {
				if conn, err := net.DialTimeout("tcp", addr, client.AnswerTime); err == nil {
					conn.SetDeadline(time.Now().Add(attackAnswer))
					a(conn, rng)
					conn.Close()
				}
				wait.For(ctx, attackPause)
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
func (m hostile) trickle(ctx context.Context, addr string) (ended func()) {
	var opened, wg sync.WaitGroup
	opened.Add(m.slow)
	slots := make(chan struct{}, client.Dialers)
	for range m.slow {
		wg.Go(func() {
			open := sync.OnceFunc(opened.Done)
			defer open()
			for ctx.Err() == nil {
				slots <- struct{}{}
				conn, err := net.DialTimeout("tcp", addr, client.AnswerTime)
				<-slots
				open()
				if err != nil {
					wait.For(ctx, slowEvery)
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
		if wait.For(ctx, slowEvery) != nil {
			return
		}
		if _, err := conn.Write([]byte{c}); err != nil {
			return
		}
	}
}
