package http

import (
	"container/list"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairfactor"
)

// budget bounds the memory of long answers of the whole node: of their bytes that are
// made and that clients have not taken yet. What does not fit waits in the order of its
// arrival. While something waits, the connections that have not taken what they were
// given for longest are closed, if that is at least patience ago: a client that does
// not read holds up others for that long, and a slow one is only closed where memory is
// short.
//
// An answer of at most smallAnswer bytes does not count: it is less than what its
// connection costs anyway.
type budget struct {
	limit    int64
	patience time.Duration
	now      func() time.Time

	mu      sync.Mutex // guards what follows, and held, place, since and closing of each conn
	used    int64
	leaving int64     // of used, what closed connections have not given back yet
	sending list.List // of *conn that have bytes to take, the longest first
	queue   list.List // of *claim, the first come first
	cut     uint64    // connections closed
}

// claim is an answer that waits for its bytes.
type claim struct {
	c     *conn
	bytes int64
	err   error         // instead of the bytes
	open  chan struct{} // closed when there is an answer
}

const (
	smallAnswer = 16 << 10
	// partBytes is what is set aside while a part of a long answer is made: a page of
	// partLength jobs, as they come from the store and as text.
	partBytes = 256 << 10
	// budgetLook is the time between two looks for connections to close, while answers
	// wait.
	budgetLook = 100 * time.Millisecond
)

// errNoRoom refuses a long answer.
var errNoRoom = &fairfactor.Error{Code: fairfactor.Unavailable, Message: "as many long answers as this node has memory for are under way: try again, or ask for less at once", Retry: time.Second}

// take sets bytes aside for the next part of an answer, in the place of what the
// connection had. It waits for them, at most for the given time, and gives up when
// stop is closed.
func (b *budget) take(c *conn, bytes int64, longest time.Duration, stop <-chan struct{}) error {
	b.mu.Lock()
	b.drop(c)
	if b.queue.Len() == 0 && b.fits(bytes) {
		b.grant(c, bytes)
		b.mu.Unlock()
		return nil
	}
	w := &claim{c: c, bytes: bytes, open: make(chan struct{})}
	place := b.queue.PushBack(w)
	b.mu.Unlock()
	look, over := time.NewTicker(budgetLook), time.NewTimer(longest)
	defer look.Stop()
	defer over.Stop()
	for {
		select {
		case <-w.open:
			return w.err
		case <-look.C:
			b.mu.Lock()
			b.makeRoom()
			b.mu.Unlock()
			continue
		case <-over.C:
		case <-stop:
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		select {
		case <-w.open: // at the last moment
			return w.err
		default:
		}
		b.queue.Remove(place)
		b.serve() // the next one may need less
		return errNoRoom
	}
}

// made says how many bytes the connection's client has to take now. They were made
// already, and count even if they are more than what was set aside.
func (b *budget) made(c *conn, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(c)
	b.grant(c, bytes)
	c.since, c.place = b.now().UnixNano(), b.sending.PushBack(c)
	if b.used > b.limit {
		b.makeRoom()
	}
	b.serve()
}

// free gives back what a connection has.
func (b *budget) free(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(c)
	b.serve()
}

// waiting implements [patients].
func (b *budget) waiting(conns []*conn) []*conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	for e := b.queue.Front(); e != nil; e = e.Next() {
		conns = append(conns, e.Value.(*claim).c)
	}
	return conns
}

// give implements [patients].
func (b *budget) give(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for e := b.queue.Front(); e != nil; e = e.Next() {
		if w := e.Value.(*claim); w.c == c {
			b.queue.Remove(e)
			w.err = errNoRoom // which is told to no one
			close(w.open)
			return
		}
	}
}

// What follows needs the lock.

func (b *budget) fits(bytes int64) bool { return b.used+bytes <= b.limit || b.used == 0 }

func (b *budget) grant(c *conn, bytes int64) {
	c.held.Store(bytes)
	b.used += bytes
}

func (b *budget) drop(c *conn) {
	held := c.held.Swap(0)
	b.used -= held
	if c.closing {
		b.leaving, c.closing = b.leaving-held, false
	}
	if c.place != nil {
		b.sending.Remove(c.place)
	}
	c.place = nil
}

// serve lets those in that have waited longest and fit now.
func (b *budget) serve() {
	for e := b.queue.Front(); e != nil && b.fits(e.Value.(*claim).bytes); e = b.queue.Front() {
		w := b.queue.Remove(e).(*claim)
		b.grant(w.c, w.bytes)
		close(w.open)
	}
}

// makeRoom closes connections that have not taken their bytes for long enough, until
// what is over the limit, or what waits, has room.
func (b *budget) makeRoom() {
	need := b.used - b.leaving - b.limit
	for e := b.queue.Front(); e != nil; e = e.Next() {
		need += e.Value.(*claim).bytes
	}
	for first := b.sending.Front(); need > 0 && first != nil; first = b.sending.Front() {
		c := first.Value.(*conn)
		if time.Duration(b.now().UnixNano()-c.since) < b.patience {
			return
		}
		b.sending.Remove(first)
		c.place, c.closing = nil, true
		b.leaving += c.held.Load()
		need -= c.held.Load()
		b.cut++
		c.cut()
	}
}

// show registers the metrics of long answers; r may be nil.
func (b *budget) show(r prometheus.Registerer) {
	if r == nil {
		return
	}
	read := func(value func() float64) func() float64 {
		return func() float64 {
			b.mu.Lock()
			defer b.mu.Unlock()
			return value()
		}
	}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fairfactor_http_answer_bytes", Help: "Bytes of long answers that clients have not taken yet.",
	}, read(func() float64 { return float64(b.used) })), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fairfactor_http_answers_waiting", Help: "Long answers that wait for memory.",
	}, read(func() float64 { return float64(b.queue.Len()) })), prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "fairfactor_http_answers_cut_total", Help: "Connections closed in the middle of an answer, because their clients did not read and others waited for the memory.",
	}, read(func() float64 { return float64(b.cut) })))
}
