package pebble

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"fairfactor"
)

// Bounds of the work for one page. A page that reaches one ends there, with a cursor
// for the rest, if there is a job on it.
const (
	pageRecords = 50_000 // records of one caller, read in sequence
	pageLookups = 2_000  // jobs of all callers, looked up one by one
)

// List implements [fairfactor.Store].
func (s *Store) List(ctx context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Page{}, err
	}
	if q.Limit < 1 || q.Limit > fairfactor.MaxPage {
		return fairfactor.Page{}, fairfactor.Errorf(fairfactor.Invalid, "limit is %d: it must be between 1 and %d", q.Limit, fairfactor.MaxPage)
	}
	if !q.Narrow() {
		return fairfactor.Page{}, nil
	}
	list := s.listAll
	if q.Caller != "" && q.Number == "" {
		list = s.listCaller
	}
	p := pager{size: q.Limit}
	err := list(ctx, q, &p)
	for i := range p.page.Jobs {
		if err == nil {
			err = s.flights.wait(ctx, p.page.Jobs[i].ID, p.groups[i])
		}
		if err == nil {
			err = s.attach(&p.page.Jobs[i])
		}
	}
	if err != nil {
		return fairfactor.Page{}, err
	}
	return p.page, nil
}

// pager collects one page.
type pager struct {
	page   fairfactor.Page
	groups []uint64 // that accepted the jobs of the page
	size   int
	left   int    // records that may still be looked at
	last   string // cursor of the last job on the page
}

// add puts a job on the page and reports whether the page is complete; the job
// after the last one only proves that there is a next page.
func (p *pager) add(j stored, cursor string) (full bool) {
	if len(p.page.Jobs) == p.size {
		p.page.Next = p.last
		return true
	}
	if len(p.page.Jobs)%yieldEvery == yieldEvery-1 {
		runtime.Gosched()
	}
	p.page.Jobs, p.groups = append(p.page.Jobs, j.Job), append(p.groups, j.group)
	p.last = cursor
	return false
}

// spent counts a record and reports whether the page must end here.
func (p *pager) spent(cursor string) bool {
	p.left--
	if p.left > 0 || len(p.page.Jobs) == 0 {
		return false
	}
	p.page.Next = cursor
	return true
}

// parseCursor reads a cursor of two numbers; an empty one is the top.
func parseCursor(cursor, format string) (a, b uint64, err error) {
	if cursor == "" {
		return math.MaxUint64, math.MaxUint64, nil
	}
	if _, err := fmt.Sscanf(cursor, format, &a, &b); err != nil || fmt.Sprintf(format, a, b) != cursor {
		return 0, 0, fairfactor.BadCursor(cursor)
	}
	return a, b, nil
}
