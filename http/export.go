package http

import (
	"io"
	"time"

	"fairfactor"
)

// exportPage is how many jobs are held at once.
const exportPage = 250

// export is the answer to GET /compute/export: all jobs, page by page, newest first.
type export struct {
	exchange
	query fairfactor.Query
}

// exportJobs shows all jobs that suit the filters.
func (s *Server) exportJobs(r *request) (err error) {
	x := &export{}
	if x.query, err = filtersOf(r); err != nil {
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
	if at.IsZero() {
		at = at.Add(1) // zero stands for no time: until= would let all jobs suit
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
	for i := range page.Jobs {
		x.out = append(AppendJob(x.out, &page.Jobs[i]), '\n')
	}
	if x.query.Cursor = page.Next; page.Next == "" {
		x.end = io.EOF
	}
}
