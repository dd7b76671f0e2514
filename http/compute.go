package http

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// jobsPath is where jobs are, each under its id.
const jobsPath = "/compute/"

// mediaJSON is the media type of answers.
const mediaJSON = "application/json"

// postCompute takes one number of one caller. It answers 202 when the job is
// durable; 200 with the whole job when it has ended, either within the time that
// the client wants to wait or because its key was used before.
func (s *Server) postCompute(r *request) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	caller, err := submitterOf(r)
	if err != nil {
		return err
	}
	wait, preferred, err := waitOf(r)
	if err != nil {
		return err
	}
	name, sub, err := s.readSubmission(r, caller)
	if err != nil {
		return err
	}
	sub.Group, sub.Wait, sub.Trace = s.groupOf(r, name), wait > 0, traceOf(r.traceparent)
	job, err := s.submit(r, name, sub)
	if err != nil {
		return err
	}
	if wait > 0 && !job.State.Final() {
		p := &poll{job: job, preferred: preferred, told: wait}
		// The job is safe: whatever goes wrong now, the client gets its 202.
		if detached, err := s.wait(r, p, wait); detached {
			return nil
		} else if err == nil {
			job = p.job
		}
	}
	if preferred {
		preferenceApplied(&r.ctx.Response, wait)
	}
	r.out = answerSubmission(&r.ctx.Response, s.site.appendPrefix(r.out, r), &job, wait > 0)
	return nil
}

// takesJobs refuses submissions while the node is not ready.
func (s *Server) takesJobs() error {
	if err := s.ready(); err != nil {
		return asNotNow(err)
	}
	return nil
}

// asNotNow is the problem of an error that keeps the node from its work for now.
func asNotNow(err error) *problem {
	p := problemOf(err)
	p.kind = notNow
	return p
}

// readSubmission reads the number and the key of a submission. They and the name
// of the caller are parts of one string: three would be three objects.
func (s *Server) readSubmission(r *request, caller []byte) (name string, sub fairfactor.Submission, err error) {
	form, err := checkMedia(r, jsonTypes)
	if err != nil {
		return "", sub, err
	}
	key, err := keyOf(r)
	if err != nil {
		return "", sub, err
	}
	if r.in, err = readBody(r.ctx, r.in); err != nil {
		return "", sub, err
	}
	if first := skipSpace(r.in); form && (len(first) == 0 || first[0] != '{') {
		return "", sub, notOfType(r, jsonTypes)
	}
	digits, err := s.single.number(r.in, &sub)
	if err != nil {
		return "", sub, err
	}
	r.out = append(append(append(r.out, caller...), key...), digits...)
	text := string(r.out)
	r.out = r.out[:0]
	name, text = text[:len(caller)], text[len(caller):]
	sub.Key, text = text[:len(key)], text[len(key):]
	if sub.Number, err = parseNumber(text, s.maxDigits); err == nil {
		err = checkFactors(&sub)
	}
	return name, sub, err
}

// keyOf returns the Idempotency-Key of a request, empty if it has none.
func keyOf(r *request) ([]byte, error) {
	key := r.key
	if r.keys > 1 {
		return nil, refuse(badRequest, "send one Idempotency-Key only", count("keys", r.keys))
	}

	return key, checkKeyBytes("Idempotency-Key", key)
}

// checkKeyBytes refuses what can be no idempotency key; name is where it stands.
func checkKeyBytes(name string, key []byte) error {
	if len(key) > fairfactor.MaxKeyBytes {
		return refuse(badRequest, fmt.Sprintf("the %s has %d bytes: send at most %d", name, len(key), fairfactor.MaxKeyBytes), count("length", len(key)), count("max_bytes", fairfactor.MaxKeyBytes))
	}
	for i, c := range key {
		if c < ' ' || c > '~' {
			return refuse(badRequest, fmt.Sprintf("the %s has a character at byte %d that is not printable ASCII: leave it out", name, i), count("at_byte", i))
		}
	}
	return nil
}

// submit hands one number to Jobs.
func (s *Server) submit(r *request, caller string, sub fairfactor.Submission) (fairfactor.Job, error) {
	r.subs[0] = sub
	receipts, err := s.jobs.Submit(s.deadlines.next(r.ctx.Time()), caller, r.subs[:], r.receipts[:0])
	switch {
	case err != nil:
		return fairfactor.Job{}, err
	case len(receipts) != 1:
		return fairfactor.Job{}, fairfactor.Errorf(fairfactor.Internal, "%d receipts for one submission", len(receipts))
	case receipts[0].Err != nil:
		return fairfactor.Job{}, refusedSubmission(receipts[0].Err, sub)
	}
	s.traced(&receipts[0], r.ctx.Time())
	return receipts[0].Job, nil
}

// traced tells of a job with a trace that a submission has made.
func (s *Server) traced(r *fairfactor.Receipt, begun time.Time) {
	if s.submitted != nil && r.Job.Trace != nil && !r.Replay {
		s.submitted(&r.Job, begun, s.now())
	}
}

// refusedSubmission is the problem of a submission that Jobs refused. What is
// invalid in one whose number was read is its key, or that the caller may not submit it.
func refusedSubmission(err error, sub fairfactor.Submission) error {
	if fairfactor.CodeOf(err) != fairfactor.Invalid {
		return err
	}
	if sub.Key == "" || quotaOf(err) != nil {
		return problemAs(badNumber, err, shown("number", sub.Number))
	}
	return problemAs(badKey, err, shown("key", sub.Key), shown("number", sub.Number))
}

// answerSubmission answers a submission whose job may have ended already: one that was
// waited for, or whose key was used before, with the job, and one that ended at once,
// because the factors were known or the number is deadly, as one that was accepted. prefix
// is what stands before the path of a job; its memory is used for the answer, and what that
// has become is returned.
func answerSubmission(resp *fasthttp.Response, prefix []byte, job *fairfactor.Job, waited bool) []byte {
	h := &resp.Header
	b := job.ID.Append(append(prefix, jobsPath...))
	h.SetCanonical(locationName, b)
	h.SetContentTypeBytes(mediaJSONBytes)
	h.SetCanonical(cacheName, noStore)
	if job.State.Final() && (waited || !endedAtOnce(job)) {
		b = AppendJob(b[:0], job)
	} else {
		resp.SetStatusCode(fasthttp.StatusAccepted)
		b = AppendReceipt(b[:0], job)
	}
	b = append(b, '\n')
	resp.SetBody(b)
	return b
}
