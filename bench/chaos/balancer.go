package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fairfactor/bench/internal/wait"
)

// balancer spreads requests over nodes as a load balancer does: it asks each
// whether it is ready, sends nothing to one that is not, hangs up on one that
// does not answer, and tells a request that was not sent from one whose fate is
// unknown.
type balancer struct {
	ends []*end
	next atomic.Uint32
	work sync.WaitGroup
	stop context.CancelFunc
}

// end is one node as the balancer sees it.
type end struct {
	base   string // http://host:port
	client *http.Client

	patience time.Duration // that it may take to answer

	mu     sync.Mutex
	up     bool                    // guarded by mu
	silent int                     // guarded by mu; questions without an answer since the last one that had one
	ctx    context.Context         // guarded by mu; of requests to it, until it does not answer
	hang   context.CancelCauseFunc // guarded by mu; ends ctx
}

// How often a node is asked, how long it may take to be connected to, and how long to answer:
// longer than /readyz waits for the database, which is 2 s. When the machine is
// busy with other things for hours, it may take longer.
const (
	checkEvery    = 200 * time.Millisecond
	connectTime   = time.Second
	checkTime     = 3 * time.Second
	longCheckTime = 10 * time.Second
	maxSilent     = 2 // questions in a row without an answer, as in deploy/haproxy.cfg
)

// newBalancer starts to ask the nodes at these host:ports.
func newBalancer(addrs []string, conns int, patience time.Duration) *balancer {
	ctx, stop := context.WithCancel(context.Background())
	b := &balancer{stop: stop}
	for _, addr := range addrs {
		e := &end{base: "http://" + addr, patience: patience, client: &http.Client{Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connectTime}).DialContext,
			MaxIdleConnsPerHost: conns, IdleConnTimeout: 5 * time.Second,
		}}}
		e.ctx, e.hang = context.WithCancelCause(ctx)
		b.ends = append(b.ends, e)
		b.work.Go(func() { e.watch(ctx) })
	}
	return b
}

// close hangs up on all.
func (b *balancer) close() {
	b.stop()
	b.work.Wait()
	for _, e := range b.ends {
		e.client.CloseIdleConnections()
	}
}

// watch asks the node until ctx ends.
func (e *end) watch(ctx context.Context) {
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(ctx, e.patience)
		status, _, err := e.do(one, http.MethodGet, "/readyz", nil, "")
		cancel()
		e.mark(ctx, status == http.StatusOK, err)
		if wait.For(ctx, checkEvery) != nil {
			return
		}
	}
}

// mark notes what a node said. One that is draining gets no new requests but
// ends those that it has: it says 503 first and takes no connections then. One that
// leaves the balancer's questions without an answer ends none.
func (e *end) mark(ctx context.Context, ready bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.up = ready
	if err == nil || closed(err) {
		e.silent = 0
		return
	}
	if e.silent++; e.silent >= maxSilent {
		e.silent = 0
		e.hang(fmt.Errorf("the balancer hung up: %w", err))
		e.ctx, e.hang = context.WithCancelCause(ctx)
	}
}

// pick returns the next node that is ready, or just the next.
func (b *balancer) pick() *end {
	n := uint32(len(b.ends))
	first := b.next.Add(1)
	for i := range n {
		e := b.ends[(first+i)%n]
		e.mu.Lock()
		up := e.up
		e.mu.Unlock()
		if up {
			return e
		}
	}
	return b.ends[first%n]
}

// send sends a request to a node; it ends early when the node does not answer
// the balancer's questions.
func (e *end) send(ctx context.Context, method, path string, header http.Header, body string) (int, []byte, error) {
	e.mu.Lock()
	alive := e.ctx
	e.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(alive, func() { cancel(context.Cause(alive)) })()
	status, raw, err := e.do(ctx, method, path, header, body)
	if cause := context.Cause(ctx); err != nil && cause != nil && ctx.Err() != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return status, raw, err
}

func (e *end) do(ctx context.Context, method, path string, header http.Header, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.base+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if header != nil {
		req.Header = header
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, raw, err
}

// closed reports whether an error says that the node's process takes no connections or
// has ended: then the kernel ends those that it had, if the process does not.
func closed(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}

// notSent reports whether an error says that the node got nothing of a request.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED)
}
