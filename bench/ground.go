package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairfactor/store/postgres/pgtest"
)

// ground is where faults are made: a database, the nodes of a cluster, and the
// callers' clients, all of them private.
type ground struct {
	b        *bench
	rng      *rand.Rand
	server   *pgtest.Server
	audit    *audit
	fleet    *fleet
	balancer *balancer
	senders  *senders

	watching sync.WaitGroup
	unwatch  context.CancelFunc
	mu       sync.Mutex
	worst    promise // guarded by mu; what a scheduler said of its fairness, at worst
	answers  int     // guarded by mu; how often one said it
}

// newGround starts a cluster and its callers.
func newGround(ctx context.Context, b *bench, cfg fleetConfig, callers int) (g *ground, err error) {
	g = &ground{b: b, rng: newRand(b.seed, 0)}
	defer func() {
		if err != nil {
			g.close(false)
		}
	}()
	var url string
	if g.server, url, err = newDatabase(ctx); err != nil {
		return nil, err
	}
	g.audit = &audit{url: url}
	cfg.store = g.server.Addr()
	cfg.dsn = func(addr, node string) string {
		return strings.Replace(url, g.server.Addr(), addr, 1) + "&application_name=" + node
	}
	if g.fleet, err = b.startFleet(ctx, cfg, g.audit.install); err != nil {
		return nil, err
	}
	g.balancer = newBalancer(g.fleet.addrs(), 4*callers)
	g.senders = &senders{balancer: g.balancer, conns: 2, think: 20 * time.Millisecond, seed: b.seed}
	for i := range callers {
		g.senders.callers = append(g.senders.callers, fmt.Sprintf("caller-%d", i+1))
	}
	g.senders.start()
	watching, unwatch := context.WithCancel(context.WithoutCancel(ctx))
	g.unwatch = unwatch
	g.watching.Go(func() { g.watch(watching) })
	return g, nil
}

// newDatabase starts a server with an empty database.
func newDatabase(ctx context.Context) (*pgtest.Server, string, error) {
	server, err := pgtest.Run()
	if err != nil {
		return nil, "", err
	}
	url, err := server.NewDatabase(ctx)
	if err != nil {
		server.Remove()
		return nil, "", err
	}
	return server, url, nil
}

// watch asks the scheduler of its fairness again and again.
func (g *ground) watch(ctx context.Context) {
	for pause(ctx, 500*time.Millisecond) == nil {
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		status, raw, err := g.balancer.pick().send(ask, "GET", "/fairness", nil, "")
		cancel()
		var p promise
		if err != nil || status != 200 || json.Unmarshal(raw, &p) != nil {
			continue // no scheduler now
		}
		g.mu.Lock()
		g.answers++
		if p.Violations > g.worst.Violations || p.Violations == g.worst.Violations && p.MaxLag >= g.worst.MaxLag {
			g.worst = p
		}
		g.mu.Unlock()
	}
}

// seatOf returns the node's place that a process, as the audit knows it, is at,
// or a random one if the process is gone.
func (g *ground) seatOf(process string) *seat {
	name, life, _ := strings.Cut(process, "/")
	for _, s := range g.fleet.seats {
		if s.name == name && fmt.Sprint(s.lives()) == life {
			return s
		}
	}
	return g.fleet.seats[g.rng.IntN(len(g.fleet.seats))]
}

// victim returns a node by its role: in turn that of the scheduler, the owner of
// some caller, and any.
func (g *ground) victim(ctx context.Context, round int) (*seat, string, error) {
	switch round % 3 {
	case 0:
		process, err := g.audit.scheduler(ctx)
		return g.seatOf(process), "scheduler", err
	case 1:
		caller := g.senders.callers[g.rng.IntN(len(g.senders.callers))]
		process, err := g.audit.owner(ctx, caller)
		return g.seatOf(process), "owner of " + caller, err
	}
	return g.fleet.seats[g.rng.IntN(len(g.fleet.seats))], "any", nil
}

// recovery bounds the time until all is well after a fault. It is far above any
// target: a cluster that needs longer has failed.
const recovery = 90 * time.Second

// recovered waits until every node is ready and every caller is served, and
// returns how long callers went without since a moment.
func (g *ground) recovered(ctx context.Context, at time.Time, first int) (outage, error) {
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	if err := g.fleet.healthy(ctx); err != nil {
		return outage{}, err
	}
	err := until(ctx, 20*time.Millisecond, func() (bool, error) { return g.senders.served(at, first), nil })
	if err != nil {
		return outage{}, fmt.Errorf("callers are not served %v after the fault: %w", time.Since(at).Round(time.Second), err)
	}
	return outageOf(g.senders.since(first), at), nil
}

// finish ends the load, makes a burst for the order of hand-outs, waits until
// every job has ended, and judges.
func (g *ground) finish(ctx context.Context) (*verdict, []submission, error) {
	g.senders.end()
	if err := g.burst(ctx); err != nil {
		return nil, g.senders.since(0), err
	}
	logs := g.senders.since(0)
	ctx, cancel := context.WithTimeout(ctx, 2*recovery)
	defer cancel()
	left := 0
	err := until(ctx, 50*time.Millisecond, func() (bool, error) {
		var err error
		left, err = g.audit.unfinished(ctx)
		return left == 0, err
	})
	if err != nil && ctx.Err() == nil {
		return nil, logs, err
	}
	v, err := g.audit.judge(context.WithoutCancel(ctx), logs)
	return v, logs, err
}

// keep writes the callers' logs beside those of the nodes.
func (g *ground) keep(logs []submission, v *verdict) (err error) {
	file, err := os.Create(filepath.Join(g.fleet.dir, "callers.ndjson"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := json.NewEncoder(file)
	for _, l := range logs {
		if err := lines.Encode(l); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(g.fleet.dir, "verdict.json"), v)
}

// close ends everything. The logs stay if they are to be kept.
func (g *ground) close(keep bool) {
	if g.senders != nil {
		g.senders.end()
	}
	if g.unwatch != nil {
		g.unwatch()
		g.watching.Wait()
	}
	if g.balancer != nil {
		g.balancer.close()
	}
	if g.fleet != nil {
		g.fleet.close()
		if !keep {
			os.RemoveAll(g.fleet.dir)
		}
	}
	if g.server != nil {
		g.server.Remove()
	}
}
