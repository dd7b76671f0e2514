package http

import (
	"slices"

	"fairfactor"
)

// defaultPage is how many jobs or callers a page has if the client does not say.
const defaultPage = 100

// queryOf reads which jobs a client wants to see.
func queryOf(r *request) (q fairfactor.Query, err error) {
	if q, err = listFiltersOf(r); err != nil {
		return q, err
	}
	if q.Limit, err = queryLimit(r, defaultPage); err != nil {
		return q, err
	}
	q.Cursor, _, err = queryValue(r, "cursor")
	return q, err
}

// filters are the parameters of filtersOf.
var filters = []string{"caller_id", "status", "number", "since", "until"}

// listFilters are the parameters of listFiltersOf.
var listFilters = append(slices.Clone(filters), "quarantined")

// listFiltersOf reads the filters of a list of jobs: those by which jobs are cancelled and
// retried too, and one for those that are not.
func listFiltersOf(r *request) (q fairfactor.Query, err error) {
	if q, err = filtersOf(r); err != nil {
		return q, err
	}
	text, has, err := queryValue(r, "quarantined")
	if err == nil && has && text != "true" {
		err = refuse(badRequest, "quarantined can be true only: leave it out for all jobs", fact{name: "parameter", text: "quarantined"}, shown("value", text))
	}
	q.Quarantined = has
	return q, err
}

// filtersOf reads the filters of jobs.
func filtersOf(r *request) (q fairfactor.Query, err error) {
	if q.Caller, _, err = queryValue(r, "caller_id"); err != nil {
		return q, err
	}
	if q.Caller != "" {
		if q.Caller, err = checkCaller(q.Caller); err != nil {
			return q, err
		}
	}
	status, _, err := queryValue(r, "status")
	if err != nil {
		return q, err
	}
	states, unknown, ok := fairfactor.ParseStates(status)
	if !ok {
		return q, refuse(badRequest, "status must be one or several of pending, running, completed, failed and cancelled, separated by commas",
			fact{name: "parameter", text: "status"}, shown("value", unknown))
	}
	q.States = states
	if q.Number, err = numberIn(r); err != nil {
		return q, err
	}
	if q.Since, err = queryTime(r, "since"); err == nil {
		q.Until, err = queryTime(r, "until")
	}
	return q, err
}

// numberIn reads ?number=, of any length: one that is longer than the longest that a
// node takes was never submitted.
func numberIn(r *request) (string, error) {
	text, has, err := queryValue(r, "number")
	if err != nil || !has {
		return "", err
	}
	number, err := fairfactor.ParseNumber(text, max(len(text), 1))
	if err != nil {
		return "", problemAs(badRequest, err, fact{name: "parameter", text: "number"}, shown("value", text))
	}
	return number, nil
}
