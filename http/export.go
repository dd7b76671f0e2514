package http

import (
	"io"
	"time"

	"fairfactor"
)

// export is the answer to GET /compute/export: all jobs, page by page, newest first.
type export struct {
	pieces
	query fairfactor.Query
}

// exportJobs shows all jobs that suit the filters.
func (s *Server) exportJobs(r *request) (err error) {
	x := &export{}
	if x.query, err = listFiltersOf(r); err != nil {
		return err
	}
	x.query.Limit = partLength
	x.begin(s, r, "an export", ndjsonTypes[0], x.nextPage)
	x.send(r)
	return nil
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

// nextPage writes the next page of jobs. When that fails, the last line says why.
func (x *export) nextPage() {
	err := error(refuse(notNow, "the node is draining: the rest is missing, ask another node"))
	var page fairfactor.Page
	if !x.s.polls.ended() {
		if err = x.room(); err == nil {
			page, err = x.s.jobs.List(x.s.bounded(), x.query)
		}
	}
	if err != nil {
		x.breaks(err)
		return
	}
	for i := range page.Jobs {
		x.out = append(AppendJob(x.out, &page.Jobs[i]), '\n')
	}
	if x.query.Cursor = page.Next; page.Next == "" {
		x.end = io.EOF
	}
}
