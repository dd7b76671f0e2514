package http_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor"
)

// TestClientFollowsAJob takes jobs through their states, all by way of a
// client and a server.
func TestClientFollowsAJob(t *testing.T) {
	s := start(t)
	c, ctx := connect(t, s.url), t.Context()
	submit := func(number, key string) fairfactor.Receipt {
		t.Helper()
		receipts, err := c.Submit(ctx, "alice", []fairfactor.Submission{{Number: number, Key: key}}, nil)
		if err != nil || len(receipts) != 1 {
			t.Fatalf("Submit: %v %v", receipts, err)
		}
		return receipts[0]
	}
	first := submit("0015", "k")
	if first.Err != nil || first.Job.State != fairfactor.Pending || first.Job.Number != "15" || first.Job.Caller != "alice" || first.Job.Key != "k" {
		t.Fatalf("first: %+v", first)
	}
	if again := submit("15", "k"); again.Err != nil || again.Job.ID != first.Job.ID {
		t.Errorf("the same key: %+v", again)
	}
	if other := submit("21", "k"); fairfactor.CodeOf(other.Err) != fairfactor.Invalid {
		t.Errorf("the same key with another number: %+v", other)
	}
	waited := make(chan fairfactor.Job, 1)
	go func() {
		j, err := c.Wait(ctx, first.Job.ID)
		if err != nil {
			t.Errorf("Wait: %v", err)
		}
		waited <- j
	}()
	s.jobs.finish(first.Job.ID, fairfactor.Completed, []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 1}}, "")
	if j := <-waited; j.State != fairfactor.Completed || len(j.Factors) != 2 || j.Finished.IsZero() {
		t.Errorf("Wait: %+v", j)
	}
	if again := submit("15", "k"); again.Err != nil || again.Job.State != fairfactor.Completed || len(again.Job.Factors) != 2 {
		t.Errorf("the key of a job that has ended: %+v", again)
	}
	if _, err := c.Cancel(ctx, first.Job.ID); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("Cancel of a job that has ended: %v", err)
	}
	next := submit("1001", "").Job.ID
	if j, err := c.Cancel(ctx, next); err != nil || j.State != fairfactor.Cancelled {
		t.Errorf("Cancel: %+v %v", j, err)
	}
	failed := submit("1003", "").Job.ID
	s.jobs.finish(failed, fairfactor.Failed, nil, "too hard")
	if j, err := c.Job(ctx, failed); err != nil || j.State != fairfactor.Failed || j.Reason != "too hard" {
		t.Errorf("Job: %+v %v", j, err)
	}
	if j, err := c.Retry(ctx, failed); err != nil || j.State != fairfactor.Pending {
		t.Errorf("Retry: %+v %v", j, err)
	}
	if _, err := c.Retry(ctx, failed); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("second Retry: %v", err)
	}
	if _, err := c.Job(ctx, fairfactor.ID{Caller: 99, Seq: 1}); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("a job that never was: %v", err)
	}
	if _, err := c.Caller(ctx, "stranger"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("a caller that never was: %v", err)
	}
}

func TestClientPages(t *testing.T) {
	s := start(t)
	c, ctx := connect(t, s.url), t.Context()
	var want []string
	for i := range 25 {
		receipts, err := c.Submit(ctx, fmt.Sprintf("caller-%02d", i), []fairfactor.Submission{{Number: "6"}, {Number: "35"}}, nil)
		if err != nil || receipts[1].Err != nil {
			t.Fatal(receipts, err)
		}
		want = append(want, receipts[0].Job.ID.String(), receipts[1].Job.ID.String())
	}
	slices.Reverse(want)
	var got []string
	for q := (fairfactor.Query{Limit: 7}); ; {
		page, err := c.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Jobs {
			got = append(got, j.ID.String())
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("jobs in pages of 7:\n got %v\nwant %v", got, want)
	}
	var names []string
	for after := ""; ; {
		page, err := c.Callers(ctx, after, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, caller := range page {
			names = append(names, caller.Name)
		}
		if len(page) < 10 {
			break
		}
		after = page[9].Name
	}
	if len(names) != 25 || !slices.IsSorted(names) || names[24] != "caller-24" {
		t.Errorf("callers in pages of 10: %v", names)
	}
}

// TestClientOfANodeThatDrains submits to a node that takes nothing: the client
// is told when to try again, for one number and for many.
func TestClientOfANodeThatDrains(t *testing.T) {
	s := start(t)
	s.notReady(&fairfactor.Error{Code: fairfactor.Unavailable, Message: "the node is draining", Retry: 4 * time.Second})
	c := connect(t, s.url)
	for n := 1; n <= 2; n++ {
		_, err := c.Submit(t.Context(), "a", make([]fairfactor.Submission, n), nil)
		if e, ok := err.(*fairfactor.Error); !ok || e.Code != fairfactor.Unavailable || e.Message != "the node is draining" || e.Retry != 4*time.Second {
			t.Errorf("%d numbers: %#v", n, err)
		}
	}
}

// TestNodeThatLeavesStillTakesJobs: balancers are turned away by /readyz while
// clients that they send meanwhile are served.
func TestNodeThatLeavesStillTakesJobs(t *testing.T) {
	s := start(t)
	c := connect(t, s.url)
	if err := c.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	s.leaves(fairfactor.Errorf(fairfactor.Unavailable, "the node is about to stop"))
	if err := c.Ready(t.Context()); fairfactor.CodeOf(err) != fairfactor.Unavailable || fairfactor.MessageOf(err) != "the node is about to stop" {
		t.Errorf("leaving: %v", err)
	}
	if receipts, err := c.Submit(t.Context(), "a", []fairfactor.Submission{{Number: "91"}}, nil); err != nil || receipts[0].Err != nil {
		t.Errorf("submission to a node that leaves: %v %v", receipts, err)
	}
}

// TestClientSendsLargeBatches sends more than a node reads at once: the client
// must take the answers meanwhile.
func TestClientSendsLargeBatches(t *testing.T) {
	s := start(t)
	c := connect(t, s.url)
	subs := make([]fairfactor.Submission, 3000)
	for i := range subs {
		subs[i].Number = strings.Repeat("7", maxDigits) // 600 KB each way
		if i%500 == 0 {
			subs[i].Number = strings.Repeat("7", 50_000) // too many digits, but fits a line
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	receipts, err := c.Submit(ctx, "a", subs, nil)
	if err != nil || len(receipts) != len(subs) {
		t.Fatalf("%d receipts, %v", len(receipts), err)
	}
	for i, r := range receipts {
		if bad := i%500 == 0; bad != (r.Err != nil) || bad && fairfactor.CodeOf(r.Err) != fairfactor.Invalid {
			t.Fatalf("receipt %d: %+v", i, r)
		}
	}
}
