package http_test

import (
	"slices"
	"strings"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
)

// TestKnownWorkOfASubmission: curves and primes come to the job, alone and in a batch, and
// the job shows the curves.
func TestKnownWorkOfASubmission(t *testing.T) {
	s := start(t)
	a := s.post(`{"number":"91","ecm":{"250000":3,"50000":200},"factors":["13"]}`)
	if a.status != 202 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	job := s.do("GET", a.header.Get("Location"), "")
	if !strings.Contains(job.body, `"ecm":{"50000":200,"250000":3}`) {
		t.Errorf("the job: %s", job.body)
	}
	lines := s.batch(`{"number":"91","ecm":{"11000":5},"factors":["7","13"]}` + "\n" + `{"number":"91","factors":["5"]}` + "\n" + `{"number":"91","ecm":{"1":5}}` + "\n")
	if lines[0].Status != "pending" || lines[1].Type != "urn:fairfactor:problem:bad-factors" || lines[2].Type != "urn:fairfactor:problem:bad-ecm" {
		t.Errorf("in a batch: %+v", lines)
	}
}

func TestBadKnownWork(t *testing.T) {
	s := start(t)
	many := make([]string, fairfactor.MaxCurveBounds+2)
	for i := range many {
		many[i] = `"` + strings.Repeat("1", i%10+3) + strings.Repeat("2", i/10) + `":1`
	}
	for raw, want := range map[string]string{
		`"ecm":{"99":1}`: "must be between 100 and", `"ecm":{"50000":0}`: "between 1 and", `"ecm":{"50000":-1}`: "whole number",
		`"ecm":{"50000":1.5}`: "whole number", `"ecm":{"5e4":1}`: "decimal digits", `"ecm":{"50000":"1"}`: "whole number", `"ecm":{"50000":{"a":1}}`: "whole number",
		`"ecm":{"50000":1,"50000":2}`: "twice", `"ecm":[1]`: "must be an object", `"ecm":null`: "must be an object", `"ecm":{"50000":1000000001}`: "between 1 and",
		`"ecm":{` + strings.Join(many, ",") + `}`: "at most 32",
		`"factors":"13"`: "must be an array", `"factors":[13]`: "must be an array", `"factors":null`: "must be an array",
		`"factors":["5"]`: "does not divide", `"factors":["91"]`: "not prime", `"factors":["1"]`: "not prime", `"factors":["13","013"]`: "twice", `"factors":["x"]`: "can't be used",
	} {
		a := s.post(`{"number":"91",` + raw + `}`)
		kind := "bad-ecm"
		if strings.HasPrefix(raw, `"factors`) {
			kind = "bad-factors"
		}
		a.problem(t, raw, 422, kind)
		if !strings.Contains(a.text("detail"), want) {
			t.Errorf("%s: %s", raw, a.body)
		}
	}
	if n := s.jobs.count(); n != 0 {
		t.Errorf("%d jobs came of refused work", n)
	}
}

// TestClientKnowsWork: what the client sends is what the service gets, and what the service
// says of a job is what the client returns.
func TestClientKnowsWork(t *testing.T) {
	var seen []fairfactor.Submission
	work := &told{submit: func(caller string, subs []fairfactor.Submission) ([]fairfactor.Receipt, error) {
		seen = append(seen, subs...)
		receipts := make([]fairfactor.Receipt, len(subs))
		for i, sub := range subs {
			receipts[i].Job = fairfactor.Job{ID: fairfactor.ID{Caller: 1, Seq: uint64(i + 1)}, Caller: caller, Number: sub.Number, State: fairfactor.Pending}
		}
		return receipts, nil
	}}
	work.job = fairfactor.Job{
		ID: fairfactor.ID{Caller: 1, Seq: 1}, Caller: "a", Number: "91", State: fairfactor.Running,
		Curves: []fairfactor.Curves{{B1: 9000, Count: 2}, {B1: 50_000, Count: 200}}, Progress: &fairfactor.Progress{Phase: "x"},
	}
	c := clientOf(t, work)
	sub := fairfactor.Submission{
		Number: "819", Curves: []fairfactor.Curves{{B1: 50_000, Count: 200}, {B1: 250_000, Count: 1}},
		Factors: []fairfactor.Factor{{Prime: "3", Exponent: 2}, {Prime: "13", Exponent: 1}},
	}
	if _, err := c.Submit(t.Context(), "a", []fairfactor.Submission{sub}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Submit(t.Context(), "a", []fairfactor.Submission{sub, sub}, nil); err != nil {
		t.Fatal(err)
	}
	for _, got := range seen {
		if !slices.Equal(got.Curves, sub.Curves) || !slices.Equal(got.Factors, sub.Factors) {
			t.Errorf("the node got %+v, want %+v", got, sub)
		}
	}
	job, err := c.Job(t.Context(), work.job.ID)
	if err != nil || len(seen) != 3 || !slices.Equal(job.Curves, work.job.Curves) {
		t.Errorf("%+v, %v", job, err)
	}
	if text := string(httpd.AppendJob(nil, &job)); strings.Count(text, `"ecm":{"9000":2,"50000":200}`) != 2 { // of the job and of its progress
		t.Error(text)
	}
}
