package compare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/commit"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
	"fairfactor/cluster"
	memorystore "fairfactor/store/memory"
)

// inner is a node within this process: the actors, their cluster and real
// connections between the nodes, but a store that writes nothing. It shows what
// the way of a turn costs, without the disk.
type inner struct {
	system    *actors.System
	cluster   *cluster.Node
	committer *commit.Committer
}

func startInner(ctx context.Context, store fairfactor.Store, join []string) (*inner, error) {
	n := &inner{committer: commit.New(store, commit.Options{})}
	n.system = actors.New(actors.Config{
		Store: store, Committer: n.committer, Workers: 1, Logger: slog.New(slog.DiscardHandler),
		Members: func() []fairfactor.Node { return nil },
	})
	var err error
	n.cluster, err = cluster.Start(ctx, cluster.Config{
		Remote: "127.0.0.1:0", Gossip: "127.0.0.1:0", Join: join, Kinds: n.system.Kinds(cluster.Identity),
	})
	if err != nil {
		return nil, err
	}
	n.cluster.OnView(func(v cluster.View) {
		var ids []string
		for _, m := range v.Members {
			ids = append(ids, m.ID)
		}
		n.system.MembersAre(ids)
	})
	return n, n.system.Start(n.cluster)
}

// idle reports whether the node has run no turn yet.
func (n *inner) idle() bool { return n.system.Counters.Turns.Load() == 0 }

func (n *inner) stop(ctx context.Context) error {
	n.system.Drain(ctx)
	err := n.cluster.Stop(ctx)
	n.system.Stop()
	return errors.Join(err, n.committer.Close(ctx))
}

// turnRate has two nodes with one worker each do many cheap jobs, one turn each,
// and returns the turns a second.
func turnRate(ctx context.Context, seed uint64, jobs, callers int) (rate float64, err error) {
	store := memorystore.New()
	var nodes []*inner
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		for _, n := range nodes {
			err = errors.Join(err, n.stop(late))
		}
	}()
	var join []string
	for range 2 {
		n, err := startInner(ctx, store, join)
		if err != nil {
			return 0, err
		}
		nodes = append(nodes, n)
		join = []string{n.cluster.View().Members[0].Gossip}
	}
	for _, n := range nodes {
		if err := wait.Until(ctx, 10*time.Millisecond, func() (bool, error) { return len(n.cluster.View().Members) == 2, nil }); err != nil {
			return 0, err
		}
	}
	// Before the time is taken, every caller and the scheduler are where they
	// stay, and both workers are known.
	for warm := uint64(0); nodes[0].idle() || nodes[1].idle(); warm++ {
		if err := submitAll(ctx, nodes, seed^warm, callers, 100); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	if err := submitAll(ctx, nodes, seed+1, callers, jobs/callers); err != nil {
		return 0, err
	}
	took := time.Since(start)
	return stats.PerSecond(jobs, took), nil
}

// groupOf is how many numbers a caller has waiting at most: fewer than what its
// actor keeps in memory, so that nothing is read from the store.
const groupOf = 500

// submitAll hands in cheap numbers from all callers, half of them at each node,
// a group when the one before is completed. It returns when all are.
func submitAll(ctx context.Context, nodes []*inner, seed uint64, callers, each int) error {
	before := completedBy(nodes)
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			rng, jobs := random.New(seed, uint64(c)), nodes[c%len(nodes)].system.Service()
			for left := each; left > 0 && errs[c] == nil; left -= groupOf {
				errs[c] = submitGroup(ctx, jobs, fmt.Sprintf("caller-%d", c), random.Many(min(groupOf, left), rng, random.Small))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	want := before + uint64(callers*each)
	return wait.Until(ctx, time.Millisecond, func() (bool, error) { return completedBy(nodes) >= want, nil })
}

// submitGroup hands in numbers of one caller and waits for the last of them.
func submitGroup(ctx context.Context, jobs fairfactor.Jobs, caller string, numbers []string) error {
	subs := make([]fairfactor.Submission, len(numbers))
	for i, n := range numbers {
		subs[i].Number = n
	}
	receipts, err := jobs.Submit(ctx, caller, subs, nil)
	for _, r := range receipts {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		return err
	}
	_, err = jobs.Wait(ctx, receipts[len(receipts)-1].Job.ID)
	return err
}

func completedBy(nodes []*inner) (sum uint64) {
	for _, n := range nodes {
		sum += n.system.Counters.Completed.Load()
	}
	return sum
}
