package actors_test

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/commit"
	"fairfactor/cluster"
	"fairfactor/store/memory"
)

// The actors on a node of package cluster: they work, and when it has stopped
// nothing is left of them.
func TestOnARealNode(t *testing.T) {
	before := runtime.NumGoroutine()
	s := &site{TB: t, ex: newExchange(), store: memory.New(), book: newBook()}
	n := &node{store: &faults{Store: s.store, book: s.book}}
	n.committer = commit.New(n.store, commit.Options{})
	var net *cluster.Node
	n.sys = actors.New(actors.Config{
		Store: n.store, Committer: n.committer, Members: func() []fairfactor.Node { return []fairfactor.Node{{ID: net.ID(), Self: true}} },
		Logger: slog.New(slog.DiscardHandler), Workers: 2, Tick: 20 * time.Millisecond, Passivate: 50 * time.Millisecond,
	})
	n.Service = n.sys.Service()
	net, err := cluster.Start(t.Context(), cluster.Config{Remote: "127.0.0.1:0", Gossip: "127.0.0.1:0", Kinds: n.sys.Kinds(cluster.Identity)})
	if err != nil {
		t.Fatal(err)
	}
	net.OnView(func(v cluster.View) { n.sys.MembersAre([]string{net.ID()}) })
	if err := n.sys.Start(net); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.completed(n, s.submit(n, "alice", "1", "15", "18446744073709551557")...)
		s.eventually("the caller is idle", func() bool { return n.sys.Counters.Callers.Load() == 0 })
	}
	job := s.running(n, s.submit(n, "alice", hard(seeded(t)))[0])
	if nodes, err := n.Nodes(t.Context()); err != nil || len(nodes) != 1 || len(nodes[0].Workers) != 2 {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := n.Wait(t.Context(), job.ID)
		waited <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	n.sys.Drain(ctx)
	if err := net.Stop(ctx); err != nil {
		t.Error(err)
	}
	n.sys.Stop()
	if err := n.committer.Close(ctx); err != nil {
		t.Error(err)
	}
	n.store.kill() // what asks it now has not stopped
	<-waited
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before+1 })
}
