package http_test

import (
	"strings"
	"testing"
	"time"

	"fairfactor"
)

func TestDeadlineOfASubmission(t *testing.T) {
	s := start(t)
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	for _, text := range []string{at.Format(time.RFC3339Nano), at.In(time.FixedZone("", 2*3600)).Format(time.RFC3339Nano)} {
		a := s.post(`{"number":"7","deadline":"` + text + `"}`)
		if a.status != 202 || len(a.doc) != 4 {
			t.Fatalf("%s: %d %s", text, a.status, a.body)
		}
		job := s.do("GET", a.header.Get("Location"), "")
		if got, err := time.Parse(time.RFC3339, job.text("deadline")); err != nil || !got.Equal(at) {
			t.Errorf("%s: the job has %q", text, job.text("deadline"))
		}
	}
	plain := s.post(`{"number":"7"}`)
	if job := s.do("GET", plain.header.Get("Location"), ""); strings.Contains(job.body, "deadline") {
		t.Errorf("a job without a deadline: %s", job.body)
	}
	lines := s.batch(`{"number":"7","deadline":"` + at.Format(time.RFC3339) + `","key":"k"}` + "\n" + `{"deadline":"2001-01-01T00:00:00Z","expression":"7*13"}` + "\n")
	if lines[0].Status != "pending" || lines[1].Status != 422.0 || lines[1].Type != "urn:fairfactor:problem:bad-deadline" {
		t.Errorf("in a batch: %+v", lines)
	}
}

func TestBadDeadlines(t *testing.T) {
	s := start(t)
	for raw, detail := range map[string]string{
		`"2020-01-01T00:00:00Z"`: "has passed",
		`"` + time.Now().Add(-time.Second).UTC().Format(time.RFC3339) + `"`: "has passed",
		`"tomorrow"`:            "not a time as in RFC 3339",
		`"2040-01-01"`:          "not a time as in RFC 3339",
		`"2040-01-01 00:00:00"`: "not a time as in RFC 3339",
		`""`:                    "not a time as in RFC 3339",
		`2040`:                  "must be a string",
		`null`:                  "must be a string",
		`{"at":"2040"}`:         "must be a string",
	} {
		a := s.post(`{"number":"7","deadline":` + raw + `}`)
		a.problem(t, raw, 422, "bad-deadline")
		if !strings.Contains(a.text("detail"), detail) {
			t.Errorf("%s: %s", raw, a.body)
		}
	}
	if n := s.jobs.count(); n != 0 {
		t.Errorf("%d jobs came of refused deadlines", n)
	}
}

// TestClientSendsDeadlines: one alone and in a batch, with and without a key.
func TestClientSendsDeadlines(t *testing.T) {
	var seen []fairfactor.Submission
	c := clientOf(t, &told{submit: func(caller string, subs []fairfactor.Submission) ([]fairfactor.Receipt, error) {
		seen = append(seen, subs...)
		receipts := make([]fairfactor.Receipt, len(subs))
		for i, sub := range subs {
			receipts[i].Job = fairfactor.Job{ID: fairfactor.ID{Caller: 1, Seq: uint64(len(seen) + i)}, Caller: caller, Number: sub.Number, State: fairfactor.Pending}
		}
		return receipts, nil
	}})
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	want := []fairfactor.Submission{{Number: "6", Deadline: at}, {Number: "7", Deadline: at.Add(time.Microsecond), Key: "k"}, {Number: "8"}}
	for _, subs := range [][]fairfactor.Submission{want[:1], want[1:2], want} {
		seen = nil
		if _, err := c.Submit(t.Context(), "a", subs, nil); err != nil {
			t.Fatal(err)
		}
		for i, sub := range subs {
			if len(seen) != len(subs) || !seen[i].Deadline.Equal(sub.Deadline) || seen[i].Key != sub.Key {
				t.Errorf("the node got %+v, want %+v", seen, subs)
			}
		}
	}
}
