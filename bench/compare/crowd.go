package compare

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
)

// crowd is every kind of hostile client at once.
type crowd struct {
	addr string
	ids  string // of jobs, a line each
	held string // a job that never ends
}

// Sizes of the crowd's attacks.
const (
	crowdJobs     = 3000        // that its lists, exports and lookups find
	crowdRest     = time.Second // of a client between attempts
	crowdPatience = time.Minute // for which it keeps a connection
	crowdPipeline = 30          // requests sent without reading an answer
	crowdLookups  = 20          // times all ids are asked for in one request
	mostResident  = 300         // MiB of the node
)

// kinds are the hostile clients. Each gets a connection of its own, and again after
// a rest when it is thrown out.
func (c *crowd) kinds() []func(context.Context, net.Conn, *rand.Rand) {
	page := "GET /compute?limit=1000 HTTP/1.1\r\nHost: bench\r\n\r\n"
	never := func(request string) func(context.Context, net.Conn, *rand.Rand) {
		return func(ctx context.Context, conn net.Conn, _ *rand.Rand) {
			if _, err := io.WriteString(conn, request); err == nil {
				untilClosed(ctx, conn)
			}
		}
	}
	trickle := func(request string) func(context.Context, net.Conn, *rand.Rand) {
		return func(ctx context.Context, conn net.Conn, _ *rand.Rand) {
			for i := range len(request) {
				if _, err := io.WriteString(conn, request[i:i+1]); err != nil || wait.For(ctx, time.Second) != nil {
					return
				}
			}
		}
	}
	at := func(a attack) func(context.Context, net.Conn, *rand.Rand) {
		return func(_ context.Context, conn net.Conn, rng *rand.Rand) {
			conn.SetDeadline(time.Now().Add(attackAnswer))
			a(conn, rng)
		}
	}
	lookups := strings.Repeat(c.ids, crowdLookups)
	post := "POST /compute%s HTTP/1.1\r\nHost: bench\r\nX-Caller-ID: hostile\r\nContent-Type: application/%s\r\nContent-Length: %d\r\n\r\n%s"
	return []func(context.Context, net.Conn, *rand.Rand){
		never(page),
		never(strings.Repeat(page, crowdPipeline)),
		never("GET /callers?limit=1000 HTTP/1.1\r\nHost: bench\r\n\r\n"),
		never("GET /compute/export HTTP/1.1\r\nHost: bench\r\n\r\n"),
		never("GET /events HTTP/1.1\r\nHost: bench\r\n\r\n"),
		never("GET /compute/" + c.held + "/events HTTP/1.1\r\nHost: bench\r\n\r\n"),
		never(fmt.Sprintf(post, "/get", "x-ndjson", len(lookups), lookups)),
		never(fmt.Sprintf(post, "/batch", "x-ndjson", hugeBody, `{"number":"91"}`+"\n"+`{"num`)),
		never(strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: bench\r\n\r\n", crowdPipeline)),
		func(ctx context.Context, conn net.Conn, _ *rand.Rand) { sip(ctx, conn, page) },
		func(ctx context.Context, conn net.Conn, _ *rand.Rand) {
			io.WriteString(conn, "GET /compute/"+c.held+"?wait=60 HTTP/1.1\r\nHost: bench\r\n\r\n")
			wait.For(ctx, attackAnswer)
		},
		trickle(fmt.Sprintf(post, "", "json", 4096, "")),
		trickle("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("a", 500)), // the beginning of TLS
		never("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
		never("GET /events HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
		at(sendHugeBody), at(floodHeaders), at(sendRandom),
	}
}

// untilClosed keeps a connection without reading from it, until the node has closed
// it: then it can't be written to.
func untilClosed(ctx context.Context, conn net.Conn) {
	for begin := time.Now(); time.Since(begin) < crowdPatience; {
		if wait.For(ctx, crowdRest) != nil {
			return
		}
		if _, err := io.WriteString(conn, " "); err != nil {
			return
		}
	}
}

// sip reads an answer a byte a second.
func sip(ctx context.Context, conn net.Conn, request string) {
	if _, err := io.WriteString(conn, request); err != nil {
		return
	}
	var one [1]byte
	for {
		if _, err := conn.Read(one[:]); err != nil || wait.For(ctx, time.Second) != nil {
			return
		}
	}
}

// start sends so many clients, of each kind alike, until ctx ends.
func (c *crowd) start(ctx context.Context, clients int, seed uint64) (ended func()) {
	kinds := c.kinds()
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			rng := random.New(seed, uint64(i))
			for wait.For(ctx, time.Duration(rng.Int64N(int64(crowdRest)))) == nil {
				conn, err := net.DialTimeout("tcp", c.addr, client.AnswerTime)
				if err == nil {
					stop := context.AfterFunc(ctx, func() { conn.Close() })
					kinds[i%len(kinds)](ctx, conn, rng)
					stop()
					conn.Close()
				}
				wait.For(ctx, crowdRest)
			}
		})
	}
	return wg.Wait
}

// prepareCrowd makes what the crowd asks for.
func (m *hostile) prepareCrowd(node *harness.Process) (*crowd, error) {
	c, err := client.New(node.URL, 1)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	numbers := make([]string, crowdJobs)
	for i := range numbers {
		numbers[i] = fmt.Sprint(1_000_000_007 + 2*i)
	}
	ids, err := c.Batch("hostile", numbers)
	if err != nil {
		return nil, err
	}
	if err := c.Pause("held"); err != nil {
		return nil, err
	}
	held, err := c.Batch("held", []string{"600851475143"})
	if err != nil {
		return nil, err
	}
	return &crowd{ids: strings.Join(ids, "\n") + "\n", held: held[0]}, nil
}

// everyKind measures an ordinary caller, and the node's memory, without the crowd and
// next to it. The crowd has time to come before the measurement begins.
func (m *hostile) everyKind(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	p, err := startPair(ctx, h)
	if err != nil {
		return nil, err
	}
	defer p.close()
	c, err := m.prepareCrowd(p.node)
	if err != nil {
		return nil, err
	}
	name := report.Grouped(int64(m.crowd)) + " clients of every kind"
	rows, err := m.lay(ctx, h, p, siege{name: name, settle: m.watch, start: func(ctx context.Context, addr string) func() {
		there := *c
		there.addr = addr
		return there.start(ctx, m.crowd, h.Seed)
	}})
	if err != nil {
		return rows, err
	}
	most, err := p.node.MostResident()
	return append(rows, report.Figure("most resident memory of the node, "+name, most/(1<<20), "MiB").AtMost(mostResident)), err
}
