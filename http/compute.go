package http

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// jobsPath is where jobs are, each under its id.
const jobsPath = "/compute/"

// mediaJSON is the media type of answers.
const mediaJSON = "application/json"

// postCompute takes one number of one caller. It answers 202 when the job is
// durable; 200 with the whole job when it has ended, be it within the time that
// the client wants to wait or because its key was used before.
func (s *Server) postCompute(ctx *fasthttp.RequestCtx, _ string) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	caller, err := callerOf(ctx)
	if err != nil {
		return err
	}
	wait, preferred, err := waitOf(ctx)
	if err != nil {
		return err
	}
	buf := acquireScratch()
	defer buf.release()
	sub, err := s.readSubmission(ctx, buf)
	if err != nil {
		return err
	}
	job, err := s.submit(caller, sub)
	if err != nil {
		return err
	}
	if preferred {
		preferenceApplied(ctx, wait)
	}
	if wait > 0 && !job.State.Final() {
		// The job is safe: whatever goes wrong now, the client gets its 202.
		if later, err := s.await(job.ID, wait); err == nil {
			job = later
		}
	}
	answerSubmission(ctx, buf, &job)
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

// readSubmission reads the number and the key of a submission.
func (s *Server) readSubmission(ctx *fasthttp.RequestCtx, buf *scratch) (sub fairfactor.Submission, err error) {
	if err := checkMedia(ctx, jsonTypes); err != nil {
		return sub, err
	}
	if sub.Key, err = keyOf(ctx); err != nil {
		return sub, err
	}
	if buf.in, err = readBody(ctx, buf.in); err != nil {
		return sub, err
	}
	sub.Number, err = parseSubmission(buf.in, s.maxDigits)
	return sub, err
}

// keyOf returns the Idempotency-Key of a request, empty if it has none.
func keyOf(ctx *fasthttp.RequestCtx) (string, error) {
	key := ctx.Request.Header.Peek("Idempotency-Key")
	if len(key) == 0 {
		return "", nil
	}
	if all := ctx.Request.Header.PeekAll("Idempotency-Key"); len(all) > 1 {
		return "", refuse(badRequest, "there is more than one Idempotency-Key", count("keys", len(all)))
	}
	if len(key) > fairfactor.MaxKeyBytes {
		return "", refuse(badRequest, "the Idempotency-Key is too long", count("length", len(key)), count("max_bytes", fairfactor.MaxKeyBytes))
	}
	for i, c := range key {
		if c < ' ' || c > '~' {
			return "", refuse(badRequest, "the Idempotency-Key has a byte that is not a printable ASCII character", count("at_byte", i))
		}
	}
	return string(key), nil
}

// submit hands one number to Jobs.
func (s *Server) submit(caller string, sub fairfactor.Submission) (fairfactor.Job, error) {
	ctx := s.bounded()
	receipts, err := s.jobs.Submit(ctx, caller, []fairfactor.Submission{sub})
	switch {
	case err != nil:
		return fairfactor.Job{}, err
	case len(receipts) != 1:
		return fairfactor.Job{}, fairfactor.Errorf(fairfactor.Internal, "%d receipts for one submission", len(receipts))
	case receipts[0].Err != nil:
		return fairfactor.Job{}, refusedSubmission(receipts[0].Err, sub)
	}
	return receipts[0].Job, nil
}

// refusedSubmission is the problem of a submission that Jobs refused. What is
// invalid in one whose number was read is its key.
func refusedSubmission(err error, sub fairfactor.Submission) error {
	if fairfactor.CodeOf(err) != fairfactor.Invalid {
		return err
	}
	if sub.Key == "" {
		return problemAs(badNumber, err, shown("number", sub.Number))
	}
	return problemAs(badKey, err, shown("key", sub.Key), shown("number", sub.Number))
}

// await waits until a job has ended, the time is over or the server shuts down,
// and returns the job as it is then.
func (s *Server) await(id fairfactor.ID, wait time.Duration) (fairfactor.Job, error) {
	ctx, cancel := context.WithTimeout(s.polls, wait)
	defer cancel()
	return s.jobs.Wait(ctx, id)
}

func answerSubmission(ctx *fasthttp.RequestCtx, buf *scratch, job *fairfactor.Job) {
	h := &ctx.Response.Header
	buf.out = append(buf.out, jobsPath...)
	buf.out = appendID(buf.out, job.ID)
	h.SetBytesV("Location", buf.out)
	h.SetContentType(mediaJSON)
	h.Set("Cache-Control", "no-store")
	if job.State.Final() {
		buf.out = appendJob(buf.out[:0], job)
	} else {
		ctx.SetStatusCode(fasthttp.StatusAccepted)
		buf.out = appendReceipt(buf.out[:0], job)
	}
	buf.out = append(buf.out, '\n')
	ctx.SetBody(buf.out)
}
