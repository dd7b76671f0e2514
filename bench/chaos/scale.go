package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
)

// scaleRest is the longest time for which a node is away, and twice the mean time that
// one stays.
const scaleRest = 20 * time.Second

// scale has nodes leave and join at random, several at a time, as an autoscaler does that
// can't make up its mind; two at least stay. No submission may fail: be refused without
// another node taking it, or be left without an answer. Each node says when it stops what
// CPU its turns took: what no job has in the store was done in vain, as is done for
// jobs that are cancelled meanwhile. The same load on nodes that stay shows how much that is.
func scale(length time.Duration) fault {
	return fault{"scale", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		if err := sb.whole(ctx); err != nil {
			return nil, err
		}
		quiet, _, err := sb.inVain(ctx, func() error { return wait.For(ctx, length/2) })
		if err != nil {
			return nil, err
		}
		first, moves := sb.workload.count(), 0
		moving, used, err := sb.inVain(ctx, func() (err error) {
			moves, err = sb.comeAndGo(ctx, length)
			return err
		})
		if err != nil {
			return nil, err
		}
		logs := sb.workload.since(first)
		failed, why := 0, ""
		for _, l := range logs {
			if l.Outcome != accepted {
				failed++
				why = l.Fault
			}
		}
		sb.harness.Say("scaled in and out %d times: %d submissions, %d failed %s; %v of CPU, %.1f %% of it in vain, %.1f %% before", moves, len(logs), failed, why,
			used.Round(time.Millisecond), moving, quiet)
		return []report.Row{
			report.Figure("times that a node left and joined", float64(moves), "").AtLeast(1).Must(),
			report.Figure(fmt.Sprintf("scaled in and out, %d submissions: failed", len(logs)), float64(failed), "").AtMost(0).Must(),
			report.Figure("scaled in and out: longest that a number waited", longestOf(logs, time.Time{}).Seconds(), "s"),
			report.Figure("scaled in and out: CPU in vain", moving, "%").Against("nodes stay", quiet, 0),
		}, nil
	}}
}

// inVain returns what part of the CPU, in percent, that turns took while something was done
// no job has in the store. All nodes begin a new life before and after it.
func (sb *sandbox) inVain(ctx context.Context, do func() error) (percent float64, used time.Duration, err error) {
	if err := sb.everyone(ctx); err != nil {
		return 0, 0, err
	}
	stored, ran, err := sb.booked(ctx)
	if err != nil {
		return 0, 0, err
	}
	if err := do(); err != nil {
		return 0, 0, err
	}
	if _, err := sb.recovered(ctx, time.Now(), sb.workload.count()); err != nil {
		return 0, 0, err
	}
	if err := sb.everyone(ctx); err != nil {
		return 0, 0, err
	}
	storedAfter, ranAfter, err := sb.booked(ctx)
	used = ranAfter - ran
	return 100 * max(0, used-(storedAfter-stored)).Seconds() / max(used, 1).Seconds(), used, err
}

// everyone restarts all nodes in order, as a rolling restart does.
func (sb *sandbox) everyone(ctx context.Context) error {
	for _, n := range sb.fleet.Nodes {
		if err := n.Restart(ctx, syscall.SIGTERM, 0); err != nil {
			return fmt.Errorf("%s did not come back after SIGTERM: %w: %s", n.Name, err, n.LastWords())
		}
		if _, err := sb.recovered(ctx, time.Now(), sb.workload.count()); err != nil {
			return fmt.Errorf("after SIGTERM to %s: %w", n.Name, err)
		}
	}
	return nil
}

// comeAndGo has nodes leave for a while, and returns how often one did.
func (sb *sandbox) comeAndGo(ctx context.Context, length time.Duration) (moves int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var work sync.WaitGroup
	var mu sync.Mutex
	away := map[*fleet.Node]bool{} // guarded by mu
	for over := time.Now().Add(length); time.Now().Before(over) && ctx.Err() == nil; {
		mu.Lock()
		var there []*fleet.Node
		for _, n := range sb.fleet.Nodes {
			if !away[n] {
				there = append(there, n)
			}
		}
		if len(there) > 2 {
			n, rest := there[sb.rng.IntN(len(there))], time.Duration(sb.rng.Int64N(int64(scaleRest)))
			away[n] = true
			moves++
			work.Go(func() {
				if err := n.Restart(ctx, syscall.SIGTERM, rest); err != nil {
					cancel(fmt.Errorf("%s did not come back after SIGTERM: %w: %s", n.Name, err, n.LastWords()))
				}
				mu.Lock()
				delete(away, n)
				mu.Unlock()
			})
		}
		mu.Unlock()
		if wait.For(ctx, time.Duration(sb.rng.Int64N(int64(scaleRest)))/time.Duration(len(sb.fleet.Nodes))) != nil {
			break
		}
	}
	work.Wait()
	return moves, context.Cause(ctx)
}

// booked is the CPU that jobs have in the store, and what the turns of all processes took
// that have ended.
func (sb *sandbox) booked(ctx context.Context) (stored, used time.Duration, err error) {
	var nanos int64
	err = sb.audit.do(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT coalesce(sum(cpu), 0)::bigint FROM fairfactor.callers").Scan(&nanos)
	})
	for _, n := range sb.fleet.Nodes {
		cpu, lost := n.TurnCPU()
		used += cpu
		err = errors.Join(err, lost)
	}
	return time.Duration(nanos), used, err
}
