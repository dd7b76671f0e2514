package http

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// poll is a request that waits for a job to end. It waits in two steps: briefly
// on the worker that got it, which is all that quick jobs need; then without
// fasthttp's worker and buffers, on a goroutine whose stack holds nothing but
// the wait. That is the difference between 30 KB for each waiting client and a
// quarter of it. The answer is written from there, and the connection is parked.
type poll struct {
	s       *Server
	conn    *conn
	res     *resource
	method  method
	job     fairfactor.Job // as it was last seen; of a look, its id only
	look    bool           // else a submission, which is answered with 202 if the wait fails
	manners manners

	preferred bool          // the client asked in Prefer
	told      time.Duration // and may wait for that long
	prefix    string        // of Location
	path      string
	head      bool // of HEAD, the method
	old       bool // HTTP/1.0
	begun     time.Time
	seen      seen
	as        *fairfactor.APIKey // of who asks
	cancel    context.CancelFunc
}

// wait waits briefly for a job to end. If it has not ended then, the poll goes
// on by itself, and detached is true: there is nothing more to do for the
// handler.
func (s *Server) wait(r *request, p *poll, wait time.Duration) (detached bool, err error) {
	wait = s.spread(wait)
	brief, cancel := context.WithTimeout(s.polls.running, min(wait, s.limits.brief))
	later, err := s.jobs.Wait(brief, p.job.ID)
	cancel()
	if err != nil {
		return false, err
	}
	p.job = later
	if later.State.Final() || wait <= s.limits.brief || s.polls.ended() {
		return false, nil
	}
	c, ok := r.ctx.Conn().(*conn)
	if !ok {
		return false, nil
	}
	p.s, p.conn, p.res, p.method = s, c, r.res, r.method
	p.begun, p.path = r.ctx.Time(), string(r.ctx.URI().PathOriginal())
	p.manners = mannersOf(r).kept()
	p.manners.close = r.ctx.Request.Header.ConnectionClose() || !drained(r.ctx)
	p.seen, p.as = s.seenOf(r).kept(), r.as
	p.head, p.old = r.ctx.IsHead(), !r.ctx.Request.Header.IsHTTP11()
	p.prefix = string(s.site.appendPrefix(nil, r))
	ctx, cancel := context.WithTimeout(s.polls.running, wait-s.limits.brief)
	p.cancel = cancel
	s.polls.add(p)
	if s.stillKnown(p.as) != nil { // revoked meanwhile
		cancel()
	}
	c.detached = func() { go p.run(ctx) }
	r.ctx.HijackSetNoResponse(true)
	r.ctx.Hijack(p.detach)
	return true, nil
}

// Long waits end up to an eighth earlier than they could, each at its own time:
// clients that began together would otherwise all come back together.
const (
	spreadFrom = 4 * time.Second
	spreadPart = 8
)

func (s *Server) spread(wait time.Duration) time.Duration {
	if wait < spreadFrom {
		return wait
	}
	return wait - time.Duration(s.random(int64(wait/spreadPart)))
}

// detach keeps what fasthttp has read beyond the request. fasthttp closes the
// connection then, and that makes the poll go on.
func (p *poll) detach(buffered net.Conn) {
	var rest []byte
	for {
		var some [64]byte
		n, err := buffered.Read(some[:])
		rest = append(rest, some[:n]...)
		if err != nil {
			break // errDetached
		}
	}
	if len(rest) > 0 {
		p.conn.head = append(make([]byte, 0, max(headBytes, len(rest))), rest...)
	}
}

// run waits on, in as little stack as can be.
func (p *poll) run(ctx context.Context) {
	later, err := p.ask(ctx)
	p.cancel()
	p.s.polls.remove(p)
	defer p.s.polls.done.Done()
	p.answer(&later, err)
}

func (p *poll) ask(ctx context.Context) (job fairfactor.Job, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = panicked(fault)
		}
	}()
	return p.s.jobs.Wait(ctx, p.job.ID)
}

var writers = sync.Pool{New: func() any { return bufio.NewWriter(nil) }}

// answer writes the answer and parks the connection, or ends it.
func (p *poll) answer(later *fairfactor.Job, err error) {
	resp := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(resp)
	resp.Header.SetNoDefaultContentType(true)
	resp.Header.SetServer(p.s.name)
	resp.SkipBody = p.head
	if err == nil {
		p.job = *later
	}
	if revoked := p.s.stillKnown(p.as); revoked != nil {
		resp.Header.Set("WWW-Authenticate", revokedChallenge)
		p.s.answerError(resp, methodNames[p.method], p.path, revoked)
	} else {
		p.write(resp, err)
	}
	p.s.finish(resp, p.manners)
	closes := resp.ConnectionClose()
	if p.old && !closes {
		resp.Header.Set("Connection", "keep-alive")
	}
	w := writers.Get().(*bufio.Writer)
	defer writers.Put(w)
	w.Reset(p.conn)
	p.conn.idle = false
	err = resp.Write(w)
	if err == nil {
		err = w.Flush()
	}
	now := p.s.now()
	p.s.metrics.observe(p.res, p.method, resp.StatusCode(), now.Sub(p.begun))
	p.s.access.write(&p.seen, resp.StatusCode(), bodySize(resp), now)
	w.Reset(nil)
	if err != nil || closes {
		p.conn.Close()
		return
	}
	p.conn.owner.park(p.conn)
}

// write makes the answer of the endpoint.
func (p *poll) write(resp *fasthttp.Response, err error) {
	if err != nil && p.look {
		p.s.answerError(resp, methodNames[p.method], p.path, aboutJob(err, p.job.ID.String()))
		return
	}
	if p.preferred {
		preferenceApplied(resp, p.told)
	}
	if p.look {
		answerJob(resp, nil, &p.job, p.manners.match)
		return
	}
	answerSubmission(resp, []byte(p.prefix), &p.job, true)
}

// drained reads what is left of a request's body, so that the connection is at
// the beginning of the next request. It reports whether it is.
func drained(ctx *fasthttp.RequestCtx) bool {
	body := ctx.Request.BodyStream()
	if body == nil {
		return true
	}
	_, err := io.CopyN(io.Discard, body, maxBodyBytes+1)
	return errors.Is(err, io.EOF)
}

// polls are the long polls that wait without a worker.
type polls struct {
	running context.Context // ends when the server shuts down
	end     context.CancelFunc
	done    sync.WaitGroup // an entry for each poll until it is answered

	mu   sync.Mutex // guards what follows
	open map[*conn]*poll
}

func (l *polls) begin() {
	l.running, l.end = context.WithCancel(context.Background())
	l.open = map[*conn]*poll{}
}

func (l *polls) ended() bool { return l.running.Err() != nil }

func (l *polls) add(p *poll) {
	l.done.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[p.conn] = p
}

func (l *polls) remove(p *poll) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, p.conn)
}

// count returns how many polls wait.
func (l *polls) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// wait returns when all polls are answered, or with the error of ctx.
func (l *polls) wait(ctx context.Context) error {
	answered := make(chan struct{})
	go func() { l.done.Wait(); close(answered) }()
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// patients are requests that wait and can be given up.
type patients interface {
	waiting(conns []*conn) []*conn // appends their connections
	give(c *conn)                  // gives up the one of c, if there is one
}

// watch gives up what clients wait for that have hung up, until done is closed.
func watch(all patients, every time.Duration, done chan struct{}) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var conns []*conn
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		conns = all.waiting(conns[:0])
		for _, c := range hungUp(conns) {
			all.give(c)
		}
		clear(conns)
	}
}

// waiting appends the connections of all polls.
func (l *polls) waiting(conns []*conn) []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		conns = append(conns, c)
	}
	return conns
}

// giveRevoked ends the waits of those whose key is not known any more.
func (l *polls) giveRevoked(known func(*fairfactor.APIKey) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.open {
		if known(p.as) != nil {
			p.cancel()
		}
	}
}

// give ends the wait of a connection's poll, if it has one.
func (l *polls) give(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.open[c]; p != nil {
		p.cancel()
	}
}
