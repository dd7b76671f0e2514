package http

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"fairfactor"
)

// A batch is cut to what a node handles as one group, and its lines of answer
// are bounded.
const (
	clientBatchLines = 1000
	clientBatchBytes = 4 << 20 // a batch of longer numbers has fewer lines
	maxAnswerLine    = 1 << 20 // bytes of one line of an answer
)

// Submit hands in numbers in their order, several as batches. When the node stops answering on the
// way, what it has accepted is kept: the receipts of the rest carry the error.
// Receipts never say whether a job is a replay, because the API does not.
func (c *Client) Submit(ctx context.Context, caller string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	if _, err := fairfactor.ParseCaller(caller); err != nil {
		return nil, err
	}
	receipts, first := slices.Grow(into, len(subs)), len(into)
	for end := first + len(subs); len(receipts) < end; {
		some := firstBatch(subs[len(receipts)-first:])
		var got []fairfactor.Receipt
		var err error
		if len(some) == 1 {
			got, err = c.submitOne(ctx, caller, some[0])
		} else {
			got, err = c.submitBatch(ctx, caller, some)
		}
		receipts = append(receipts, got...)
		if err != nil {
			if len(receipts) == first {
				return nil, err
			}
			for len(receipts) < end {
				receipts = append(receipts, fairfactor.Receipt{Err: err})
			}
		}
	}
	return receipts, nil
}

// firstBatch is the beginning of subs that goes in one request.
func firstBatch(subs []fairfactor.Submission) []fairfactor.Submission {
	size := 0
	for i := range subs {
		size += len(subs[i].Number) + len(subs[i].Key)
		if i > 0 && (i == clientBatchLines || size > clientBatchBytes) {
			return subs[:i]
		}
	}
	return subs
}

// submitOne sends one number. A refusal that is about this submission is its
// receipt; the error result is for a node that can't be asked.
func (c *Client) submitOne(ctx context.Context, caller string, sub fairfactor.Submission) ([]fairfactor.Receipt, error) {
	header := http.Header{"X-Caller-ID": {caller}, "Content-Type": {"application/json"}}
	if sub.Key != "" {
		if err := checkKey(sub.Key); err != nil {
			return []fairfactor.Receipt{{Err: err}}, nil
		}
		header.Set("Idempotency-Key", sub.Key)
	}
	if sub.Trace != nil {
		header.Set("traceparent", sub.Trace.String())
	}
	alone := sub
	alone.Key, alone.Trace = "", nil // which are in the header
	job, err := c.job(ctx, call{method: http.MethodPost, path: "/compute", header: header, body: appendSubmission(nil, &alone)})
	if err != nil {
		switch fairfactor.CodeOf(err) {
		case fairfactor.Unavailable, fairfactor.Canceled, fairfactor.Internal:
			return nil, err
		}
		return []fairfactor.Receipt{{Err: err}}, nil
	}
	job.Key = sub.Key
	return []fairfactor.Receipt{{Job: job}}, nil
}

// checkKey refuses a key that can't be the value of a header as it is.
func checkKey(key string) error {
	if len(key) > fairfactor.MaxKeyBytes {
		return fairfactor.Errorf(fairfactor.Invalid, "idempotency key has %d bytes, more than %d", len(key), fairfactor.MaxKeyBytes)
	}
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return fairfactor.Errorf(fairfactor.Invalid, "idempotency key %.40q has a character at byte %d that is not printable ASCII", key, i)
		}
	}
	return nil
}

// appendSubmission appends the body, or the line of a batch, that submits a number.
func appendSubmission(b []byte, sub *fairfactor.Submission) []byte {
	b = appendString(append(b, `{"number":`...), sub.Number)
	if sub.Key != "" {
		b = appendString(append(b, `,"key":`...), sub.Key)
	}
	if sub.Callback != "" {
		b = appendString(append(b, `,"callback_url":`...), sub.Callback)
	}
	if len(sub.Curves) > 0 {
		b = appendCurves(append(b, `,"ecm":`...), sub.Curves)
	}
	for i, f := range sub.Factors {
		if b = append(b, ','); i == 0 {
			b = append(b, `"factors":[`...)
		}
		if b = appendString(b, f.Prime); i == len(sub.Factors)-1 {
			b = append(b, ']')
		}
	}
	if !sub.Deadline.IsZero() {
		b = appendTime(append(b, `,"deadline":`...), sub.Deadline)
	}
	if sub.Trace != nil {
		b = append(sub.Trace.Append(append(b, `,"traceparent":"`...)), '"')
	}
	return append(b, '}')
}

// submitBatch sends numbers, one a line. Its receipts are those
// that the node answered; if some are missing, there is an error too.
func (c *Client) submitBatch(ctx context.Context, caller string, subs []fairfactor.Submission) ([]fairfactor.Receipt, error) {
	var body []byte
	for i := range subs {
		body = append(appendSubmission(body, &subs[i]), '\n')
	}
	k := call{
		method: http.MethodPost, path: "/compute/batch", body: body, patience: batchPatience,
		header: http.Header{"X-Caller-ID": {caller}, "Content-Type": {"application/x-ndjson"}},
	}
	receipts := make([]fairfactor.Receipt, 0, len(subs))
	err := c.send(ctx, k, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxAnswerLine)
		for len(receipts) < len(subs) && lines.Scan() {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			receipt, err := lineReceipt(lines.Bytes())
			if err != nil {
				return c.senseless(err)
			}
			receipt.Job.Key = subs[len(receipts)].Key
			receipts = append(receipts, receipt)
		}
		if len(receipts) == len(subs) {
			return nil
		}
		if err := lines.Err(); err != nil {
			return c.senseless(err)
		}
		return c.lost(k, io.ErrUnexpectedEOF, "answered a part of the batch only")
	})
	return receipts, err
}

// lineReceipt reads one line of a batch's answer: a job, or a problem.
func lineReceipt(line []byte) (fairfactor.Receipt, error) {
	var kind struct {
		ID     string          `json:"request_id"` // some problems have it too
		Status json.RawMessage `json:"status"`     // of a problem, a number
	}
	if err := json.Unmarshal(line, &kind); err != nil {
		return fairfactor.Receipt{}, err
	}
	if kind.ID == "" || len(kind.Status) > 0 && kind.Status[0] != '"' {
		var p problemAnswer
		if err := json.Unmarshal(line, &p); err != nil {
			return fairfactor.Receipt{}, err
		}
		if p.Status < 400 {
			return fairfactor.Receipt{}, errors.New("a line is neither a job nor a problem")
		}
		return fairfactor.Receipt{Err: p.err()}, nil
	}
	var answer jobAnswer
	if err := json.Unmarshal(line, &answer); err != nil {
		return fairfactor.Receipt{}, err
	}
	job, err := answer.job()
	return fairfactor.Receipt{Job: job}, err
}
