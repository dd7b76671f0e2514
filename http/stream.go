package http

import (
	"bufio"
	"context"
	"errors"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
	"fairfactor/http/feed"
)

// stream is a connection on which events go out until the client or the node ends it.
// Like a poll it has left fasthttp, its worker and its buffers: it is a goroutine with a
// small stack, and a queue that is empty most of the time. Nothing else follows on the
// connection, so the answer ends with it and needs no length.
type stream struct {
	s      *Server
	conn   *conn
	head   []byte // of the answer, until it is written
	filter feed.Filter
	from   fairfactor.Position // zero for now on
	as     *fairfactor.APIKey  // of who listens
	cancel context.CancelFunc

	last   feed.Kind // of the last event about the filter's job
	broken bool      // something could not be written, or a part of it
}

// stream makes a stream the answer to a request.
func (s *Server) stream(r *request, f feed.Filter) error {
	if s.feed == nil {
		return refuse(noSuchThing, "this node tells no events")
	}
	from, err := positionOf(r)
	if err != nil {
		return err
	}
	if float64(s.streams.count()) >= streamShare*float64(s.limits.connections) {
		return refuse(full, "this node has as many subscribers as it takes: try another one", count("max_subscribers", int(streamShare*float64(s.limits.connections))))
	}
	resp := &r.ctx.Response
	resp.Header.SetContentType(mediaEvents)
	resp.Header.SetCanonical(cacheName, noStore)
	resp.Header.Set("X-Accel-Buffering", "no") // a proxy must hand events on at once
	c, ok := r.ctx.Conn().(*conn)
	if r.ctx.IsHead() || !ok {
		return nil
	}
	t := &stream{s: s, conn: c, filter: f, from: from, as: r.as}
	resp.Header.SetNoDefaultContentType(true)
	resp.Header.SetServer(s.name)
	m := mannersOf(r)
	m.close = true
	s.finish(resp, m)
	resp.Header.SetContentLength(-2) // until the connection ends
	t.head = append([]byte(nil), resp.Header.Header()...)
	ctx, cancel := context.WithCancel(s.streams.running)
	t.cancel = cancel
	s.streams.add(&poll{conn: c, cancel: cancel, as: r.as})
	if s.stillKnown(r.as) != nil { // revoked meanwhile
		cancel()
	}
	c.detached = func() { go t.run(ctx) }
	r.ctx.HijackSetNoResponse(true)
	r.ctx.Hijack((&poll{conn: c}).detach)
	begun := s.now()
	s.metrics.observe(r.res, r.method, fasthttp.StatusOK, begun.Sub(r.ctx.Time()))
	v := s.seenOf(r)
	s.access.write(&v, fasthttp.StatusOK, -1, begun)
	return nil
}

// errTold ends a stream after the end of its job.
var errTold = errors.New("the job has ended")

// run sends events until something ends the stream.
func (t *stream) run(ctx context.Context) {
	defer t.s.streams.done.Done()
	defer context.AfterFunc(ctx, t.hurry)()
	t.conn.idle, t.conn.head = false, nil
	err := t.tell(ctx)
	if !errors.Is(err, errTold) {
		t.farewell(ctx, err)
	}
	t.cancel()
	t.s.streams.remove(&poll{conn: t.conn})
	t.conn.Close()
}

// hurryTime is what a client that does not read holds up the end of its stream.
const hurryTime = time.Second

// hurry bounds a write that is under way when the stream is to end.
func (t *stream) hurry() { _ = t.conn.Conn.SetWriteDeadline(time.Now().Add(hurryTime)) }

// tell sends what the client has missed, then what happens.
func (t *stream) tell(ctx context.Context) error {
	if err := t.write(append(t.head, "retry: 1000\n\n"...)); err != nil {
		return err
	}
	t.head = nil
	if t.from.Group > 0 {
		to, err := t.s.feed.Replay(ctx, t.filter, t.from, t.send)
		if err != nil {
			return err
		}
		t.from = to
	}
	sub, err := t.s.feed.Subscribe(ctx, t.filter, t.from)
	if err != nil {
		return err
	}
	defer sub.Close()
	if t.from.Group > 0 {
		err = sub.CatchUp(ctx, t.from, t.send)
	} else {
		err = t.begin(sub.Start)
	}
	if err != nil {
		return err
	}
	return t.follow(ctx, sub)
}

// begin tells where the stream begins, and how the job is that it is about.
func (t *stream) begin(at fairfactor.Position) error {
	if err := t.write(append(at.Append([]byte("id: ")), "\n\n"...)); err != nil || t.filter.Job == (fairfactor.ID{}) {
		return err
	}
	job, err := t.s.jobs.Job(t.s.bounded(), t.filter.Job)
	if err != nil {
		return err
	}
	kind := feed.Accepted
	switch {
	case job.State == fairfactor.Running:
		kind = feed.Running
	case job.State.Final():
		kind = feed.Ended
	}
	return t.send([]*feed.Message{{Kind: kind, Job: job.ID, At: at, Text: renderEvent(kind, &job, at)}})
}

// errSlow ends a stream whose client does not take its events.
var errSlow = errors.New("too slow")

// errRevoked ends a stream whose key is not valid any more.
var errRevoked = errors.New("the key was revoked")

// follow sends what comes into the queue.
func (t *stream) follow(ctx context.Context, sub *feed.Subscription) error {
	var batch []*feed.Message
	for {
		select {
		case <-sub.Ready():
		case <-ctx.Done():
			return ctx.Err()
		}
		var end feed.End
		batch, end = sub.Take(batch)
		if t.s.stillKnown(t.as) != nil {
			return errRevoked
		}
		if err := t.send(batch); err != nil {
			return err
		}
		if batch = batch[:0]; cap(batch) > keptBatch {
			batch = nil
		}
		switch end {
		case feed.Slow:
			return errSlow
		case feed.Stopped:
			return context.Canceled
		}
	}
}

// keptBatch is the largest batch whose memory is kept.
const keptBatch = 16

// send writes messages. After the end of the stream's job it returns errTold.
func (t *stream) send(messages []*feed.Message) error {
	if len(messages) == 0 {
		return nil
	}
	w := writers.Get().(*bufio.Writer)
	w.Reset(t.conn)
	defer func() { w.Reset(nil); writers.Put(w) }()
	for _, m := range messages {
		if t.repeats(m) {
			continue
		}
		if _, err := w.Write(m.Text); err != nil {
			t.broken = true
			return err
		}
	}
	if err := w.Flush(); err != nil {
		t.broken = true
		return err
	}
	if t.filter.Job != (fairfactor.ID{}) && t.last == feed.Ended {
		return errTold
	}
	return nil
}

// repeats tells whether a message says what was just told of the stream's job: it began
// with how the job was, which may be what happened after its beginning.
func (t *stream) repeats(m *feed.Message) bool {
	if t.filter.Job == (fairfactor.ID{}) || m.Job != t.filter.Job {
		return false
	}
	again := m.Kind == feed.Accepted && t.last != 0 && t.last != feed.Ended ||
		m.Kind == feed.Running && (t.last == feed.Running || t.last == feed.Progress)
	if !again {
		t.last = m.Kind
	}
	return again
}

// farewell tells the client why the stream ends, if it may still be there.
func (t *stream) farewell(ctx context.Context, err error) {
	if t.broken {
		return
	}
	reason, detail := "unavailable", "events can't be read now: come back with the id of the last event"
	switch {
	case errors.Is(err, errSlow):
		reason, detail = "slow", "the events were not taken as quickly as they came: come back with the id of the last event to get the rest"
	case t.s.streams.ended():
		reason, detail = "draining", "the node is stopping: go on at another one with the id of the last event"
	case t.s.stillKnown(t.as) != nil:
		reason, detail = "revoked", "the key is not valid any more"
	case ctx.Err() != nil:
		return // the client has hung up
	case fairfactor.CodeOf(err) == fairfactor.Unavailable:
		detail = fairfactor.MessageOf(err)
	}
	b := append([]byte("event: closed\n"), "data: {\"reason\":"...)
	b = appendString(b, reason)
	b = appendString(append(b, `,"detail":`...), detail)
	_ = t.write(append(b, "}\n\n"...)) // it may be gone all the same
}

func (t *stream) write(b []byte) error {
	_, err := t.conn.Write(b)
	t.broken = t.broken || err != nil
	return err
}
