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
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
)

// scaleRest is the longest time for which a node is away, and twice the mean time that
// one stays.
const scaleRest = 20 * time.Second

// Callers that always have one big number under way while nodes come and go, and the digits
// of these: each takes some ten turns a second from any node that leaves.
const (
	bigCallers  = 2
	scaleDigits = 68
)

// scale has nodes leave and join at random, several at a time, as an autoscaler does that
// can't make up its mind; two at least stay. No submission may fail: be refused without
// another node taking it, or be left without an answer. Each node says when it stops what
// CPU its turns took: what no job has in the store was done in vain, as is done for
// jobs that are cancelled meanwhile. The same load on nodes that stay shows how much that is.
// Two more callers keep the workers busy with big numbers.
func scale(length time.Duration) fault {
	return fault{"scale", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		if err := sb.whole(ctx); err != nil {
			return nil, err
		}
		quiet, err := sb.inVain(ctx, func() error {
			return sb.besideBig(ctx, func() error { return wait.For(ctx, length/2) })
		})
		if err != nil {
			return nil, err
		}
		first, moves := sb.workload.count(), 0
		moving, err := sb.inVain(ctx, func() error {
			return sb.besideBig(ctx, func() (err error) {
				moves, err = sb.comeAndGo(ctx, length)
				return err
			})
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
		again := 100 * moving.again().Seconds() / max(moving.used.Used, 1).Seconds()
		sb.harness.Say("scaled in and out %d times: %d submissions, %d failed %s", moves, len(logs), failed, why)
		sb.harness.Say("scaled in and out: %v", &moving)
		sb.harness.Say("nodes stayed: %v", &quiet)
		if failed > 0 {
			sb.wrong = fmt.Errorf("%d submissions failed, the last with %s", failed, why)
		}
		return []report.Row{
			report.Figure("times that a node left and joined", float64(moves), "").AtLeast(1).Must(),
			report.Figure(fmt.Sprintf("scaled in and out, %d submissions: failed", len(logs)), float64(failed), "").AtMost(0).Must(),
			report.Figure("scaled in and out: longest that a number waited", longestOf(logs, time.Time{}).Seconds(), "s"),
			report.Figure("scaled in and out: CPU done again", again, "%").AtMost(2),
			report.Figure("scaled in and out: CPU done again, each time", moving.again().Seconds()*1000/float64(max(moves, 1)), "ms"),
			report.Figure("scaled in and out: CPU in vain, of cancelled jobs too", moving.percent(), "%").Against("nodes stay", quiet.percent(), 0),
		}, nil
	}}
}

// effort is what CPU turns took for a while, and what of that jobs have in the store.
type effort struct {
	used   fleet.TurnCPU
	stored time.Duration
}

// again is the CPU of what had to be done again because a node left: what callers that
// moved did not take along, outcomes that came after they had moved, turns that were
// broken off, and outcomes that got lost.
func (e *effort) again() time.Duration {
	return e.used.Moved + e.used.Unsaved + e.used.Broken + e.lost()
}

// lost is the CPU that neither the store has nor a node says why not: outcomes that got
// lost on their way.
func (e *effort) lost() time.Duration {
	u := &e.used
	return max(0, u.Used-e.stored-u.Halted-u.Ended-u.Spare-u.Moved-u.Unsaved-u.Broken)
}

// percent is the CPU that no job has in the store.
func (e *effort) percent() float64 {
	return 100 * max(0, e.used.Used-e.stored).Seconds() / max(e.used.Used, 1).Seconds()
}

func (e *effort) String() string {
	u := &e.used
	return fmt.Sprintf("%v of CPU, of that stored %v; halted %v, ended %v and spare %v of jobs that needed it no more; done again: moved %v, unsaved %v, broken off %v, lost %v",
		u.Used.Round(time.Millisecond), e.stored.Round(time.Millisecond), u.Halted.Round(time.Millisecond), u.Ended.Round(time.Millisecond), u.Spare.Round(time.Millisecond),
		u.Moved.Round(time.Millisecond), u.Unsaved.Round(time.Millisecond), u.Broken.Round(time.Millisecond), e.lost().Round(time.Millisecond))
}

// inVain returns what turns took while something was done. All nodes begin a new life
// before and after it.
func (sb *sandbox) inVain(ctx context.Context, do func() error) (e effort, err error) {
	if err := sb.everyone(ctx); err != nil {
		return e, err
	}
	before, err := sb.booked(ctx)
	if err != nil {
		return e, err
	}
	if err := do(); err != nil {
		return e, err
	}
	if _, err := sb.recovered(ctx, time.Now(), sb.workload.count()); err != nil {
		return e, err
	}
	if err := sb.everyone(ctx); err != nil {
		return e, err
	}
	after, err := sb.booked(ctx)
	return effort{after.used.Minus(before.used), after.stored - before.stored}, err
}

// besideBig does something while some callers submit one big number after the other, and
// returns when the last of these has ended.
func (sb *sandbox) besideBig(ctx context.Context, do func() error) error {
	more, stop := context.WithCancel(ctx)
	defer stop()
	var callers sync.WaitGroup
	for i := range bigCallers {
		rng := random.New(sb.rng.Uint64(), 0)
		callers.Go(func() {
			for more.Err() == nil {
				l := submission{
					Caller: fmt.Sprintf("%s-%d", bigCaller, i+1), Number: random.Semiprime(rng, scaleDigits),
					Key: fmt.Sprintf("%016x", rng.Uint64()), Began: time.Now(),
				}
				if sb.workload.submit(ctx, &l); l.Outcome == accepted {
					sb.workload.watch(ctx, &l)
				}
				sb.workload.note(l)
			}
		})
	}
	err := do()
	stop()
	callers.Wait()
	return err
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
func (sb *sandbox) booked(ctx context.Context) (e effort, err error) {
	var nanos int64
	err = sb.audit.do(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT coalesce(sum(cpu), 0)::bigint FROM fairfactor.callers").Scan(&nanos)
	})
	for _, n := range sb.fleet.Nodes {
		cpu, lost := n.TurnCPU()
		e.used = e.used.Plus(cpu)
		err = errors.Join(err, lost)
	}
	e.stored = time.Duration(nanos)
	return e, err
}
