package actors_test

import (
	"strconv"
	"testing"

	"fairfactor"
)

func TestEveryJobEndsOnceAndMultipliesOut(t *testing.T) {
	s := newSite(t, 3, nil)
	rng := seeded(t)
	var jobs []fairfactor.Job
	for c := range 6 {
		numbers := []string{"1", "2", "18446744073709551616", "18446744073709551557"}
		for range 60 {
			numbers = append(numbers, digits(rng, 1+rng.IntN(32)))
		}
		numbers = append(numbers, prime(rng, 60).String()+"0", prime(rng, 200).String())
		jobs = append(jobs, s.submit(s.nodes[c%3], "caller-"+strconv.Itoa(c), numbers...)...)
	}
	ended := s.completed(s.nodes[0], jobs...)
	for i, j := range ended {
		want := jobs[i]
		if j.ID != want.ID || j.Caller != want.Caller || j.Number != want.Number || j.Order != want.Order || !j.Submitted.Equal(want.Submitted) {
			t.Fatalf("ended as %+v, was accepted as %+v", j, want)
		}
		if j.Turn == 0 || j.Turns == 0 || j.Attempts != 1 || j.Started.Before(j.Submitted) || j.Finished.Before(j.Started) {
			t.Errorf("ended as %+v", j)
		}
	}
	if n := ended[0]; n.Number != "1" || len(n.Factors) != 0 {
		t.Errorf("1 has factors %v", n.Factors)
	}
}
