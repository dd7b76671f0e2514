package http

import (
	"errors"
	"time"

	"fairfactor"
)

// groupBytes bounds the numbers in one call of Jobs.Submit, besides [groupLines].
const groupBytes = 256 << 10

// batch is the answer to POST /compute/batch: it reads lines of the request, submits
// them in groups and gives one line for each, in order.
type batch struct {
	exchange
	caller string
	group  string
	trace  *fairfactor.Trace // of lines that name no other

	asked time.Time // when the last group was handed to Jobs

	plan []error // for each line of the group its refusal, nil for the next of subs
	subs []fairfactor.Submission
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
	b.plan, b.subs = b.plan[:0], b.subs[:0]
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
			sub, err = b.s.line.parse(line)
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
	b.answer(b.submit())
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
func (b *batch) submit() []fairfactor.Receipt {
	if len(b.subs) == 0 {
		return nil
	}
	err := b.s.stillKnown(b.as) // the client may have taken its time
	if err == nil {
		err = b.s.takesJobs()
	}
	if err == nil {
		ctx := b.s.bounded()
		b.asked = b.s.now()
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
