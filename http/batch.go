package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// Limits of batches, besides those of their lines.
const (
	groupLines  = 1000      // submissions in one call of Jobs.Submit
	groupBytes  = 256 << 10 // of their numbers
	answerBytes = 3 << 10   // in one chunk, which fits into fasthttp's buffer of 4 KiB with its frame

	// A client may let us wait for limits.grace altogether, and a second more for
	// this much that it sends: slow networks get through, a trickle does not.
	patienceBytes = 64 << 10
)

// batch is the answer to POST /compute/batch, made while it is read: it reads
// lines of the request, submits them in groups and gives one line for each, in
// order. It holds one group at a time. A client that sends much must read the
// answers meanwhile: when the connection takes no more, nothing more is read.
// fasthttp reads it after the handler has returned, and lets go of ctx only
// after it has closed it.
type batch struct {
	s      *Server
	ctx    *fasthttp.RequestCtx
	caller string
	group  string
	lines  lines
	waited time.Duration // for the client

	plan []error // for each line of the group its refusal, nil for the next of subs
	subs []fairfactor.Submission
	out  []byte // answers, unread from done on
	done int
	end  error       // what follows the answers, nil if there are more lines
	open bool        // holds a token of s.batches
	stop func() bool // ends the watch for Shutdown
}

// postBatch takes many numbers of one caller.
func (s *Server) postBatch(r *request) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	name, err := submitterOf(r)
	if err != nil {
		return err
	}
	caller := string(name)
	if _, err := checkMedia(r, ndjsonTypes); err != nil {
		return err
	}
	if len(r.key) > 0 {
		return refuse(badRequest, "a batch has no Idempotency-Key: give its lines the member key")
	}
	ctx := r.ctx
	if ctx.Request.Header.ContentLength() > maxBatchBytes {
		return refuse(tooLarge, "the batch is too long: send it in parts", count("max_bytes", maxBatchBytes))
	}
	select {
	case s.batches <- struct{}{}:
	default:
		return refuse(full, "this node reads as many batches as it can: try again", count("max_batches", cap(s.batches)))
	}
	b := &batch{s: s, ctx: ctx, caller: caller, group: s.groupOf(r, caller), open: true}
	conn := ctx.Conn()
	b.stop = context.AfterFunc(s.polls.running, func() {
		_ = conn.SetReadDeadline(s.now()) // what waits for the client waits no longer
	})
	b.lines.from = patient{b, ctx.Request.BodyStream()}
	ctx.Response.Header.SetContentType(ndjsonTypes[0])
	ctx.Response.Header.SetCanonical(cacheName, noStore)
	ctx.Response.SetBodyStream(b, -1)
	return nil
}

// Read gives answers; when there are none it makes those of the next group.
func (b *batch) Read(p []byte) (n int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			b.s.log.Error("a batch failed", "caller", b.caller, "err", fmt.Sprintf("panic: %v\n%s", fault, debug.Stack()))
			err = io.ErrUnexpectedEOF
		}
	}()
	for b.done == len(b.out) {
		if b.end != nil {
			return 0, b.finish()
		}
		b.nextGroup()
	}
	if len(p) > answerBytes {
		p = p[:answerBytes]
	}
	n = copy(p, b.out[b.done:])
	b.done += n
	return n, b.ctx.SetWriteDeadline(b.s.now().Add(b.s.limits.write))
}

// finish ends the answer. When the request broke, so does its answer: the next
// request could begin anywhere in the stream.
func (b *batch) finish() error {
	if errors.Is(b.end, errBatchTooLong) || b.s.polls.ended() {
		return io.EOF
	}
	return b.end
}

// Close gives the batch's place to another one.
func (b *batch) Close() error {
	if b.open {
		b.open = false
		b.stop()
		<-b.s.batches
	}
	return nil
}

// nextGroup reads lines as long as there are whole ones at hand, submits them and
// writes their answers.
func (b *batch) nextGroup() {
	b.plan, b.subs, b.out, b.done = b.plan[:0], b.subs[:0], b.out[:0], 0
	size := 0
	for len(b.plan) < groupLines && size < groupBytes {
		if len(b.plan) > 0 && b.lines.waiting() {
			break
		}
		line, err := b.lines.next()
		if err != nil && !errors.Is(err, errLineTooLong) {
			b.ended(err)
			break
		}
		if err != nil {
			err = refuse(tooLarge, "the line is too long", count("max_bytes", maxLineBytes))
		}
		var sub fairfactor.Submission
		if err == nil {
			sub, err = parseLine(line, b.s.maxDigits)
		}
		b.plan = append(b.plan, err)
		if err == nil {
			size += len(sub.Number) + len(sub.Key)
			sub.Group = b.group
			b.subs = append(b.subs, sub)
		}
	}
	b.answer(b.submit())
}

// ended notes why there are no more lines. What is not the plain end is the
// last line of the answer.
func (b *batch) ended(err error) {
	b.end = err
	switch {
	case errors.Is(err, io.EOF):
	case errors.Is(err, errBatchTooLong):
		b.plan = append(b.plan, refuse(tooLarge, "the batch is too long: the rest was not read", count("max_bytes", maxBatchBytes)))
	case b.s.polls.ended():
		b.plan = append(b.plan, refuse(notNow, "the node is draining: the rest was not read, send it to another node"))
	default:
		b.plan = append(b.plan, brokenBody(err))
	}
}

// submit hands the group to Jobs. A failure of the whole group is the answer to
// each of its submissions.
func (b *batch) submit() []fairfactor.Receipt {
	if len(b.subs) == 0 {
		return nil
	}
	err := b.s.takesJobs()
	if err == nil {
		ctx := b.s.bounded()
		var receipts []fairfactor.Receipt
		if receipts, err = b.s.jobs.Submit(ctx, b.caller, b.subs); err == nil && len(receipts) == len(b.subs) {
			return receipts
		}
		if err == nil {
			err = fairfactor.Errorf(fairfactor.Internal, "%d receipts for %d submissions", len(receipts), len(b.subs))
		}
	}
	if problemOf(err).kind == broken {
		b.s.log.Error("a batch failed", "caller", b.caller, "err", err)
	}
	receipts := make([]fairfactor.Receipt, len(b.subs))
	for i := range receipts {
		receipts[i].Err = err
	}
	return receipts
}

// answer appends a line for each line of the group.
func (b *batch) answer(receipts []fairfactor.Receipt) {
	next := 0
	for _, err := range b.plan {
		if err == nil {
			receipt := &receipts[next]
			err = receipt.Err
			if err == nil {
				b.out = AppendReceipt(b.out, &receipt.Job)
			} else {
				err = refusedSubmission(err, b.subs[next])
			}
			next++
		}
		if err != nil {
			b.out = appendProblem(b.out, problemOf(err))
		}
		b.out = append(b.out, '\n')
	}
}

// patient reads the body of a batch under a deadline that moves with what has
// arrived. Time that is spent on submitting and answering is not the client's.
type patient struct {
	b    *batch
	from io.Reader
}

func (p patient) Read(buf []byte) (int, error) {
	if p.from == nil {
		return 0, io.EOF
	}
	begun := p.b.s.now()
	grace := p.b.s.limits.grace
	patience := grace + time.Duration(p.b.lines.taken)*time.Second/patienceBytes
	if err := p.b.ctx.SetReadDeadline(begun.Add(min(patience-p.b.waited, grace))); err != nil {
		return 0, err
	}
	if err := p.b.s.polls.running.Err(); err != nil { // after the deadline, which Shutdown sets too
		return 0, err
	}
	n, err := p.from.Read(buf)
	p.b.waited += p.b.s.now().Sub(begun)
	return n, err
}
