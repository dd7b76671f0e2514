package http_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// told is a service that gives the answers it was told to give, so that what a
// client receives can be compared with what the node's service had said.
type told struct {
	fairfactor.Jobs // nil: a method that no test expects ends it

	job      fairfactor.Job
	page     fairfactor.Page
	callers  []fairfactor.Caller
	fairness fairfactor.Fairness
	nodes    []fairfactor.Node
	err      error
	submit   func(caller string, subs []fairfactor.Submission) ([]fairfactor.Receipt, error)

	query  fairfactor.Query // of the last List
	caller string           // of the last call about one
	group  string
	weight int
	after  string
	ranked fairfactor.CallerQuery
	limit  int
}

func (s *told) Submit(_ context.Context, caller string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	receipts, err := s.submit(caller, subs)
	return append(into, receipts...), err
}

func (s *told) Job(context.Context, fairfactor.ID) (fairfactor.Job, error) { return s.job, s.err }

func (s *told) Cancel(context.Context, fairfactor.ID) (fairfactor.Job, error) { return s.job, s.err }

func (s *told) Retry(context.Context, fairfactor.ID) (fairfactor.Job, error) { return s.job, s.err }

func (s *told) Fairness(context.Context) (fairfactor.Fairness, error) { return s.fairness, s.err }

func (s *told) Nodes(context.Context) ([]fairfactor.Node, error) { return s.nodes, s.err }

func (s *told) Wait(ctx context.Context, _ fairfactor.ID) (fairfactor.Job, error) {
	if !s.job.State.Final() && s.err == nil {
		<-ctx.Done()
	}
	return s.job, s.err
}

func (s *told) List(_ context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	s.query = q
	return s.page, s.err
}

func (s *told) Callers(_ context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	s.after, s.limit = after, limit
	return s.callers, s.err
}

func (s *told) RankedCallers(_ context.Context, q fairfactor.CallerQuery) (fairfactor.CallerPage, error) {
	s.ranked = q
	return fairfactor.CallerPage{Callers: s.callers, Next: "5/next & <cursor>"}, s.err
}

func (s *told) Caller(_ context.Context, name string) (fairfactor.Caller, error) {
	s.caller = name
	return s.callers[0], s.err
}

func (s *told) SetWeight(_ context.Context, name string, weight int) (fairfactor.Caller, error) {
	s.caller, s.weight = name, weight
	return s.callers[0], s.err
}

func (s *told) SetGroup(_ context.Context, name, group string) (fairfactor.Caller, error) {
	s.caller, s.group = name, group
	return s.callers[0], s.err
}

func (s *told) WeighGroup(_ context.Context, group string, weight int) error {
	s.group, s.weight = group, weight
	return s.err
}

// clientOf returns a client of a node that offers jobs.
func clientOf(t testing.TB, jobs fairfactor.Jobs) *httpd.Client {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpd.New(httpd.Config{Jobs: jobs, MaxDigits: 200, Version: "test"})
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	client := connect(t, "http://"+ln.Addr().String())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return client
}

func connect(t testing.TB, url string) *httpd.Client {
	t.Helper()
	client, err := httpd.NewClient(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func source(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func someID(rng *rand.Rand) fairfactor.ID {
	return fairfactor.ID{Nonce: rng.Uint64N(1 << 48), Caller: 1 + rng.Uint64N(1<<40-1), Seq: 1 + rng.Uint64N(1<<40-1)}
}

func someNumber(rng *rand.Rand) string { return strconv.FormatUint(2+rng.Uint64(), 10) }

// someTime is a time as the API can say it, or none.
func someTime(rng *rand.Rand) time.Time {
	if rng.IntN(4) == 0 {
		return time.Time{}
	}
	return time.UnixMicro(rng.Int64N(1 << 51)).UTC()
}

// someFactors are ascending by value, which text does not sort by.
func someFactors(rng *rand.Rand, probable bool) (factors []fairfactor.Factor) {
	for _, p := range []string{"2", "3", "11", "101", "1009", "99991", "1000000016000000063", "100000000000000000039", "1000000000000000000117"} {
		if rng.IntN(2) == 0 {
			factors = append(factors, fairfactor.Factor{Prime: p, Exponent: 1 + rng.IntN(400), Probable: probable && rng.IntN(3) == 0})
		}
	}
	return factors
}

// someJob is a job with everything that the API says of one in its state.
func someJob(rng *rand.Rand) fairfactor.Job {
	id := someID(rng)
	j := fairfactor.Job{
		ID: id, Caller: fmt.Sprintf("c.%d:x@y-z_", rng.IntN(1e6)), Number: someNumber(rng), Order: id.Seq,
		State:     fairfactor.State(1 + rng.IntN(5)),
		Submitted: someTime(rng), Started: someTime(rng), Finished: someTime(rng),
		Attempts: rng.IntN(5), Turn: rng.Uint64N(1 << 50), CPU: time.Duration(rng.Int64N(1<<40)) * time.Microsecond,
	}
	switch j.State {
	case fairfactor.Completed, fairfactor.Cancelled:
		j.Factors = someFactors(rng, true)
	case fairfactor.Failed:
		j.Factors, j.Reason = someFactors(rng, true), "a \"reason\" with <marks>, \\ and ü\n"
	case fairfactor.Running:
		if rng.IntN(2) == 0 {
			j.Progress = &fairfactor.Progress{
				Phase: "sieve", Percent: float64(rng.IntN(1001)) / 10, Left: time.Duration(rng.IntN(1e9)) * time.Microsecond,
				Found: someFactors(rng, false), Remaining: []string{someNumber(rng), someNumber(rng)},
			}
		}
	}
	return j
}

func someCaller(rng *rand.Rand) fairfactor.Caller {
	return fairfactor.Caller{
		Name: fmt.Sprint("c", rng.IntN(1e6)), Group: []string{"", "team-a"}[rng.IntN(2)], Weight: 1 + rng.IntN(1000), Queued: rng.Uint64N(1 << 40), Running: rng.Uint64N(99),
		Completed: rng.Uint64N(1 << 50), Failed: rng.Uint64N(99), Cancelled: rng.Uint64N(99),
		CPU: time.Duration(rng.Int64N(1<<40)) * time.Microsecond, Turns: rng.Uint64N(1 << 50), Oldest: someTime(rng),
	}
}

func someNode(rng *rand.Rand) fairfactor.Node {
	n := fairfactor.Node{ID: fmt.Sprint(rng.Uint64()), Name: "node \"a\"", Address: "127.0.0.1:1", Gossip: "127.0.0.1:2", State: "alive", Self: rng.IntN(2) == 0}
	n.Counts = fairfactor.NodeCounts{Accepted: rng.Uint64N(1 << 50), Completed: rng.Uint64N(1 << 50), Failed: rng.Uint64N(1 << 50), Cancelled: rng.Uint64N(1 << 50), Turns: rng.Uint64N(1 << 50), CPU: time.Duration(rng.Int64N(1<<40)) * time.Microsecond}
	for range rng.IntN(4) {
		w := fairfactor.Worker{}
		if rng.IntN(2) == 0 {
			w = fairfactor.Worker{Caller: "c", Job: someID(rng).String(), Number: someNumber(rng), Since: time.UnixMicro(rng.Int64N(1 << 51)).UTC()}
		}
		n.Workers = append(n.Workers, w)
	}
	return n
}

func TestClientReceivesWhatTheNodeSays(t *testing.T) {
	rng := source(t)
	service := &told{}
	c, ctx := clientOf(t, service), t.Context()
	for range 300 {
		micros := func() time.Duration { return time.Duration(rng.Int64N(1<<40)) * time.Microsecond }
		*service = told{
			job: someJob(rng), page: fairfactor.Page{Jobs: []fairfactor.Job{someJob(rng), someJob(rng)}, Next: "next & <cursor>"},
			callers: []fairfactor.Caller{someCaller(rng), someCaller(rng)}, nodes: []fairfactor.Node{someNode(rng), someNode(rng)},
			fairness: fairfactor.Fairness{
				Quantum: micros(), Bound: micros(), Lag: micros(), MaxLag: micros(), Jain: float64(rng.IntN(1001)) / 1000,
				Violations: rng.Uint64N(99), Active: rng.IntN(99), Dormant: rng.IntN(99), Waiting: rng.IntN(99), Open: rng.IntN(99), HandedOut: rng.Uint64N(1 << 50), Epoch: rng.Uint64N(99),
				Between: fairfactor.FairnessLevel{InLine: rng.IntN(99), Bound: micros(), Lag: micros(), MaxLag: micros(), Violations: rng.Uint64N(99)},
				Inside:  fairfactor.FairnessLevel{InLine: rng.IntN(99), Bound: micros(), Lag: micros(), MaxLag: micros(), Violations: rng.Uint64N(99)},
				Jobs:    rng.Uint64N(99), Work: micros(), Oldest: someTime(rng),
			},
		}
		id := service.job.ID
		for name, do := range map[string]func() (any, any, error){
			"Job":     func() (any, any, error) { j, err := c.Job(ctx, id); return j, service.job, err },
			"Cancel":  func() (any, any, error) { j, err := c.Cancel(ctx, id); return j, service.job, err },
			"Retry":   func() (any, any, error) { j, err := c.Retry(ctx, id); return j, service.job, err },
			"List":    func() (any, any, error) { p, err := c.List(ctx, fairfactor.Query{}); return p, service.page, err },
			"Callers": func() (any, any, error) { p, err := c.Callers(ctx, "", 2); return p, service.callers, err },
			"RankedCallers": func() (any, any, error) {
				p, err := c.RankedCallers(ctx, fairfactor.CallerQuery{Order: fairfactor.ByCPU, Limit: 2})
				return p, fairfactor.CallerPage{Callers: service.callers, Next: "5/next & <cursor>"}, err
			},
			"Caller":    func() (any, any, error) { p, err := c.Caller(ctx, "a"); return p, service.callers[0], err },
			"SetWeight": func() (any, any, error) { p, err := c.SetWeight(ctx, "a", 2); return p, service.callers[0], err },
			"SetGroup":  func() (any, any, error) { p, err := c.SetGroup(ctx, "a", "g"); return p, service.callers[0], err },
			"Fairness":  func() (any, any, error) { f, err := c.Fairness(ctx); return f, service.fairness, err },
			"Nodes":     func() (any, any, error) { n, err := c.Nodes(ctx); return n, service.nodes, err },
		} {
			got, want, err := do()
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v\n got %+v\nwant %+v", name, err, got, want)
			}
		}
	}
}

func TestNodeReceivesWhatTheClientSays(t *testing.T) {
	service := &told{callers: make([]fairfactor.Caller, 1)}
	c, ctx := clientOf(t, service), t.Context()
	for _, q := range []fairfactor.Query{
		{Limit: 1}, {Caller: "a.b:c@d-e_f", States: fairfactor.In(fairfactor.Failed, fairfactor.Pending), Number: "15", Since: time.Unix(7, 8).UTC(), Until: time.Unix(9, 0).UTC(), Limit: 200, Cursor: "+/=&?%20 ü"},
	} {
		if _, err := c.List(ctx, q); err != nil || service.query != q {
			t.Errorf("List: %v, the node saw %+v, want %+v", err, service.query, q)
		}
	}
	for _, q := range []fairfactor.CallerQuery{{Order: fairfactor.ByQueued, Limit: 1}, {Order: fairfactor.ByRunning, Prefix: "a.b:c@d-e_f", Limit: 200, After: "12/a:b@c"}, {Order: fairfactor.ByCPU, Limit: 7, After: "/"}} {
		if _, err := c.RankedCallers(ctx, q); err != nil || service.ranked != q {
			t.Errorf("RankedCallers: %v, the node saw %+v, want %+v", err, service.ranked, q)
		}
	}
	if _, err := c.Callers(ctx, "a@b", 7); err != nil || service.after != "a@b" || service.limit != 7 {
		t.Errorf("Callers: %v, the node saw %q %d", err, service.after, service.limit)
	}
	for _, name := range []string{"a", ".", "..", "a:b@c", "x.y_z-0"} {
		if _, err := c.Caller(ctx, name); err != nil || service.caller != name {
			t.Errorf("Caller %q: %v, the node saw %q", name, err, service.caller)
		}
		if _, err := c.SetWeight(ctx, name, 17); err != nil || service.caller != name || service.weight != 17 {
			t.Errorf("SetWeight %q: %v, the node saw %q %d", name, err, service.caller, service.weight)
		}
		if _, err := c.SetGroup(ctx, name, "of:"+name); err != nil || service.caller != name || service.group != "of:"+name {
			t.Errorf("SetGroup %q: %v, the node saw %q %q", name, err, service.caller, service.group)
		}
		if err := c.WeighGroup(ctx, name, 18); err != nil || service.group != name || service.weight != 18 {
			t.Errorf("WeighGroup %q: %v, the node saw %q %d", name, err, service.group, service.weight)
		}
		service.caller, service.group = "", ""
	}
	if _, err := c.SetGroup(ctx, "a", ""); err != nil || service.group != "" || service.caller != "a" {
		t.Errorf("SetGroup to none: %v, the node saw %q %q", err, service.caller, service.group)
	}
	service.caller = ""
	for _, name := range []string{"", "a/b", "a b", "ü", "a\r\nb"} {
		if _, err := c.Caller(ctx, name); fairfactor.CodeOf(err) != fairfactor.Invalid || service.caller != "" {
			t.Errorf("Caller %q: %v, the node saw %q; want a refusal", name, err, service.caller)
		}
		if err := c.WeighGroup(ctx, name, 1); fairfactor.CodeOf(err) != fairfactor.Invalid || service.group != "" {
			t.Errorf("WeighGroup %q: %v, the node saw %q; want a refusal", name, err, service.group)
		}
	}
}

func TestClientReceivesRefusals(t *testing.T) {
	service := &told{callers: make([]fairfactor.Caller, 1)}
	c, ctx, id := clientOf(t, service), t.Context(), fairfactor.ID{Caller: 1, Seq: 1}
	calls := map[string]func() error{
		"Job": func() error { _, err := c.Job(ctx, id); return err }, "Wait": func() error { _, err := c.Wait(ctx, id); return err },
		"Cancel": func() error { _, err := c.Cancel(ctx, id); return err }, "Retry": func() error { _, err := c.Retry(ctx, id); return err },
		"List": func() error { _, err := c.List(ctx, fairfactor.Query{}); return err }, "Callers": func() error { _, err := c.Callers(ctx, "", 1); return err },
		"RankedCallers": func() error {
			_, err := c.RankedCallers(ctx, fairfactor.CallerQuery{Order: fairfactor.ByCPU, Limit: 1})
			return err
		},
		"Caller": func() error { _, err := c.Caller(ctx, "a"); return err }, "SetWeight": func() error { _, err := c.SetWeight(ctx, "a", 1); return err },
		"SetGroup": func() error { _, err := c.SetGroup(ctx, "a", "g"); return err }, "WeighGroup": func() error { return c.WeighGroup(ctx, "g", 1) },
		"Fairness": func() error { _, err := c.Fairness(ctx); return err }, "Nodes": func() error { _, err := c.Nodes(ctx); return err },
	}
	for _, code := range []fairfactor.Code{fairfactor.Invalid, fairfactor.NotFound, fairfactor.Conflict, fairfactor.Limit, fairfactor.Unavailable} {
		service.err = &fairfactor.Error{Code: code, Message: "a sentence with \"quotes\" about it", Retry: 7 * time.Second}
		for name, call := range calls {
			err := call()
			if fairfactor.CodeOf(err) != code || fairfactor.MessageOf(err) != fairfactor.MessageOf(service.err) {
				t.Errorf("%s: %#v, want code %s and %q", name, err, code, fairfactor.MessageOf(service.err))
			}
			retry := code == fairfactor.Limit || code == fairfactor.Unavailable
			if e, ok := err.(*fairfactor.Error); !ok || retry != (e.Retry == 7*time.Second) {
				t.Errorf("%s: %s comes with another Retry: %#v", name, code, err)
			}
		}
	}
	service.err = fmt.Errorf("secret of the store")
	for name, call := range calls {
		if err := call(); fairfactor.CodeOf(err) != fairfactor.Internal || fairfactor.MessageOf(err) == service.err.Error() {
			t.Errorf("%s: %v, want internal without the cause", name, err)
		}
	}
}

// TestClientSubmits sends random mixtures of numbers, with and without keys,
// some of them refused, and compares receipts and order.
func TestClientSubmits(t *testing.T) {
	rng := source(t)
	var seq uint64
	var seen []fairfactor.Submission
	service := &told{submit: func(caller string, subs []fairfactor.Submission) (receipts []fairfactor.Receipt, err error) {
		for _, sub := range subs {
			seen = append(seen, sub)
			if sub.Number == "429" {
				receipts = append(receipts, fairfactor.Receipt{Err: &fairfactor.Error{Code: fairfactor.Limit, Message: "full", Retry: 3 * time.Second}})
				continue
			}
			seq++
			receipts = append(receipts, fairfactor.Receipt{Job: fairfactor.Job{ID: fairfactor.ID{Caller: 1, Seq: seq}, Caller: caller, Number: sub.Number, Key: sub.Key, State: fairfactor.Pending}})
		}
		return receipts, nil
	}}
	c := clientOf(t, service)
	for _, n := range []int{0, 1, 2, 3, 20, 999, 1000, 1001, 2500} {
		subs, first := make([]fairfactor.Submission, n), seq
		seen = nil
		for i := range subs {
			subs[i].Number = someNumber(rng)
			switch rng.IntN(20) {
			case 0:
				subs[i].Number = "429"
			case 1:
				subs[i].Number = "no \"number\"\n\xff"
			case 2:
				subs[i].Key = fmt.Sprint("key-", i)
			}
		}
		receipts, err := c.Submit(t.Context(), "caller:1", subs, nil)
		if err != nil || len(receipts) != n {
			t.Fatalf("%d submissions: %d receipts, %v", n, len(receipts), err)
		}
		next := first
		for i, r := range receipts {
			switch subs[i].Number {
			case "429":
				if e, ok := r.Err.(*fairfactor.Error); !ok || e.Code != fairfactor.Limit || e.Message != "full" || e.Retry != 3*time.Second {
					t.Fatalf("%d of %d: %#v, want the limit", i, n, r.Err)
				}
			case "no \"number\"\n\xff":
				if fairfactor.CodeOf(r.Err) != fairfactor.Invalid {
					t.Fatalf("%d of %d: %v, want invalid", i, n, r.Err)
				}
			default:
				next++
				want := fairfactor.Job{ID: fairfactor.ID{Caller: 1, Seq: next}, Caller: "caller:1", Number: subs[i].Number, Key: subs[i].Key, Order: next, State: fairfactor.Pending}
				if r.Err != nil || !reflect.DeepEqual(r.Job, want) {
					t.Fatalf("%d of %d: %v\n got %+v\nwant %+v", i, n, r.Err, r.Job, want)
				}
			}
		}
		sent := slices.DeleteFunc(slices.Clone(subs), func(s fairfactor.Submission) bool { return s.Number == "no \"number\"\n\xff" })
		if len(seen) != len(sent) || len(sent) > 0 && !reflect.DeepEqual(seen, sent) {
			t.Fatalf("%d submissions: the node saw %d of them, or in another order", n, len(seen))
		}
	}
}

func TestClientRefusesWhatNoHeaderCanCarry(t *testing.T) {
	c := clientOf(t, &told{submit: func(string, []fairfactor.Submission) ([]fairfactor.Receipt, error) {
		return nil, fmt.Errorf("must not be sent")
	}})
	for _, key := range []string{"a\r\nX-Caller-ID: other", " a", "a ", "ü", string(make([]byte, 129))} {
		receipts, err := c.Submit(t.Context(), "a", []fairfactor.Submission{{Number: "6", Key: key}}, nil)
		if err != nil || len(receipts) != 1 || fairfactor.CodeOf(receipts[0].Err) != fairfactor.Invalid {
			t.Errorf("key %q: %v %v", key, receipts, err)
		}
	}
	for _, caller := range []string{"", "a b", "a\r\nb"} {
		if _, err := c.Submit(t.Context(), caller, []fairfactor.Submission{{Number: "6"}}, nil); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("caller %q: %v", caller, err)
		}
	}
}
