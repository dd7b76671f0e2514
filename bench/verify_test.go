package main

import (
	"maps"
	"strings"
	"testing"
)

func TestCheckFactors(t *testing.T) {
	const big = "1000000000000000000000000000057" // prime, above 64 bits
	for _, c := range []struct {
		number string
		result map[string]int
		fault  string // empty if it is right
	}{
		{"1", nil, ""},
		{"12", map[string]int{"2": 2, "3": 1}, ""},
		{big, map[string]int{big: 1}, ""},
		{"1267650600228229401496703205376", map[string]int{"2": 100}, ""},
		{"12", map[string]int{"2": 1, "3": 1}, "multiply"},
		{"12", map[string]int{"2": 2, "3": 1, "5": 1}, "multiply"},
		{"12", nil, "multiply"},
		{"12", map[string]int{"4": 1, "3": 1}, "not prime"},
		{"15", map[string]int{"15": 1}, "not prime"},
		{"2", map[string]int{"2": 1, "1": 1}, "not prime"},
		{"3215031751", map[string]int{"3215031751": 1}, "not prime"}, // strong pseudoprime to 2, 3, 5, 7
		{"6", map[string]int{"02": 1, "3": 1}, "prime power"},
		{"6", map[string]int{"-2": 1, "-3": 1}, "not prime"},
		{"6", map[string]int{"2": 1, "3": 1, "5": 0}, "prime power"},
		{"6", map[string]int{"2": 1, "x": 1}, "prime power"},
		{"2", map[string]int{"2": 1 << 40}, "prime power"},
	} {
		err := checkFactors(c.number, c.result)
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s = %v: %v, want %q", c.number, c.result, err, c.fault)
		}
	}
}

func TestVerifyCountsEveryJobOnce(t *testing.T) {
	good := job{ID: "a", Caller: "x", Number: "6", Status: "completed", Result: map[string]int{"2": 1, "3": 1}, Turn: 1}
	ask := accepted{id: "a", caller: "x", number: "6"}
	for _, c := range []struct {
		name   string
		all    []accepted
		change func(map[string]job)
		want   tally
	}{
		{"right", []accepted{ask}, func(map[string]job) {}, tally{Completed: 1}},
		{"unknown", []accepted{ask}, func(m map[string]job) { delete(m, "a") }, tally{Lost: 1}},
		{"waiting", []accepted{ask}, set(func(j *job) { j.Status = "pending" }), tally{Unfinished: 1}},
		{"running", []accepted{ask}, set(func(j *job) { j.Status = "running" }), tally{Unfinished: 1}},
		{"failed", []accepted{ask}, set(func(j *job) { j.Status = "failed" }), tally{Failed: 1}},
		{"cancelled", []accepted{ask}, set(func(j *job) { j.Status = "cancelled" }), tally{Failed: 1}},
		{"another number", []accepted{ask}, set(func(j *job) { j.Number = "7" }), tally{Wrong: 1}},
		{"another caller", []accepted{ask}, set(func(j *job) { j.Caller = "y" }), tally{Wrong: 1}},
		{"a wrong result", []accepted{ask}, set(func(j *job) { j.Result = map[string]int{"6": 1} }), tally{Wrong: 1}},
		{"an id twice", []accepted{ask, ask}, func(map[string]job) {}, tally{Completed: 1, Twice: 1}},
		{"a place twice", []accepted{ask, {id: "b", caller: "x", number: "6"}}, func(m map[string]job) { m["b"] = good }, tally{Completed: 2, Twice: 1}},
	} {
		jobs := map[string]job{"a": good}
		c.change(jobs)
		got := verify(c.all, maps.Clone(jobs))
		examples := len(got.Examples)
		got.Examples = nil
		if got.Completed != c.want.Completed || got.bad() != c.want.bad() || got.Lost != c.want.Lost || got.Failed != c.want.Failed ||
			got.Unfinished != c.want.Unfinished || got.Wrong != c.want.Wrong || got.Twice != c.want.Twice {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if examples != got.bad() {
			t.Errorf("%s: %d faults told of %d", c.name, examples, got.bad())
		}
	}
}

// set changes the one job.
func set(change func(*job)) func(map[string]job) {
	return func(m map[string]job) {
		j := m["a"]
		change(&j)
		m["a"] = j
	}
}

func TestRequestIDIsFoundWithoutDecoding(t *testing.T) {
	const id = "bdt616b6xw0000000400000004"
	for _, c := range []struct{ body, want string }{
		{`{"request_id":"` + id + `","status":"pending"}`, id},
		{`{"status":"pending", "request_id": "` + id + `"}`, id},
		{`{"request_id":"short"}`, ""},
		{`{"request_id":"` + id, ""},
		{`{"request_id":null,"x":"0123456789012345678901234567"}`, ""},
		{`{"status":429}`, ""},
		{``, ""},
	} {
		if got := requestID([]byte(c.body)); got != c.want {
			t.Errorf("%s: %q, want %q", c.body, got, c.want)
		}
	}
}
