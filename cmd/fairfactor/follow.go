package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairfactor"
	httpd "fairfactor/http"
)

// follower is a list that goes on: it prints the jobs that suit a query, the oldest of
// them first, and then a line each time that one of them, or a new one, changes.
type follower struct {
	client *httpd.Client
	query  fairfactor.Query
	limit  int // most jobs that are printed at first
	p      printer
	io     streams

	columns []int // widths, zero for a column that is left out
	listed  map[fairfactor.ID]fairfactor.State
}

// run goes on until ctx ends or the output is closed, and takes neither for an error.
// What happens while the list is read is in both it and the events: until they are
// past the end of the list, those that it shows already are left out.
func (f *follower) run(ctx context.Context) error {
	err := f.follow(ctx)
	if ctx.Err() != nil || errors.Is(err, errGone) {
		return nil
	}
	return err
}

func (f *follower) follow(ctx context.Context) error {
	w := httpd.Watch{Caller: f.query.Caller}
	begin, err := f.client.Latest(ctx, w)
	if err != nil {
		return err
	}
	jobs, err := newest(ctx, f.client, f.query, f.limit)
	if err != nil {
		return err
	}
	end, err := f.client.Latest(ctx, w)
	if err != nil {
		return err
	}
	slices.Reverse(jobs)
	if err := f.header(jobs); err != nil {
		return err
	}
	f.listed = map[fairfactor.ID]fairfactor.State{}
	for i := range jobs {
		f.listed[jobs[i].ID] = jobs[i].State
		if err := f.row(&jobs[i], httpd.AppendJob(nil, &jobs[i])); err != nil {
			return err
		}
	}
	w.After = begin
	return f.client.Follow(ctx, w, func(t httpd.Told) error {
		if f.listed != nil && t.At.Compare(end) > 0 {
			f.listed = nil
		}
		return f.told(&t)
	})
}

// told prints an event that is a change of a job which suits the query.
func (f *follower) told(t *httpd.Told) error {
	switch {
	case t.Name == "gap":
		fmt.Fprintf(f.io.err, "fairfactor: changes before %s are missing: the node does not have them any more\n", t.At)
		return nil
	case t.Name == "progress", !f.query.Matches(&t.Job):
		return nil
	}
	if seen, ok := f.listed[t.Job.ID]; ok && t.Job.State <= seen {
		return nil
	}
	return f.row(&t.Job, t.Data)
}

// Widths of columns as long as there is room for them.
const (
	callerWidth = 16
	numberWidth = 40
	idWidth     = 26
)

// header fixes the columns for all rows to come, as wide as the terminal allows, and
// prints their names.
func (f *follower) header(jobs []fairfactor.Job) error {
	if f.p.json {
		return nil
	}
	t := jobTable()
	for i := range jobs {
		t.addJob(&jobs[i])
	}
	room := func(n int) string { return strings.Repeat("x", n) }
	t.add(room(idWidth), room(callerWidth), room(len("completed")), room(numberWidth), room(numberWidth))
	if f.p.width == 0 {
		t.rows = t.rows[len(t.rows)-1:] // what follows is of any width
	}
	kept, widths := t.fit(f.p.width)
	f.columns = make([]int, len(widths))
	for _, i := range kept {
		f.columns[i] = widths[i]
	}
	names := make([]string, len(t.columns))
	for i := range names {
		names[i] = t.columns[i].name
	}
	return f.cells(names)
}

// row prints a job: in a table, or as the JSON object that is given.
func (f *follower) row(j *fairfactor.Job, object []byte) error {
	if !f.p.json {
		return f.cells(jobCells(j))
	}
	if _, err := fmt.Fprintf(f.p.out, "%s\n", object); err != nil {
		return errGone
	}
	return nil
}

// cells prints a line of the table. Without a terminal nothing is cut.
func (f *follower) cells(cells []string) error {
	var b strings.Builder
	for i, width := range f.columns {
		if width == 0 {
			continue
		}
		cell := cells[i]
		if f.p.width > 0 {
			cell = cut(cell, width)
		}
		fmt.Fprintf(&b, "%-*s%*s", width, cell, gap, "")
	}
	if _, err := fmt.Fprintln(f.p.out, strings.TrimRight(b.String(), " ")); err != nil {
		return errGone
	}
	return nil
}
