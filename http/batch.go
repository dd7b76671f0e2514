package http

import (
	"errors"
	"sync"
	"time"

	"fairfactor"
)

// groupBytes bounds the numbers in one call of Jobs.Submit, besides [groupLines].
const groupBytes = 256 << 10

// lineBytes is about what the answer to a line takes.
const lineBytes = 130

// batch is the answer to POST /compute/batch: it reads lines of the request, submits
// them in groups and gives one line for each, in order.
type batch struct {
	exchange
	caller string
	group  string            // of the caller
	trace  *fairfactor.Trace // of lines that name no other

	asked time.Time // when the last group was handed to Jobs

	*lineGroup // nil between two groups
}

// lineGroup is what a batch has of the lines that it handles at once.
type lineGroup struct {
	plan     []error // for each line its refusal, nil for the next of subs
	subs     []fairfactor.Submission
	receipts []fairfactor.Receipt // of subs
	numbers  texts
}

var lineGroups = sync.Pool{New: func() any { return new(lineGroup) }}

// release gives the group's memory to the next one, of any batch.
func (g *lineGroup) release() {
	clear(g.plan)
	clear(g.subs)
	clear(g.receipts)
	g.plan, g.subs, g.receipts = g.plan[:0], g.subs[:0], g.receipts[:0]
	lineGroups.Put(g)
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
	b := &batch{caller: caller, group: s.groupOf(r, caller), trace: traceOf(r.traceparent)}
	return b.begin(s, r, "a batch", b.nextGroup)
}

// nextGroup reads lines as long as there are whole ones at hand, submits them and
// writes their answers. If more are sure to come it waits for them: a group is answered
// when it is durable, and with a database that is far each takes its time.
func (b *batch) nextGroup() {
	b.lineGroup = lineGroups.Get().(*lineGroup)
	size := 0
	for len(b.plan) < groupLines && size < groupBytes {
		if len(b.plan) > 0 && b.lines.waiting() && !b.length {
			break
		}
		line, err := b.lines.next()
		if err != nil && !errors.Is(err, errLineTooLong) {
			b.ended(err)
			break
		}
		if err != nil {
			err = lineTooLong()
		}
		var sub fairfactor.Submission
		if err == nil {
			sub, err = b.s.line.parse(line, &b.numbers)
		}
		b.plan = append(b.plan, err)
		if err == nil {
			size += len(sub.Number) + len(sub.Key)
			sub.Group = b.group
			if sub.Trace == nil {
				sub.Trace = b.trace
			}
			b.subs = append(b.subs, sub)
		}
	}
	b.submit()
	b.answer()
	b.release()
	b.lineGroup = nil
}

// ended notes why there are no more lines. What is not the plain end is the
// last line of the answer.
func (b *batch) ended(err error) {
	var last error
	if last, b.end = b.lastLine(err); last != nil {
		b.plan = append(b.plan, last)
	}
}

// submit hands the group to Jobs. A failure of the whole group is the answer to
// each of its submissions.
func (b *batch) submit() {
	if len(b.subs) == 0 {
		return
	}
	err := b.s.stillKnown(b.as) // the client may have taken its time
	if err == nil {
		err = b.s.takesJobs()
	}
	if err == nil {
		b.asked = b.s.now()
		var receipts []fairfactor.Receipt
		if receipts, err = b.s.jobs.Submit(b.s.bounded(), b.caller, b.subs, b.receipts); err == nil && len(receipts) == len(b.subs) {
			b.receipts = receipts
			return
		}
		if err == nil {
			err = fairfactor.Errorf(fairfactor.Internal, "%d receipts for %d submissions", len(receipts), len(b.subs))
		}
	}
	if problemOf(err).kind == broken {
		b.s.log.Error("a batch failed", "caller", b.caller, "err", err)
	}
	b.receipts = b.receipts[:0]
	for range b.subs {
		b.receipts = append(b.receipts, fairfactor.Receipt{Err: err})
	}
}

// answer appends a line for each line of the group.
func (b *batch) answer() {
	b.borrowOut(len(b.plan) * lineBytes)
	next := 0
	for _, err := range b.plan {
		if err == nil {
			receipt := &b.receipts[next]
			err = receipt.Err
			if err == nil {
				b.s.traced(receipt, b.asked)
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
