package actors_test

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
)

// knowing tunes a site whose nodes remember results.
func knowing(cfg *actors.Config) { cfg.KnownSize = 1000 }

// lookups counts what is looked up in the store of known results.
type lookups struct {
	fairfactor.Store
	n *atomic.Int64
}

func (l lookups) Known(ctx context.Context, numbers []string) ([]fairfactor.Known, error) {
	l.n.Add(int64(len(numbers)))
	return l.Store.Known(ctx, numbers)
}

// lessons counts the writes of known results.
type lessons struct {
	fairfactor.Store
	n *atomic.Int64
}

func (l lessons) Learn(ctx context.Context, learned []fairfactor.Known) error {
	l.n.Add(1)
	return l.Store.Learn(ctx, learned)
}

// TestUsesAreWrittenTogether: that all numbers of a submission are known, from long
// ago, costs one write, not one for each of them.
func TestUsesAreWrittenTogether(t *testing.T) {
	var n atomic.Int64
	s := newSite(t, 1, func(cfg *actors.Config) {
		cfg.KnownSize = 1000
		cfg.Store = lessons{cfg.Store, &n}
	})
	rng, before := seeded(t), time.Now().Add(-2*time.Hour)
	var numbers []string
	var known []fairfactor.Known
	for range 20 {
		p, q := prime(rng, 60), prime(rng, 61)
		number := product(p, q)
		numbers = append(numbers, number)
		known = append(known, fairfactor.Known{
			Number: number, Factors: []fairfactor.Factor{{Prime: p.String(), Exponent: 1}, {Prime: q.String(), Exponent: 1}},
			Complete: true, CPU: time.Second, Used: before,
		})
	}
	if err := s.store.Learn(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	s.completed(n0(s), s.submit(n0(s), "alice", numbers...)...)
	s.eventually("all are used", func() bool {
		now, err := s.store.Known(t.Context(), numbers)
		if err != nil || len(now) != len(numbers) {
			t.Fatalf("%d known: %v", len(now), err)
		}
		return !slices.ContainsFunc(now, func(k fairfactor.Known) bool { return k.Used.Before(before.Add(time.Hour)) })
	})
	if n.Load() != 1 {
		t.Errorf("%d writes", n.Load())
	}
}

// product is a number of two primes of that many bits, and the smaller one.
func product(p, q *big.Int) string { return new(big.Int).Mul(p, q).String() }

// A number that one caller had factored is completed at once for another one, on
// another node, and its job says so.
func TestKnownNumberEndsAtOnce(t *testing.T) {
	s := newSite(t, 2, knowing)
	rng := seeded(t)
	number := product(prime(rng, 75), prime(rng, 75))
	first := s.completed(s.nodes[0], s.submit(s.nodes[0], "alice", number)...)[0]
	if first.Known || first.CPU < time.Millisecond {
		t.Fatalf("the first job: %+v", first)
	}
	turns := s.turns()
	for _, caller := range []string{"bob", "carol", "alice"} {
		got := s.submit(s.nodes[1], caller, number)[0]
		if got.State != fairfactor.Completed || !got.Known || len(got.Factors) != 2 || multipliesOut(got) != nil {
			t.Errorf("%s got %+v", caller, got)
		}
		stored, err := s.store.Job(t.Context(), got.ID)
		if err != nil || !stored.Known || stored.State != fairfactor.Completed || stored.CPU != 0 {
			t.Errorf("stored: %+v, %v", stored, err)
		}
		if account, err := s.nodes[0].Caller(t.Context(), caller); err != nil || account.Queued != 0 || account.Completed == 0 {
			t.Errorf("account: %+v, %v", account, err)
		}
	}
	if now := s.turns(); now != turns {
		t.Errorf("%d turns were run for a known number", now-turns)
	}
}

// turns is how many turns all nodes have run.
func (s *site) turns() (n uint64) {
	for _, node := range s.nodes {
		n += node.sys.Counters.Turns.Load()
	}
	return n
}

// A known number in a batch of others, with a key, and sent again.
func TestKnownNumbersAmongOthers(t *testing.T) {
	s := newSite(t, 1, knowing)
	rng := seeded(t)
	number := product(prime(rng, 75), prime(rng, 75))
	s.completed(n0(s), s.submit(n0(s), "alice", number)...)
	jobs := s.submit(n0(s), "bob", "15", number, "21", number, digits(rng, 33))
	for i, j := range s.completed(n0(s), jobs...) {
		if j.Known != (i == 1 || i == 3) || j.Order != uint64(i+1) {
			t.Errorf("job %d: %+v", i, j)
		}
	}
	keyed := fairfactor.Submission{Number: number, Key: "once"}
	one, again := s.receipts(n0(s), "bob", keyed)[0], s.receipts(n0(s), "bob", keyed)[0]
	if one.Err != nil || again.Err != nil || one.Job.ID != again.Job.ID || !again.Replay || !again.Job.Known {
		t.Errorf("with a key: %+v, again %+v", one, again)
	}
}

// What is stored is multiplied out and its primes are tested before anything is said:
// a wrong result costs nothing but the time to find the right one.
func TestWrongResultIsNotServed(t *testing.T) {
	s := newSite(t, 1, knowing)
	rng := seeded(t)
	factors := func(ps ...string) (fs []fairfactor.Factor) {
		for _, p := range ps {
			fs = append(fs, fairfactor.Factor{Prime: p, Exponent: 1})
		}
		return fs
	}
	for _, name := range []string{"composite", "another", "nothing", "part"} {
		p, q, r := prime(rng, 40), prime(rng, 41), prime(rng, 42)
		number := product(new(big.Int).Mul(p, q), r)
		wrong := map[string][]fairfactor.Factor{
			"composite": factors(product(p, q), r.String()), "another": factors("7", "11"), "part": factors(p.String()),
		}[name]
		if err := s.store.Learn(t.Context(), []fairfactor.Known{{Number: number, Factors: wrong, Complete: true}}); err != nil {
			t.Fatal(err)
		}
		j := s.completed(n0(s), s.submit(n0(s), "alice", number)...)[0]
		if j.Known || len(j.Factors) != 3 {
			t.Errorf("%s: %+v", name, j)
		}
		if f, err := n0(s).Factorization(t.Context(), number); err != nil || f.Status == fairfactor.FullyFactored && len(f.Factors) != 3 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// Small numbers pay nothing: they are neither looked up nor made known.
func TestSmallNumbersAreNotLookedUp(t *testing.T) {
	var n atomic.Int64
	s := newSite(t, 1, func(cfg *actors.Config) {
		cfg.KnownSize = 1000
		cfg.Store = lookups{cfg.Store, &n}
	})
	rng := seeded(t)
	var numbers []string
	for range 100 {
		numbers = append(numbers, digits(rng, 1+rng.IntN(30)))
	}
	s.completed(n0(s), s.submit(n0(s), "alice", numbers...)...)
	if n.Load() != 0 {
		t.Errorf("%d small numbers were looked up", n.Load())
	}
	if known, err := s.store.ListKnown(t.Context(), fairfactor.NumberKey{}, 10); err != nil || len(known) > 0 {
		t.Errorf("small numbers are known: %+v, %v", known, err)
	}
	s.completed(n0(s), s.submit(n0(s), "alice", digits(rng, 31))...)
	if n.Load() != 1 {
		t.Errorf("%d numbers were looked up, want 1", n.Load())
	}
}

// With a size of zero nothing is remembered.
func TestNothingIsRememberedWithoutSize(t *testing.T) {
	s := newSite(t, 1, nil)
	rng := seeded(t)
	number := product(prime(rng, 75), prime(rng, 75))
	for range 2 {
		if j := s.completed(n0(s), s.submit(n0(s), "alice", number)...)[0]; j.Known || j.Turns == 0 {
			t.Errorf("%+v", j)
		}
	}
	if _, err := n0(s).Teach(t.Context(), nil); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("teach: %v", err)
	}
}

// The primes that a failed job found are there when its number is tried again, by
// another caller too and after a restart, and the turns work on what is left only.
func TestPartialKnowledgeHelps(t *testing.T) {
	tune := func(cfg *actors.Config) { cfg.KnownSize, cfg.MaxCPU = 1000, 300*time.Millisecond }
	s := newSite(t, 1, tune)
	rng := seeded(t)
	small := prime(rng, 35)
	number := product(small, new(big.Int).Mul(prime(rng, 170), prime(rng, 170)))
	first := s.wait(n0(s), s.submit(n0(s), "alice", number)...)[0]
	if first.State != fairfactor.Failed || len(first.Factors) != 1 || first.Factors[0].Prime != small.String() {
		t.Fatalf("the first job: %+v", first)
	}
	f, err := n0(s).Factorization(t.Context(), number)
	if err != nil || f.Status != fairfactor.SomeFactors || len(f.Factors) != 1 || strings.Contains(f.Cofactor, number) {
		t.Errorf("known: %+v, %v", f, err)
	}
	s.leave(n0(s)) // with the work of the first job, which the second would go on with
	s = siteOn(t, s.store, 1, tune)
	second := s.submit(n0(s), "bob", number)[0]
	s.eventually("a turn on what is left", func() bool {
		nodes, err := n0(s).Nodes(t.Context())
		return err == nil && len(nodes) == 1 && len(nodes[0].Workers) > 0 && nodes[0].Workers[0].Number == f.Cofactor
	})
	if j := s.wait(n0(s), second)[0]; j.State != fairfactor.Failed || len(j.Factors) != 1 {
		t.Errorf("the second job: %+v", j)
	}
	again, err := n0(s).Retry(t.Context(), first.ID)
	if err != nil || len(again.Factors) != 1 {
		t.Errorf("retried: %+v, %v", again, err)
	}
}

// What is known without a job, in the words of factordb.
func TestFactorization(t *testing.T) {
	s := newSite(t, 1, knowing)
	rng := seeded(t)
	p, q := prime(rng, 150), prime(rng, 160)
	for number, want := range map[string]fairfactor.Status{
		"1": fairfactor.Unit, "2": fairfactor.Prime, "97": fairfactor.Prime, "12": fairfactor.FullyFactored,
		"1000000000000000000117": fairfactor.Prime, product(prime(rng, 40), prime(rng, 40)): fairfactor.FullyFactored,
		p.String(): fairfactor.ProbablePrime, product(p, q): fairfactor.Composite,
		product(p, big.NewInt(77)): fairfactor.FullyFactored, product(p, new(big.Int).Mul(q, big.NewInt(49))): fairfactor.SomeFactors,
		strings.Repeat("9", 299) + "7": fairfactor.Composite, strings.Repeat("9", 998) + "1": fairfactor.Unknown,
	} {
		f, err := n0(s).Factorization(t.Context(), number)
		if err != nil || f.Number != number || f.Status != want && !(want == fairfactor.Unknown || len(number) == 300) {
			t.Errorf("%s is %s, want %s, %v", number, f.Status, want, err)
		}
		back, _ := new(big.Int).SetString(f.Cofactor, 10)
		for _, k := range f.Factors {
			v, _ := new(big.Int).SetString(k.Prime, 10)
			back.Mul(back, v.Exp(v, big.NewInt(int64(k.Exponent)), nil))
		}
		if back.String() != number {
			t.Errorf("%s: the factors %v and %s multiply to %s", number, f.Factors, f.Cofactor, back)
		}
	}
}

// Results of strangers are verified before they are taken, and come back in pages.
func TestTeach(t *testing.T) {
	s := newSite(t, 1, knowing)
	rng := seeded(t)
	var results []fairfactor.Known
	for range 7 {
		p, q := prime(rng, 60), prime(rng, 61)
		results = append(results, fairfactor.Known{Number: product(p, q), Factors: []fairfactor.Factor{{Prime: p.String(), Exponent: 1}, {Prime: q.String(), Exponent: 1}}})
	}
	bad := results[3]
	bad.Factors = bad.Factors[:1]
	small := fairfactor.Known{Number: "15", Factors: []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 1}}}
	errs, err := n0(s).Teach(t.Context(), append(append([]fairfactor.Known{}, results[:3]...), append(results[4:], bad, small)...))
	if err != nil || len(errs) != 8 || errs[0] != nil || fairfactor.CodeOf(errs[6]) != fairfactor.Invalid || errs[7] != fairfactor.ErrSmall {
		t.Fatalf("%v, %v", errs, err)
	}
	seen, cursor := 0, ""
	for first := true; first || cursor != ""; first = false {
		var page []fairfactor.Factorization
		if page, cursor, err = n0(s).Factorizations(t.Context(), cursor, 4); err != nil {
			t.Fatal(err)
		}
		seen += len(page)
	}
	if seen != 6 {
		t.Errorf("%d are known, want 6", seen)
	}
	if j := s.submit(n0(s), "alice", results[0].Number)[0]; !j.Known || multipliesOut(j) != nil {
		t.Errorf("taught number: %+v", j)
	}
	if _, _, err := n0(s).Factorizations(t.Context(), "zz", 4); fairfactor.CodeOf(err) != fairfactor.Invalid {
		t.Errorf("a cursor of a stranger: %v", err)
	}
}

// TestProofsAreKept: how a large prime was proven is in the job, in what is known of its
// number, and in a job that ends with that.
func TestProofsAreKept(t *testing.T) {
	s := newSite(t, 1, knowing)
	rng := seeded(t)
	number := product(prime(rng, 40), prime(rng, 140))
	check := func(what string, factors []fairfactor.Factor) {
		t.Helper()
		if len(factors) != 2 || factors[0].Method() != "deterministic" || factors[1].Proof == 0 {
			t.Errorf("%s: %+v", what, factors)
		}
	}
	check("the job", s.completed(n0(s), s.submit(n0(s), "alice", number)...)[0].Factors)
	f, err := n0(s).Factorization(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	check("what is known", f.Factors)
	again := s.submit(n0(s), "bob", number)[0]
	if check("again", again.Factors); !again.Known {
		t.Errorf("%+v", again)
	}
}
