package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/valyala/fasthttp"
)

// Limits of exchanges, besides those of their lines.
const (
	groupLines  = 1000    // lines that are handled at once
	answerBytes = 3 << 10 // in one chunk, which fits into fasthttp's buffer of 4 KiB with its frame

	// A client may let us wait for limits.grace altogether, and a second more for
	// this much that it sends: slow networks get through, a trickle does not.
	patienceBytes = 64 << 10
)

// exchange is an answer in lines that is made while it is sent, and while the lines of
// the request are read, if there are any. It holds one group of lines at a time. A
// client that sends much must read the answers meanwhile: when the connection takes no
// more, nothing more is read. fasthttp reads it after the handler has returned, and
// lets go of ctx only after it has closed it.
type exchange struct {
	pieces // one for each group of lines

	ctx    *fasthttp.RequestCtx
	lines  lines // of the request
	waited time.Duration
	length bool // the request says how long it is: its end comes without an answer

	open bool        // holds a token of s.batches
	stop func() bool // ends the watch for Shutdown
}

// begin makes the exchange the answer to a request.
func (x *exchange) begin(s *Server, r *request, name string, next func()) error {
	ctx := r.ctx
	if ctx.Request.Header.ContentLength() > maxBatchBytes {
		return refuse(tooLarge, fmt.Sprintf("the batch has more than %d bytes: send it in parts", maxBatchBytes), count("max_bytes", maxBatchBytes))
	}
	select {
	case s.batches <- struct{}{}:
	default:
		return refuse(full, "this node reads as many batches as it can: try again", count("max_batches", cap(s.batches)))
	}
	x.pieces.begin(s, r, name, ndjsonTypes[0], next)
	x.ctx, x.open, x.length = ctx, true, ctx.Request.Header.ContentLength() > 0
	conn := ctx.Conn()
	x.stop = context.AfterFunc(s.polls.running, func() {
		_ = conn.SetReadDeadline(s.now()) // what waits for the client waits no longer
	})
	x.lines.from = patient{x, ctx.Request.BodyStream()}
	ctx.Response.SetBodyStream(x, -1)
	return nil
}

// Read gives answers; when there are none it makes those of the next group.
func (x *exchange) Read(p []byte) (int, error) {
	if err := x.fill(); err != nil {
		return 0, err
	}
	if len(p) > answerBytes {
		p = p[:answerBytes]
	}
	n := copy(p, x.out[x.done:])
	x.done += n
	return n, x.ctx.SetWriteDeadline(x.s.now().Add(x.s.limits.write))
}

// Close gives the exchange's place to another one.
func (x *exchange) Close() error {
	x.conn.letGo()
	x.lendOut()
	if x.open {
		x.open = false
		x.stop()
		<-x.s.batches
	}
	return nil
}

// lastLine says what follows the lines of a request that has ended: the last line of
// the answer, unless it is the plain end, and the end. When the request broke, so does
// its answer: the next request could begin anywhere in the stream.
func (x *exchange) lastLine(err error) (line, end error) {
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, errBatchTooLong):
		return refuse(tooLarge, fmt.Sprintf("the batch has more than %d bytes: the rest was not read, send it in parts", maxBatchBytes), count("max_bytes", maxBatchBytes)), io.EOF
	case x.s.polls.ended():
		return refuse(notNow, "the node is draining: the rest was not read, send it to another node"), io.EOF
	}
	return brokenBody(err), err
}

// patient reads the body of an exchange under a deadline that moves with what has
// arrived. Time that is spent on submitting and answering is not the client's.
type patient struct {
	x    *exchange
	from io.Reader
}

func (p patient) Read(buf []byte) (int, error) {
	if p.from == nil {
		return 0, io.EOF
	}
	x := p.x
	begun := x.s.now()
	grace := x.s.limits.grace
	patience := grace + time.Duration(x.lines.taken)*time.Second/patienceBytes
	if err := x.ctx.SetReadDeadline(begun.Add(min(patience-x.waited, grace))); err != nil {
		return 0, err
	}
	if err := x.s.polls.running.Err(); err != nil { // after the deadline, which Shutdown sets too
		return 0, err
	}
	n, err := p.from.Read(buf)
	x.waited += x.s.now().Sub(begun)
	return n, err
}
