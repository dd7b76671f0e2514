package http

import (
	"context"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/valyala/fasthttp"

	"fairfactor"
)

// getJob shows a job, at once or when it has ended.
func (s *Server) getJob(r *request) error {
	id, err := jobID(r.arg)
	if err != nil {
		return err
	}
	wait, preferred, err := waitOf(r)
	if err != nil {
		return err
	}
	var job fairfactor.Job
	if wait > 0 {
		p := &poll{job: fairfactor.Job{ID: id}, look: true, preferred: preferred, told: wait}
		var detached bool
		if detached, err = s.wait(r, p, wait); detached {
			return nil
		}
		job = p.job
	} else {
		job, err = s.jobs.Job(s.deadlines.next(r.ctx.Time()), id)
	}
	if err != nil {
		return aboutJob(err, r.arg)
	}
	if preferred {
		preferenceApplied(&r.ctx.Response, wait)
	}
	r.out = answerJob(&r.ctx.Response, r.out, &job, r.match)
	return nil
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

// answerJob shows a job. An ended job stays as it is, except for a retry, so a
// client may keep it and ask whether it has changed; any other is old when it
// arrives. The answer is made in the memory of b, and what that has become is
// returned.
func answerJob(resp *fasthttp.Response, b []byte, job *fairfactor.Job, match []byte) []byte {
	b = append(AppendJob(b, job), '\n')
	h := &resp.Header
	h.SetContentTypeBytes(mediaJSONBytes)
	if job.State.Final() {
		h.SetCanonical(cacheName, privateNoCache)
	} else {
		h.SetCanonical(cacheName, noStore)
	}
	end := len(b)
	b = appendETag(b, b)
	etag := b[end:]
	h.SetCanonical(etagName, etag)
	if len(match) > 0 && tagMatches(string(match), string(etag)) {
		resp.SetStatusCode(fasthttp.StatusNotModified)
		return b
	}
	resp.SetBody(b[:end])
	return b
}

// appendETag appends a strong entity tag of a body: its xxHash of 64 bits, which
// all nodes agree on.
func appendETag(b, body []byte) []byte {
	const hex = "0123456789abcdef"
	sum := xxhash.Sum64(body)
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
func (s *Server) listJobs(r *request) error {
	q, err := queryOf(r)
	if err != nil {
		return err
	}
	return s.answerList(r, "jobs", q.Limit, func(b []byte, limit int) ([]byte, int, string, error) {
		q.Limit = limit
		page, err := s.jobs.List(s.bounded(), q)
		if q.Cursor != "" && fairfactor.CodeOf(err) == fairfactor.Invalid {
			err = problemAs(badRequest, err, shown("cursor", q.Cursor))
		}
		for i := range page.Jobs {
			b = AppendJob(appendComma(b), &page.Jobs[i])
		}
		q.Cursor = page.Next
		return b, len(page.Jobs), page.Next, err
	})
}

// cancelJob ends a job.
func (s *Server) cancelJob(r *request) error {
	job, err := s.change(r, s.jobs.Cancel)
	if err != nil {
		return err
	}
	r.out = append(AppendJob(r.out, &job), '\n')
	answerJSON(&r.ctx.Response, r.out)
	return nil
}

// retryJob puts a failed job back at the end of its caller's queue.
func (s *Server) retryJob(r *request) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	job, err := s.change(r, s.jobs.Retry)
	if err != nil {
		return err
	}
	r.out = job.ID.Append(append(s.site.appendPrefix(r.out, r), jobsPath...))
	r.ctx.Response.Header.SetCanonical(locationName, r.out)
	r.out = append(AppendJob(r.out[:0], &job), '\n')
	answerJSON(&r.ctx.Response, r.out)
	r.ctx.SetStatusCode(fasthttp.StatusAccepted)
	return nil
}

func (s *Server) change(r *request, do func(context.Context, fairfactor.ID) (fairfactor.Job, error)) (fairfactor.Job, error) {
	id, err := jobID(r.arg)
	if err != nil {
		return fairfactor.Job{}, err
	}
	job, err := do(s.bounded(), id)
	if err != nil {
		return job, aboutJob(err, r.arg)
	}
	return job, nil
}
