package http

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"fairfactor"
)

// listCallers shows the callers' accounts by name, or those that have most first.
func (s *Server) listCallers(r *request) error {
	limit, err := queryLimit(r, defaultPage)
	if err != nil {
		return err
	}
	order, err := orderOf(r)
	if err != nil {
		return err
	}
	after, _, err := queryValue(r, "after")
	if err != nil {
		return err
	}
	prefix, err := prefixOf(r)
	if err != nil {
		return err
	}
	if order != fairfactor.ByName {
		return s.answerList(r, "callers", limit, s.ranked(fairfactor.CallerQuery{Order: order, Prefix: prefix, After: after}))
	}
	if len(after) > fairfactor.MaxCallerBytes {
		return refuse(badRequest, fmt.Sprintf("after has more bytes than the name of a caller, %d: take the member next of the page before", fairfactor.MaxCallerBytes), shown("after", after), count("max_bytes", fairfactor.MaxCallerBytes))
	}
	return s.answerList(r, "callers", limit, s.named(prefix, max(after, fairfactor.BeforePrefix(prefix))))
}

// ranked makes parts of a list of those that have most.
func (s *Server) ranked(q fairfactor.CallerQuery) part {
	return func(b []byte, limit int) ([]byte, int, string, error) {
		q.Limit = limit
		page, err := s.jobs.RankedCallers(s.bounded(), q)
		if fairfactor.CodeOf(err) == fairfactor.Invalid {
			err = problemAs(badRequest, err, shown("after", q.After))
		}
		q.After = page.Next
		return s.appendCallers(b, page.Callers), len(page.Callers), page.Next, err
	}
}

// named makes parts of a list by name.
func (s *Server) named(prefix, after string) part {
	return func(b []byte, limit int) ([]byte, int, string, error) {
		callers, err := s.jobs.Callers(s.bounded(), after, limit)
		next := ""
		if len(callers) == limit {
			next = callers[limit-1].Name
		}
		for i := range callers {
			if !strings.HasPrefix(callers[i].Name, prefix) {
				callers, next = callers[:i], ""
				break
			}
		}
		after = next
		return s.appendCallers(b, callers), len(callers), next, err
	}
}

func (s *Server) appendCallers(b []byte, callers []fairfactor.Caller) []byte {
	now := s.now()
	for i := range callers {
		b = AppendCaller(appendComma(b), &callers[i], now)
	}
	return b
}

// orderOf reads ?sort=, and refuses an order that no index has.
func orderOf(r *request) (fairfactor.CallerOrder, error) {
	name, has, err := queryValue(r, "sort")
	if err != nil || !has || name == "" {
		return fairfactor.ByName, err
	}
	order, ok := fairfactor.ParseCallerOrder(name)
	if !ok {
		return order, refuse(badRequest, "sort must be one of "+strings.Join(fairfactor.CallerOrders(), ", ")+": no index has callers in another order", fact{name: "parameter", text: "sort"}, shown("value", name))
	}
	return order, nil
}

// prefixOf reads ?prefix=.
func prefixOf(r *request) (string, error) {
	prefix, _, err := queryValue(r, "prefix")
	if err != nil || prefix == "" {
		return "", err
	}
	if _, err := fairfactor.ParseCaller(prefix); err != nil {
		return "", problemAs(badRequest, fairfactor.Errorf(fairfactor.Invalid, "prefix %.80q is not the beginning of a caller's name", prefix), fact{name: "parameter", text: "prefix"})
	}
	return prefix, nil
}

// getCaller shows one caller's account.
func (s *Server) getCaller(r *request) error {
	name, err := checkCaller(r.arg)
	if err != nil {
		return err
	}
	caller, err := s.jobs.Caller(s.bounded(), name)
	return s.answerCaller(r, &caller, err)
}

// putCaller changes a caller's group, its weight, whether it is paused, and its bounds,
// any of them.
func (s *Server) putCaller(r *request) error {
	name, err := checkCaller(r.arg)
	if err != nil {
		return err
	}
	values, err := bodyMembers(r, append(boundNames, "group", "weight", "paused")...)
	if err != nil {
		return err
	}
	group, weight, paused := "", 0, false
	if raw := values["group"]; raw != nil {
		if group, err = groupIn(raw); err != nil {
			return err
		}
	}
	if raw := values["weight"]; raw != nil {
		if weight, err = weightIn(raw); err != nil {
			return err
		}
	}
	if raw := values["paused"]; raw != nil {
		if paused, err = pausedIn(raw); err != nil {
			return err
		}
	}
	bounds, bounded, err := boundsIn(values)
	if err != nil {
		return err
	}
	var caller fairfactor.Caller
	if values["group"] != nil {
		caller, err = s.jobs.SetGroup(s.bounded(), name, group)
	}
	if values["weight"] != nil && err == nil {
		caller, err = s.jobs.SetWeight(s.bounded(), name, weight)
	}
	if values["paused"] != nil && err == nil {
		caller, err = s.jobs.SetPaused(s.bounded(), name, paused)
	}
	if bounded && err == nil {
		caller, err = s.jobs.SetBounds(s.bounded(), name, bounds)
	}
	return s.answerCaller(r, &caller, err)
}

// putGroup changes a group's weight.
func (s *Server) putGroup(r *request) error {
	if err := checkGroup(r.arg); err != nil {
		return err
	}
	values, err := bodyMembers(r, "weight")
	if err != nil {
		return err
	}
	weight, err := weightIn(values["weight"])
	if err != nil {
		return err
	}
	if err := s.jobs.WeighGroup(s.bounded(), r.arg, weight); err != nil {
		return about("group", r.arg, err)
	}
	return answerValue(&r.ctx.Response, groupAnswer{Group: r.arg, Weight: weight})
}

// bodyMembers reads a body that is a JSON object with some of these members.
func bodyMembers(r *request, names ...string) (values map[string]json.RawMessage, err error) {
	if _, err := checkMedia(r, jsonTypes); err != nil {
		return nil, err
	}
	if r.in, err = readBody(r.ctx, r.in); err != nil {
		return nil, err
	}
	return members(r.in, names...)
}

// groupIn reads the name of a group; null and "" are no group.
func groupIn(raw json.RawMessage) (name string, err error) {
	if err := json.Unmarshal(raw, &name); err != nil {
		return "", refuse(badGroup, "group must be a string", shown("group", string(raw)))
	}
	if name == "" {
		return "", nil
	}
	return name, checkGroup(name)
}

// pausedIn reads whether a caller is paused.
func pausedIn(raw json.RawMessage) (paused bool, err error) {
	switch string(raw) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, refuse(badRequest, "paused must be true or false", shown("paused", string(raw)))
}

// weightIn reads a weight.
func weightIn(raw json.RawMessage) (int, error) {
	weight, err := strconv.Atoi(string(raw))
	if err != nil || weight < 1 || weight > fairfactor.MaxWeight {
		return 0, refuse(badWeight, "weight must be a whole number between 1 and "+strconv.Itoa(fairfactor.MaxWeight), shown("weight", string(raw)), count("max_weight", fairfactor.MaxWeight))
	}
	return weight, nil
}

func (s *Server) answerCaller(r *request, caller *fairfactor.Caller, err error) error {
	if err != nil {
		return about("caller_id", r.arg, err)
	}
	return answerValue(&r.ctx.Response, callerOf(caller, s.now()))
}

// about adds to an error what it is about.
func about(name, value string, err error) error {
	if k := kindOf(fairfactor.CodeOf(err)); k != broken {
		p := problemOf(err)
		return &problem{kind: p.kind, detail: p.detail, facts: append(p.facts, shown(name, value)), retry: p.retry, cause: err}
	}
	return err
}
