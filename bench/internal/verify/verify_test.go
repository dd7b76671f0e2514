package verify

import (
	"maps"
	"strings"
	"testing"

	"fairfactor/bench/internal/client"
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
		err := Factors(c.number, c.result)
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s = %v: %v, want %q", c.number, c.result, err, c.fault)
		}
	}
}

func TestVerifyCountsEveryJobOnce(t *testing.T) {
	good := client.Job{ID: "a", Caller: "x", Number: "6", Status: "completed", Result: map[string]int{"2": 1, "3": 1}, Turn: 1}
	ask := Accepted{ID: "a", Caller: "x", Number: "6"}
	for _, c := range []struct {
		name   string
		all    []Accepted
		change func(map[string]client.Job)
		want   Tally
	}{
		{"right", []Accepted{ask}, func(map[string]client.Job) {}, Tally{Completed: 1}},
		{"unknown", []Accepted{ask}, func(m map[string]client.Job) { delete(m, "a") }, Tally{Lost: 1}},
		{"waiting", []Accepted{ask}, set(func(j *client.Job) { j.Status = "pending" }), Tally{Unfinished: 1}},
		{"running", []Accepted{ask}, set(func(j *client.Job) { j.Status = "running" }), Tally{Unfinished: 1}},
		{"failed", []Accepted{ask}, set(func(j *client.Job) { j.Status = "failed" }), Tally{Failed: 1}},
		{"cancelled", []Accepted{ask}, set(func(j *client.Job) { j.Status = "cancelled" }), Tally{Failed: 1}},
		{"another number", []Accepted{ask}, set(func(j *client.Job) { j.Number = "7" }), Tally{Wrong: 1}},
		{"another caller", []Accepted{ask}, set(func(j *client.Job) { j.Caller = "y" }), Tally{Wrong: 1}},
		{"a wrong result", []Accepted{ask}, set(func(j *client.Job) { j.Result = map[string]int{"6": 1} }), Tally{Wrong: 1}},
		{"an id twice", []Accepted{ask, ask}, func(map[string]client.Job) {}, Tally{Completed: 1, Twice: 1}},
		{"a place twice", []Accepted{ask, {ID: "b", Caller: "x", Number: "6"}}, func(m map[string]client.Job) { m["b"] = good }, Tally{Completed: 2, Twice: 1}},
	} {
		jobs := map[string]client.Job{"a": good}
		c.change(jobs)
		got := Jobs(c.all, maps.Clone(jobs))
		examples := len(got.Examples)
		got.Examples = nil
		if got.Completed != c.want.Completed || got.Bad() != c.want.Bad() || got.Lost != c.want.Lost || got.Failed != c.want.Failed ||
			got.Unfinished != c.want.Unfinished || got.Wrong != c.want.Wrong || got.Twice != c.want.Twice {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if examples != got.Bad() {
			t.Errorf("%s: %d faults told of %d", c.name, examples, got.Bad())
		}
	}
}

// set changes the one job.
func set(change func(*client.Job)) func(map[string]client.Job) {
	return func(m map[string]client.Job) {
		j := m["a"]
		change(&j)
		m["a"] = j
	}
}
