package http

import (
	"io"
	"time"

	"fairfactor"
)

const (
	// exportPage is how many jobs are held at once.
	exportPage = 250
	// clockGap is how far the clocks of nodes, which say when a job was submitted, may
	// be apart: jobs are stored in the order of their acceptance.
	clockGap = 10 * time.Minute
)

// export is the answer to GET /compute/export: all jobs, page by page, newest first.
type export struct {
	exchange
	query fairfactor.Query
	since time.Time
}

// exportJobs shows all jobs, or those of a caller, or since a time.
func (s *Server) exportJobs(r *request) error {
	x := &export{}
	var err error
	if x.query.Caller, _, err = queryValue(r, "caller_id"); err != nil {
		return err
	}
	if x.query.Caller != "" {
		if x.query.Caller, err = checkCaller(x.query.Caller); err != nil {
			return err
		}
	}
	if x.since, err = queryTime(r, "since"); err != nil {
		return err
	}
	x.query.Limit = exportPage
	return x.begin(s, r, "an export", x.nextPage)
}

// queryTime returns a time in the query, zero without it.
func queryTime(r *request, name string) (time.Time, error) {
	text, has, err := queryValue(r, name)
	if err != nil || !has {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, refuse(badRequest, name+" must be a time as in 2026-01-31T12:00:00Z", fact{name: "parameter", text: name}, shown("value", text))
	}
	return at, nil
}

// nextPage writes the next page of jobs. When that fails, the last line says why, and
// the answer is broken off: it must not look complete.
func (x *export) nextPage() {
	err := error(refuse(notNow, "the node is draining: the rest is missing, ask another node"))
	var page fairfactor.Page
	if !x.s.polls.ended() {
		page, err = x.s.jobs.List(x.s.bounded(), x.query)
	}
	if err != nil {
		if problemOf(err).kind == broken {
			x.s.log.Error(x.name+" failed", "err", err)
		}
		x.refuse(err)
		x.end = io.ErrUnexpectedEOF
		return
	}
	older := len(page.Jobs) > 0
	for i := range page.Jobs {
		job := &page.Jobs[i]
		if !job.Submitted.Before(x.since) {
			x.out = append(AppendJob(x.out, job), '\n')
		}
		older = older && job.Submitted.Before(x.since.Add(-clockGap))
	}
	if x.query.Cursor = page.Next; page.Next == "" || older {
		x.end = io.EOF
	}
}
