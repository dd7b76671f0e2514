package chaos

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// fault is a kind of fault and what it says when it is over.
type fault struct {
	name string
	do   func(context.Context, *sandbox) ([]report.Row, error)
}

// kills kills one node after the other, and starts each again after a random
// rest, half of them within 100 ms.
func kills(rounds int) fault {
	return fault{"kill", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		submit, complete, longest := stats.NewLatencies(), stats.NewLatencies(), stats.NewLatencies()
		for round := range rounds {
			if err := wait.For(ctx, time.Duration(sb.rng.Int64N(int64(500*time.Millisecond)))); err != nil {
				return nil, err
			}
			s, role, err := sb.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			rest := time.Duration(sb.rng.Int64N(int64(100 * time.Millisecond)))
			if sb.rng.IntN(2) == 0 {
				rest = time.Duration(sb.rng.Int64N(int64(5 * time.Second)))
			}
			first, at := sb.workload.count(), time.Now()
			if err := s.Restart(ctx, syscall.SIGKILL, rest); err != nil {
				return nil, fmt.Errorf("kill %d: %s did not come back: %w: %s", round+1, s.Name, err, s.LastWords())
			}
			o, err := sb.recovered(ctx, at, first)
			if err != nil {
				return nil, fmt.Errorf("kill %d, of %s (%s): %w", round+1, s.Name, role, err)
			}
			submit.Add(o.Submit)
			complete.Add(o.Complete)
			longest.Add(o.Refused)
			sb.harness.Say("kill %d of %d: %s (%s), back after %v: accepted again %v, completed again %v", round+1, rounds, s.Name, role,
				rest.Round(time.Millisecond), o.Submit.Round(time.Millisecond), o.Complete.Round(time.Millisecond))
		}
		rows := []report.Row{report.Figure("kills", float64(rounds), "")}
		rows = append(rows, spread("all callers accepted again after a kill", submit, servedWithin)...)
		rows = append(rows, spread("all callers completed again after a kill", complete, servedWithin)...)
		rows = append(rows, spread("longest refusal of one number", longest, servedWithin)...)
		return rows, nil
	}}
}

// servedWithin is the promise after a kill, with the default profile of gossip.
const servedWithin = 4 * time.Second

func spread(what string, l *stats.Latencies, most time.Duration) []report.Row {
	_, worst := l.Extremes()
	return []report.Row{
		report.Figure(what+", p50", l.At(50).Seconds(), "s"),
		report.Figure(what+", longest", worst.Seconds(), "s").AtMost(most.Seconds()),
	}
}

// stops stops nodes with SIGSTOP for a time and lets them go on: they must not
// act as if nothing had been.
func stops(rounds int, length time.Duration) fault {
	return fault{"stop", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		return sb.rounds(ctx, "stopped for "+length.String(), rounds, func(round int) (func() error, error) {
			s, _, err := sb.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			s.Signal(syscall.SIGSTOP, 0)
			if err := wait.For(ctx, length); err != nil {
				return nil, err
			}
			return func() error { s.Signal(syscall.SIGCONT, 0); return nil }, nil
		})
	}}
}

// rounds makes a fault again and again; make returns what ends it.
func (sb *sandbox) rounds(ctx context.Context, what string, rounds int, make func(round int) (heal func() error, err error)) ([]report.Row, error) {
	during, after := stats.NewLatencies(), stats.NewLatencies()
	for round := range rounds {
		first, at := sb.workload.count(), time.Now()
		heal, err := make(round)
		if err != nil {
			return nil, err
		}
		healed := time.Now()
		if err := heal(); err != nil {
			return nil, err
		}
		o, err := sb.recovered(ctx, healed, first)
		if err != nil {
			return nil, fmt.Errorf("%s, round %d: %w", what, round+1, err)
		}
		longest := longestOf(sb.workload.since(first), at)
		during.Add(longest)
		after.Add(o.Complete)
		sb.harness.Say("%s, round %d of %d: longest without an answer %v, all well %v after the end", what, round+1, rounds,
			longest.Round(time.Millisecond), o.Complete.Round(time.Millisecond))
	}
	_, longest := during.Extremes()
	_, well := after.Extremes()
	return []report.Row{
		report.Figure(what+": longest that a number waited", longest.Seconds(), "s"),
		report.Figure(what+": all well after the end", well.Seconds(), "s"),
	}, nil
}

// longestOf is the longest that a number which was accepted took for it.
func longestOf(logs []submission, at time.Time) (longest time.Duration) {
	for _, l := range logs {
		if l.Outcome == accepted && l.Ended.After(at) {
			longest = max(longest, l.Ended.Sub(l.Began))
		}
	}
	return longest
}

// partition is a way to cut a node off from others.
type partition struct {
	what     string
	from, to bool // what the node sends, what it gets
	flaps    int  // how often, at most as long as all of it
	others   int  // from how many
}

const everyNode = 99

// partitionKinds are the ways, the plainest first.
var partitionKinds = []partition{
	{"cut off from all", true, true, 1, everyNode},
	{"unheard by all", true, false, 1, everyNode},
	{"cut off from one", true, true, 1, 1},
	{"deaf to one", false, true, 1, 1},
	{"cut off from all, flapping", true, true, 5, everyNode},
}

// partitions cuts nodes off from each other, not from the store nor from the
// callers.
func partitions(cuts []partition, rounds int, length time.Duration) fault {
	return fault{"partition", func(ctx context.Context, sb *sandbox) (rows []report.Row, err error) {
		for _, c := range cuts {
			made, err := sb.rounds(ctx, c.what, rounds, func(round int) (func() error, error) {
				s, _, err := sb.victim(ctx, round)
				if err != nil {
					return nil, err
				}
				return func() error { return sb.fleet.Network.Heal(ctx) }, sb.cutOff(ctx, s, c, length)
			})
			rows = append(rows, made...)
			if err != nil {
				return rows, err
			}
		}
		return rows, nil
	}}
}

// cutOff cuts a node off and returns when that has lasted.
func (sb *sandbox) cutOff(ctx context.Context, s *fleet.Node, c partition, length time.Duration) error {
	network, others := sb.fleet.Network, sb.others(s, c.others)
	for flap := range c.flaps {
		if flap > 0 {
			if err := network.Heal(ctx); err != nil {
				return err
			}
			if err := wait.For(ctx, length/time.Duration(2*c.flaps)); err != nil {
				return err
			}
		}
		for _, other := range others {
			if c.from {
				if err := network.Drop(ctx, s.Index, other.Index); err != nil {
					return err
				}
			}
			if c.to {
				if err := network.Drop(ctx, other.Index, s.Index); err != nil {
					return err
				}
			}
		}
		if err := wait.For(ctx, length/time.Duration(c.flaps)); err != nil {
			return err
		}
	}
	return nil
}

// others returns at most n nodes other than one, at random.
func (sb *sandbox) others(s *fleet.Node, n int) (others []*fleet.Node) {
	for _, i := range sb.rng.Perm(len(sb.fleet.Nodes)) {
		if other := sb.fleet.Nodes[i]; other != s && len(others) < n {
			others = append(others, other)
		}
	}
	return others
}

// storeFaults cuts one node off from the store, or makes its way there so slow that
// what it knows of the members is old.
func storeFaults(rounds int, length, delay time.Duration) fault {
	return fault{"store", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		rows, err := sb.rounds(ctx, "cut off from the store", rounds, func(round int) (func() error, error) {
			s, _, err := sb.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			s.Proxy.Cut()
			return func() error { s.Proxy.Heal(); return nil }, wait.For(ctx, length)
		})
		if err != nil {
			return rows, err
		}
		late, err := sb.rounds(ctx, "view late by "+delay.String(), rounds, func(round int) (func() error, error) {
			s, _, err := sb.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			s.Proxy.Slow(delay)
			// Another node goes and comes back, and the slow one learns of it late.
			err = sb.others(s, 1)[0].Restart(ctx, syscall.SIGKILL, delay/2)
			return func() error { s.Proxy.Heal(); return nil }, err
		})
		return append(rows, late...), err
	}}
}

// storeEnds restarts the database, as an operator does and as a crash does.
func storeEnds(rounds int) fault {
	return fault{"database", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		rows, err := sb.rounds(ctx, "database restarted", rounds, func(int) (func() error, error) {
			return sb.server.Again, sb.server.Interrupt()
		})
		if err != nil {
			return rows, err
		}
		killed, err := sb.rounds(ctx, "database killed", rounds, func(int) (func() error, error) {
			sb.server.Kill()
			return sb.server.Again, wait.For(ctx, time.Duration(sb.rng.Int64N(int64(2*time.Second))))
		})
		return append(rows, killed...), err
	}}
}

// rolling stops one node after the other in order and starts it again. No
// submission may fail: be refused without another node taking it, or be left
// without an answer.
func rolling(rounds int) fault {
	return fault{"rolling", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		// A node that an earlier fault cut off may yet find out that it is no member any
		// more, and end: that is no part of this.
		if err := sb.whole(ctx); err != nil {
			return nil, err
		}
		first := sb.workload.count()
		for range rounds {
			for _, s := range sb.fleet.Nodes {
				if err := s.Restart(ctx, syscall.SIGTERM, 0); err != nil {
					return nil, fmt.Errorf("%s did not come back after SIGTERM: %w: %s", s.Name, err, s.LastWords())
				}
				at := time.Now()
				if _, err := sb.recovered(ctx, at, sb.workload.count()); err != nil {
					return nil, fmt.Errorf("after SIGTERM to %s: %w", s.Name, err)
				}
			}
		}
		logs := sb.workload.since(first)
		failed, why := 0, ""
		for _, l := range logs {
			if l.Outcome != accepted {
				failed++
				why = l.Fault
			}
		}
		sb.harness.Say("rolling restart: %d submissions, %d failed %s", len(logs), failed, why)
		return []report.Row{
			report.Figure(fmt.Sprintf("rolling restart, %d submissions: failed", len(logs)), float64(failed), "").AtMost(0).Must(),
			report.Figure("rolling restart: longest that a number waited", longestOf(logs, time.Time{}).Seconds(), "s"),
		}, nil
	}}
}
