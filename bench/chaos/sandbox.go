package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
	"fairfactor/store/postgres/pgtest"
)

// sandbox is where faults are made: a database, the nodes of a cluster, and the
// callers' clients, all of them private.
type sandbox struct {
	harness  *harness.Harness
	rng      *rand.Rand
	server   *pgtest.Server
	audit    *audit
	fleet    *fleet.Fleet
	balancer *balancer
	workload *workload
	follower *follower
	wrong    error // what a fault found that does not end the run, so that the logs are kept

	watching sync.WaitGroup
	unwatch  context.CancelFunc
	mu       sync.Mutex
	worst    client.Fairness // guarded by mu; what a scheduler said of its fairness, at worst
	answers  int             // guarded by mu; how often one said it
}

// newSandbox starts a cluster and its callers.
func newSandbox(ctx context.Context, h *harness.Harness, cfg fleet.Config, callers int) (sb *sandbox, err error) {
	sb = &sandbox{harness: h, rng: random.New(h.Seed, 0)}
	defer func() {
		if err != nil {
			sb.close(false)
		}
	}()
	var url string
	if sb.server, url, err = fleet.NewDatabase(ctx); err != nil {
		return nil, err
	}
	sb.audit = &audit{url: url}
	cfg.Store = sb.server.Addr()
	cfg.DSN = func(addr, node string) string {
		return strings.Replace(url, sb.server.Addr(), addr, 1) + "&application_name=" + node
	}
	if sb.fleet, err = fleet.Start(ctx, h, cfg, sb.audit.install); err != nil {
		return nil, err
	}
	sb.balancer = newBalancer(sb.fleet.Addrs(), 4*callers, checkTime)
	watching, unwatch := context.WithCancel(context.WithoutCancel(ctx))
	sb.unwatch = unwatch
	sb.watching.Go(func() { sb.watch(watching) })
	sb.follower = newFollower(sb.balancer)
	sb.watching.Go(func() { sb.follower.follow(watching) })
	select {
	case <-sb.follower.begun:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	sb.workload = &workload{balancer: sb.balancer, operators: 2, conns: 2, batchSize: 5, think: 20 * time.Millisecond, seed: h.Seed}
	for i := range callers {
		sb.workload.callers = append(sb.workload.callers, fmt.Sprintf("caller-%d", i+1))
	}
	sb.workload.start(ctx)
	return sb, nil
}

// watch asks the scheduler of its fairness again and again.
func (sb *sandbox) watch(ctx context.Context) {
	for wait.For(ctx, 500*time.Millisecond) == nil {
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		status, raw, err := sb.balancer.pick().send(ask, "GET", "/fairness", nil, "")
		cancel()
		var p client.Fairness
		if err != nil || status != 200 || json.Unmarshal(raw, &p) != nil {
			continue // no scheduler now
		}
		sb.mu.Lock()
		sb.answers++
		if p.Violations > sb.worst.Violations || p.Violations == sb.worst.Violations && p.MaxLag >= sb.worst.MaxLag {
			sb.worst = p
		}
		sb.mu.Unlock()
	}
}

// nodeOf returns the node's place that a process, as the audit knows it, is at,
// or a random one if the process is gone.
func (sb *sandbox) nodeOf(process string) *fleet.Node {
	name, life, _ := strings.Cut(process, "/")
	for _, s := range sb.fleet.Nodes {
		if s.Name == name && fmt.Sprint(s.Lives()) == life {
			return s
		}
	}
	return sb.fleet.Nodes[sb.rng.IntN(len(sb.fleet.Nodes))]
}

// victim returns a node by its role: in turn that of the scheduler, the owner of
// some caller, and any.
func (sb *sandbox) victim(ctx context.Context, round int) (*fleet.Node, string, error) {
	switch round % 3 {
	case 0:
		process, err := sb.audit.scheduler(ctx)
		return sb.nodeOf(process), "scheduler", err
	case 1:
		caller := sb.workload.callers[sb.rng.IntN(len(sb.workload.callers))]
		process, err := sb.audit.owner(ctx, caller)
		return sb.nodeOf(process), "owner of " + caller, err
	}
	return sb.fleet.Nodes[sb.rng.IntN(len(sb.fleet.Nodes))], "any", nil
}

// recovery bounds the time until all is well after a fault. It is far above any
// target: a cluster that needs longer has failed.
const recovery = 90 * time.Second

// recovered waits until every node is ready and every caller is served, and
// returns how long callers went without since a moment.
func (sb *sandbox) recovered(ctx context.Context, at time.Time, first int) (outage, error) {
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	if err := sb.fleet.Healthy(ctx); err != nil {
		return outage{}, err
	}
	err := wait.Until(ctx, 20*time.Millisecond, func() (bool, error) { return sb.workload.served(at, first), nil })
	if err != nil {
		return outage{}, fmt.Errorf("callers are not served %v after the fault: %w", time.Since(at).Round(time.Second), err)
	}
	return outageOf(sb.workload.since(first), at), nil
}

// whole waits until each node sees all of them alive.
func (sb *sandbox) whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := wait.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		for _, addr := range sb.fleet.Addrs() {
			alive, err := aliveAt(ctx, addr)
			if err != nil || alive != len(sb.fleet.Nodes) {
				return false, ctx.Err()
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("the nodes do not see each other: %w", err)
	}
	return nil
}

// aliveAt is how many members are alive as the node at an address sees them.
func aliveAt(ctx context.Context, addr string) (alive int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/nodes", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Nodes []struct {
			State string `json:"state"`
		} `json:"nodes"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	for _, n := range answer.Nodes {
		if n.State == "alive" {
			alive++
		}
	}
	return alive, nil
}

// judgeTime bounds the judgement itself.
const judgeTime = 2 * time.Minute

// finish ends the load, makes a burst for the order of hand-outs, waits until
// every job has ended, and judges. If it can't wait that long, because it was
// interrupted or an act has failed, it judges all but the jobs that have not ended.
func (sb *sandbox) finish(ctx context.Context, failed bool) (*verdict, []submission, error) {
	sb.workload.end()
	var err error
	if failed && ctx.Err() == nil {
		err = sb.mend(ctx)
	}
	if ctx.Err() == nil {
		err = errors.Join(err, sb.burst(ctx))
	}
	whole := false
	if ctx.Err() == nil {
		left, waitErr := sb.drained(ctx)
		err = errors.Join(err, waitErr)
		whole = ctx.Err() == nil && (left == 0 || !failed)
	}
	logs := sb.workload.since(0)
	sb.mu.Lock()
	quantum := time.Duration(sb.worst.Quantum) * time.Microsecond
	sb.mu.Unlock()
	judging, cancel := context.WithTimeout(context.WithoutCancel(ctx), judgeTime)
	defer cancel()
	v, judgeErr := sb.audit.check(judging, logs, quantum)
	if v != nil {
		v.Partial = !whole
		v.look(&sb.workload.sightings, &sb.workload.orders)
		if whole {
			judgeErr = errors.Join(judgeErr, sb.judgeEvents(judging, v))
		}
	}
	return v, logs, errors.Join(err, judgeErr, ctx.Err())
}

// judgeEvents compares what the follower was told with the store.
func (sb *sandbox) judgeEvents(ctx context.Context, v *verdict) error {
	jobs, err := sb.audit.jobs(ctx)
	if err == nil {
		sb.follower.judge(ctx, jobs, v)
	}
	return err
}

// mend ends all faults that an act which failed has left behind.
func (sb *sandbox) mend(ctx context.Context) error {
	for _, n := range sb.fleet.Nodes {
		n.Signal(syscall.SIGCONT, 0)
		n.Proxy.Heal()
	}
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	if sb.fleet.Network != nil {
		if err := sb.fleet.Network.Heal(ctx); err != nil {
			return err
		}
	}
	return sb.fleet.Healthy(ctx)
}

// drained waits until every job has ended, and returns how many have not when it
// gives up.
func (sb *sandbox) drained(ctx context.Context) (left int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*recovery)
	defer cancel()
	err = wait.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		var err error
		left, err = sb.audit.unfinished(ctx)
		return left == 0, err
	})
	if ctx.Err() != nil {
		err = nil // the verdict says what has not ended
	}
	return left, err
}

// keep writes the callers' logs next to those of the nodes.
func (sb *sandbox) keep(logs []submission, v *verdict) (err error) {
	file, err := os.Create(filepath.Join(sb.fleet.Dir, "callers.ndjson"))
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
	return report.WriteJSON(filepath.Join(sb.fleet.Dir, "verdict.json"), v)
}

// close ends everything. The logs stay if they are to be kept.
func (sb *sandbox) close(keep bool) {
	if sb.workload != nil {
		sb.workload.end()
	}
	if sb.unwatch != nil {
		sb.unwatch()
		sb.watching.Wait()
	}
	if sb.balancer != nil {
		sb.balancer.close()
	}
	if sb.fleet != nil {
		sb.fleet.Close()
		if !keep {
			os.RemoveAll(sb.fleet.Dir)
		}
	}
	if sb.server != nil {
		sb.server.Remove()
	}
}
