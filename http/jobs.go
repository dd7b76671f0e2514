package http

import (
	"context"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// getJob shows a job, at once or when it has ended.
func (s *Server) getJob(ctx *fasthttp.RequestCtx, arg string) error {
	id, err := jobID(arg)
	if err != nil {
		return err
	}
	wait, preferred, err := waitOf(ctx)
	if err != nil {
		return err
	}
	job, err := s.look(id, wait)
	if err != nil {
		return aboutJob(err, arg)
	}
	if preferred {
		preferenceApplied(ctx, wait)
	}
	answerJob(ctx, &job)
	return nil
}

func (s *Server) look(id fairfactor.ID, wait time.Duration) (fairfactor.Job, error) {
	if wait > 0 {
		return s.await(id, wait)
	}
	ctx := s.bounded()
	return s.jobs.Job(ctx, id)
}

func jobID(arg string) (fairfactor.ID, error) {
	id, err := fairfactor.ParseID(arg)
	if err != nil {
		return id, aboutJob(err, arg)
	}
	return id, nil
}

// aboutJob adds to an error which job it is about.
func aboutJob(err error, arg string) error {
	k := kindOf(fairfactor.CodeOf(err))
	if k == broken {
		return err
	}
	return problemAs(k, err, shown("request_id", arg))
}

// answerJob shows a job. An ended job stays as it is, but for a retry, so a
// client may keep it and ask whether it has changed; any other is old when it
// arrives.
func answerJob(ctx *fasthttp.RequestCtx, job *fairfactor.Job) {
	buf := acquireScratch()
	defer buf.release()
	buf.out = append(appendJob(buf.out, job), '\n')
	h := &ctx.Response.Header
	h.SetContentType(mediaJSON)
	if job.State.Final() {
		h.Set("Cache-Control", "private, no-cache")
	} else {
		h.Set("Cache-Control", "no-store")
	}
	var tag [18]byte
	etag := appendETag(tag[:0], buf.out)
	h.SetBytesV("Etag", etag)
	if sent := ctx.Request.Header.Peek("If-None-Match"); len(sent) > 0 && tagMatches(string(sent), string(etag)) {
		ctx.SetStatusCode(fasthttp.StatusNotModified)
		return
	}
	ctx.SetBody(buf.out)
}

// appendETag appends a strong entity tag of a body: its FNV-1a hash of 64 bits,
// which all nodes agree on.
func appendETag(b, body []byte) []byte {
	const offset, prime, hex = 14695981039346656037, 1099511628211, "0123456789abcdef"
	sum := uint64(offset)
	for _, c := range body {
		sum = (sum ^ uint64(c)) * prime
	}
	b = append(b, '"')
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hex[sum>>shift&15])
	}
	return append(b, '"')
}

// tagMatches compares an If-None-Match header with a tag, weakly (RFC 9110,
// section 13.1.2).
func tagMatches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
			return true
		}
	}
	return false
}

// listJobs shows jobs, newest first.
func (s *Server) listJobs(ctx *fasthttp.RequestCtx, _ string) error {
	q, err := queryOf(ctx)
	if err != nil {
		return err
	}
	call := s.bounded()
	page, err := s.jobs.List(call, q)
	if err != nil {
		if q.Cursor != "" && fairfactor.CodeOf(err) == fairfactor.Invalid {
			return problemAs(badRequest, err, shown("cursor", q.Cursor))
		}
		return err
	}
	buf := acquireScratch()
	defer buf.release()
	buf.out = append(appendPage(buf.out, &page), '\n')
	answerJSON(ctx, buf.out)
	return nil
}

// defaultPage is how many jobs or callers a page has if the client does not say.
const defaultPage = 100

func queryOf(ctx *fasthttp.RequestCtx) (q fairfactor.Query, err error) {
	if q.Caller, _, err = queryValue(ctx, "caller_id"); err != nil {
		return q, err
	}
	if q.Caller != "" {
		if q.Caller, err = checkCaller(q.Caller); err != nil {
			return q, err
		}
	}
	status, _, err := queryValue(ctx, "status")
	if err != nil {
		return q, err
	}
	if status != "" {
		state, ok := fairfactor.ParseState(status)
		if !ok {
			return q, refuse(badRequest, "status must be pending, running, completed, failed or cancelled", shown("status", status))
		}
		q.State = state
	}
	if q.Limit, err = queryLimit(ctx, defaultPage); err != nil {
		return q, err
	}
	q.Cursor, _, err = queryValue(ctx, "cursor")
	return q, err
}

// cancelJob ends a job.
func (s *Server) cancelJob(ctx *fasthttp.RequestCtx, arg string) error {
	return s.change(ctx, arg, s.jobs.Cancel, fasthttp.StatusOK)
}

// retryJob puts a failed job back at the end of its caller's queue.
func (s *Server) retryJob(ctx *fasthttp.RequestCtx, arg string) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	return s.change(ctx, arg, s.jobs.Retry, fasthttp.StatusAccepted)
}

func (s *Server) change(ctx *fasthttp.RequestCtx, arg string, do func(context.Context, fairfactor.ID) (fairfactor.Job, error), status int) error {
	id, err := jobID(arg)
	if err != nil {
		return err
	}
	call := s.bounded()
	job, err := do(call, id)
	if err != nil {
		return aboutJob(err, arg)
	}
	buf := acquireScratch()
	defer buf.release()
	buf.out = append(appendJob(buf.out, &job), '\n')
	answerJSON(ctx, buf.out)
	ctx.SetStatusCode(status)
	if status == fasthttp.StatusAccepted {
		ctx.Response.Header.Set("Location", jobsPath+job.ID.String())
	}
	return nil
}

// answerJSON answers 200 with something that is true only now.
func answerJSON(ctx *fasthttp.RequestCtx, body []byte) {
	ctx.Response.Header.SetContentType(mediaJSON)
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.SetBody(body)
}
