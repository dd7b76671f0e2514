//go:build !race

// protoactor sets a global variable of gRPC at each start of a node, so that the
// race detector can't be there when a process has several nodes. make test runs
// this file without it.

package actors_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/commit"
	"fairfactor/cluster"
	"fairfactor/store/memory"
)

// realNode is a node of package cluster with actors, on a store and a table of
// members that others share.
type realNode struct {
	*node
	net *cluster.Node
}

// realSite is a cluster of them.
type realSite struct {
	*site
	members *memory.Members
	timing  cluster.Timing
}

func newRealSite(t testing.TB) *realSite {
	return &realSite{
		site:    &site{TB: t, ex: newExchange(), store: memory.New(), book: newBook()},
		members: memory.NewMembers(time.Now),
		timing:  cluster.Timing{Settle: time.Second},
	}
}

func (s *realSite) start() *realNode {
	s.Helper()
	r := &realNode{node: &node{store: &faults{Store: s.store, book: s.book}}}
	n := r.node
	n.committer = commit.New(n.store, commit.Options{})
	n.sys = actors.New(actors.Config{
		Store: n.store, Committer: n.committer, Members: r.view, Logger: slog.New(slog.DiscardHandler), Workers: 2,
	})
	n.Service = n.sys.Service()
	var err error
	r.net, err = cluster.Start(s.Context(), cluster.Config{
		Remote: "127.0.0.1:0", Gossip: "127.0.0.1:0", Kinds: n.sys.Kinds(cluster.Identity), Table: s.members,
		Retire: map[string]any{actors.CallerKind: actors.Retire{}},
		Timing: s.timing,
	})
	if err != nil {
		s.Fatal(err)
	}
	r.net.OnView(func(v cluster.View) {
		var ids []string
		for _, m := range v.Members {
			ids = append(ids, m.ID)
		}
		n.sys.MembersAre(ids)
	})
	if err := n.sys.Start(r.net); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { r.stop() })
	return r
}

func (r *realNode) view() (nodes []fairfactor.Node) {
	for _, m := range r.net.View().Members {
		nodes = append(nodes, fairfactor.Node{ID: m.ID})
	}
	return nodes
}

// stop stops a node in good order.
func (r *realNode) stop() {
	if r.gone {
		return
	}
	r.gone = true
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	r.sys.Drain(ctx)
	_ = r.net.Stop(ctx)
	r.sys.Stop()
	_ = r.committer.Close(ctx)
}

// kill ends a node for the others: the store takes nothing from it any more and
// the table says that it is no member. It learns so by itself.
func (s *realSite) kill(r *realNode) {
	r.store.kill()
	if err := s.members.Leave(context.Background(), r.net.ID()); err != nil {
		s.Fatal(err)
	}
}

// Nodes start, stop and die under load, the one with the scheduler too: every job
// that was accepted ends, once.
func TestRealClusterEndsEveryJobOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	s := newRealSite(t)
	nodes := []*realNode{s.start(), s.start(), s.start()}
	var all sync.WaitGroup
	var mu sync.Mutex
	var accepted []fairfactor.Job
	ctx, cancel := context.WithCancel(t.Context())
	stable := nodes[0] // a client needs one that stays
	for c := range 8 {
		numbers := rand.New(rand.NewPCG(seed, uint64(c)))
		all.Go(func() {
			for ctx.Err() == nil {
				limit, stop := context.WithTimeout(context.Background(), longest)
				receipts, err := stable.Submit(limit, fmt.Sprintf("caller-%d", c), []fairfactor.Submission{
					{Number: digits(numbers, 6+numbers.IntN(14))}, {Number: digits(numbers, 6+numbers.IntN(14))},
				}, nil)

				stop()
				if err != nil {
					if code := fairfactor.CodeOf(err); code != fairfactor.Unavailable {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				for _, r := range receipts {
					if r.Err == nil {
						accepted = append(accepted, r.Job)
					}
				}
				mu.Unlock()
				time.Sleep(time.Duration(numbers.IntN(4)) * time.Millisecond) // two cores for all
			}
		})
	}
	for round := range 6 {
		i := 1 + rng.IntN(2)
		if round%2 == 0 {
			s.kill(nodes[i])
		} else {
			nodes[i].stop()
		}
		nodes[i] = s.start()
		begin := time.Now()
		for c := range 8 { // every caller is served again
			limit, stop := context.WithTimeout(t.Context(), longest)
			if _, err := stable.Submit(limit, fmt.Sprintf("caller-%d", c), []fairfactor.Submission{{Number: "15"}}, nil); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			stop()
		}
		t.Logf("round %d: all served after %v", round, time.Since(begin).Round(time.Millisecond))
	}
	cancel()
	all.Wait()
	s.completed(stable.node, accepted...)
	s.eventually("jobs without a receipt end too", func() bool {
		s.book.mu.Lock()
		defer s.book.mu.Unlock()
		return len(s.book.ends) == len(s.book.accepted)
	})
	for id := range s.book.accepted {
		if ends := s.book.ended(id); ends != 1 {
			t.Errorf("job %s has ended %d times", id, ends)
		}
	}
	t.Logf("%d jobs accepted, %d of them with a receipt", len(s.book.accepted), len(accepted))
}

// Long jobs that move to a node that has joined, or from one that leaves, take along what
// was found: nothing of it is found again.
func TestProgressMovesAlong(t *testing.T) {
	s := newRealSite(t)
	s.timing = cluster.Timing{Settle: longest, Retire: longest}
	first := s.start()
	nodes := []*realNode{first}
	rng := seeded(t)
	jobs := make([]fairfactor.Job, 5)
	for i := range jobs {
		jobs[i] = s.running(first.node, s.submit(first.node, fmt.Sprintf("caller-%d", i), hard(rng))[0])
	}
	// goOn waits until all jobs have used some more CPU.
	goOn := func() {
		for i := range jobs {
			s.eventually("the job goes on", func() bool {
				now, err := first.Job(t.Context(), jobs[i].ID)
				if err != nil || now.State != fairfactor.Running || now.CPU < jobs[i].CPU+50*time.Millisecond {
					return false
				}
				jobs[i] = now
				return true
			})
		}
	}
	kept := func(when string) {
		for i, n := range nodes {
			if lost := n.sys.Counters.Unsaved.Load(); lost > 0 {
				t.Errorf("%s: node %d has lost %v of CPU", when, i, time.Duration(lost))
			}
		}
	}
	moved := func() *realNode {
		if i := slices.IndexFunc(nodes[1:], func(n *realNode) bool { return n.sys.Counters.Callers.Load() > 0 }); i >= 0 {
			return nodes[1+i]
		}
		return nil
	}
	goOn()
	for moved() == nil {
		if len(nodes) == 6 {
			t.Fatal("no caller has moved")
		}
		nodes = append(nodes, s.start())
		s.eventually("all nodes see each other", func() bool {
			return !slices.ContainsFunc(nodes, func(n *realNode) bool { return len(n.view()) != len(nodes) || n.net.Ready() != nil })
		})
		goOn()
	}
	kept("a node has joined")
	moved().stop()
	goOn()
	kept("a node has left")
	for _, job := range jobs {
		s.cancel(first.node, job)
	}
}

// BenchmarkTurnsOfNodes is cheap turns: jobs of one turn each, submitted at one
// node. With two nodes half of all messages go over the network.
func BenchmarkTurnsOfNodes(b *testing.B) {
	for _, count := range []int{1, 2} {
		b.Run(fmt.Sprint(count), func(b *testing.B) { benchmarkTurns(b, count) })
	}
}

func benchmarkTurns(b *testing.B, count int) {
	s := newRealSite(b)
	a := s.start()
	c := a
	if count == 2 {
		c = s.start()
	}
	s.eventually("both see each other", func() bool { return len(a.view()) == count && len(c.view()) == count })
	const callers, batch = 16, 500
	subs := make([]fairfactor.Submission, batch)
	for i := range subs {
		subs[i].Number = "15"
	}
	done := func() (n uint64) {
		n = a.sys.Counters.Completed.Load()
		if c != a {
			n += c.sys.Counters.Completed.Load()
		}
		return n
	}
	b.ResetTimer()
	before := done()
	var all sync.WaitGroup
	for k := range callers {
		all.Go(func() {
			for i := 0; i < b.N/callers; i += batch {
				ctx, cancel := context.WithTimeout(context.Background(), longest)
				if _, err := a.Submit(ctx, fmt.Sprintf("caller-%d", k), subs[:min(batch, b.N/callers-i)], nil); err != nil {
					b.Error(err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	s.eventually("all are done", func() bool { return done()-before >= uint64(b.N/callers*callers) })
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
}
