package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// act is a kind of fault and what it says when it is over.
type act struct {
	name string
	do   func(context.Context, *ground) ([]row, error)
}

// kills kills one node after the other, and starts each again after a random
// rest, half of them within 100 ms.
func kills(rounds int) act {
	return act{"kill", func(ctx context.Context, g *ground) ([]row, error) {
		submit, complete, longest := newLatencies(), newLatencies(), newLatencies()
		for round := range rounds {
			if err := pause(ctx, time.Duration(g.rng.Int64N(int64(500*time.Millisecond)))); err != nil {
				return nil, err
			}
			s, role, err := g.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			rest := time.Duration(g.rng.Int64N(int64(100 * time.Millisecond)))
			if g.rng.IntN(2) == 0 {
				rest = time.Duration(g.rng.Int64N(int64(5 * time.Second)))
			}
			first, at := g.senders.count(), time.Now()
			if err := s.restart(ctx, syscall.SIGKILL, rest); err != nil {
				return nil, fmt.Errorf("kill %d: %s did not come back: %w: %s", round+1, s.name, err, s.lastWords())
			}
			o, err := g.recovered(ctx, at, first)
			if err != nil {
				return nil, fmt.Errorf("kill %d, of %s (%s): %w", round+1, s.name, role, err)
			}
			submit.add(o.Submit)
			complete.add(o.Complete)
			longest.add(o.Refused)
			g.b.say("kill %d of %d: %s (%s), back after %v: accepted again %v, completed again %v", round+1, rounds, s.name, role,
				rest.Round(time.Millisecond), o.Submit.Round(time.Millisecond), o.Complete.Round(time.Millisecond))
		}
		rows := []row{figure("kills", float64(rounds), "")}
		rows = append(rows, spread("all callers accepted again after a kill", submit, servedWithin)...)
		rows = append(rows, spread("all callers completed again after a kill", complete, servedWithin)...)
		rows = append(rows, spread("longest refusal of one number", longest, servedWithin)...)
		return rows, nil
	}}
}

// servedWithin is the promise after a kill, with the default profile of gossip.
const servedWithin = 4 * time.Second

func spread(what string, l *latencies, most time.Duration) []row {
	_, worst := l.extremes()
	return []row{
		figure(what+", p50", l.at(50).Seconds(), "s"),
		figure(what+", longest", worst.Seconds(), "s").atMost(most.Seconds()),
	}
}

// stops stops nodes with SIGSTOP for a time and lets them go on: they must not
// act as if nothing had been.
func stops(rounds int, length time.Duration) act {
	return act{"stop", func(ctx context.Context, g *ground) ([]row, error) {
		return g.rounds(ctx, "stopped for "+length.String(), rounds, func(round int) (func() error, error) {
			s, _, err := g.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			s.signal(syscall.SIGSTOP, 0)
			if err := pause(ctx, length); err != nil {
				return nil, err
			}
			return func() error { s.signal(syscall.SIGCONT, 0); return nil }, nil
		})
	}}
}

// rounds makes a fault again and again; make returns what ends it.
func (g *ground) rounds(ctx context.Context, what string, rounds int, make func(round int) (heal func() error, err error)) ([]row, error) {
	during, after := newLatencies(), newLatencies()
	for round := range rounds {
		first, at := g.senders.count(), time.Now()
		heal, err := make(round)
		if err != nil {
			return nil, err
		}
		healed := time.Now()
		if err := heal(); err != nil {
			return nil, err
		}
		o, err := g.recovered(ctx, healed, first)
		if err != nil {
			return nil, fmt.Errorf("%s, round %d: %w", what, round+1, err)
		}
		longest := longestOf(g.senders.since(first), at)
		during.add(longest)
		after.add(o.Complete)
		g.b.say("%s, round %d of %d: longest without an answer %v, all well %v after the end", what, round+1, rounds,
			longest.Round(time.Millisecond), o.Complete.Round(time.Millisecond))
	}
	_, longest := during.extremes()
	_, well := after.extremes()
	return []row{
		figure(what+": longest that a number waited", longest.Seconds(), "s"),
		figure(what+": all well after the end", well.Seconds(), "s"),
	}, nil
}

// longestOf is the longest that a number which was accepted took for it.
func longestOf(logs []submission, at time.Time) (longest time.Duration) {
	for _, l := range logs {
		if l.Outcome == taken && l.Ended.After(at) {
			longest = max(longest, l.Ended.Sub(l.Began))
		}
	}
	return longest
}

// cut is a way to cut a node off from others.
type cut struct {
	what     string
	from, to bool // what the node sends, what it gets
	flaps    int  // how often, at most as long as all of it
	others   int  // from how many
}

const everybody = 99

// cuts are the ways, the plainest first.
var cuts = []cut{
	{"cut off from all", true, true, 1, everybody},
	{"unheard by all", true, false, 1, everybody},
	{"cut off from one", true, true, 1, 1},
	{"deaf to one", false, true, 1, 1},
	{"cut off from all, flapping", true, true, 5, everybody},
}

// partitions cuts nodes off from each other, not from the store nor from the
// callers.
func partitions(cuts []cut, rounds int, length time.Duration) act {
	return act{"partition", func(ctx context.Context, g *ground) (rows []row, err error) {
		for _, c := range cuts {
			made, err := g.rounds(ctx, c.what, rounds, func(round int) (func() error, error) {
				s, _, err := g.victim(ctx, round)
				if err != nil {
					return nil, err
				}
				return func() error { return g.fleet.lan.heal(ctx) }, g.cutOff(ctx, s, c, length)
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
func (g *ground) cutOff(ctx context.Context, s *seat, c cut, length time.Duration) error {
	lan, others := g.fleet.lan, g.others(s, c.others)
	for flap := range c.flaps {
		if flap > 0 {
			if err := lan.heal(ctx); err != nil {
				return err
			}
			if err := pause(ctx, length/time.Duration(2*c.flaps)); err != nil {
				return err
			}
		}
		for _, other := range others {
			if c.from {
				if err := lan.drop(ctx, s.index, other.index); err != nil {
					return err
				}
			}
			if c.to {
				if err := lan.drop(ctx, other.index, s.index); err != nil {
					return err
				}
			}
		}
		if err := pause(ctx, length/time.Duration(c.flaps)); err != nil {
			return err
		}
	}
	return nil
}

// others returns at most n nodes beside one, drawn.
func (g *ground) others(s *seat, n int) (others []*seat) {
	for _, i := range g.rng.Perm(len(g.fleet.seats)) {
		if other := g.fleet.seats[i]; other != s && len(others) < n {
			others = append(others, other)
		}
	}
	return others
}

// strayed cuts one node off from the store, or makes its way there so slow that
// what it knows of the members is old.
func strayed(rounds int, length, delay time.Duration) act {
	return act{"store", func(ctx context.Context, g *ground) ([]row, error) {
		rows, err := g.rounds(ctx, "cut off from the store", rounds, func(round int) (func() error, error) {
			s, _, err := g.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			s.link.cut()
			return func() error { s.link.heal(); return nil }, pause(ctx, length)
		})
		if err != nil {
			return rows, err
		}
		late, err := g.rounds(ctx, "view late by "+delay.String(), rounds, func(round int) (func() error, error) {
			s, _, err := g.victim(ctx, round)
			if err != nil {
				return nil, err
			}
			s.link.slow(delay)
			// Somebody else goes and comes back, which the late one learns late.
			err = g.others(s, 1)[0].restart(ctx, syscall.SIGKILL, delay/2)
			return func() error { s.link.heal(); return nil }, err
		})
		return append(rows, late...), err
	}}
}

// storeEnds restarts the database, as an operator does and as a crash does.
func storeEnds(rounds int) act {
	return act{"database", func(ctx context.Context, g *ground) ([]row, error) {
		rows, err := g.rounds(ctx, "database restarted", rounds, func(int) (func() error, error) {
			return g.server.Again, g.server.Interrupt()
		})
		if err != nil {
			return rows, err
		}
		killed, err := g.rounds(ctx, "database killed", rounds, func(int) (func() error, error) {
			g.server.Kill()
			return g.server.Again, pause(ctx, time.Duration(g.rng.Int64N(int64(2*time.Second))))
		})
		return append(rows, killed...), err
	}}
}

// rolling stops one node after the other in order and starts it again. No
// submission may fail: be refused without another node taking it, or be left
// without an answer.
func rolling(rounds int) act {
	return act{"rolling", func(ctx context.Context, g *ground) ([]row, error) {
		first := g.senders.count()
		for range rounds {
			for _, s := range g.fleet.seats {
				if err := s.restart(ctx, syscall.SIGTERM, 0); err != nil {
					return nil, fmt.Errorf("%s did not come back after SIGTERM: %w: %s", s.name, err, s.lastWords())
				}
				at := time.Now()
				if _, err := g.recovered(ctx, at, g.senders.count()); err != nil {
					return nil, fmt.Errorf("after SIGTERM to %s: %w", s.name, err)
				}
			}
		}
		logs := g.senders.since(first)
		failed, why := 0, ""
		for _, l := range logs {
			if l.Outcome != taken {
				failed++
				why = l.Fault
			}
		}
		g.b.say("rolling restart: %d submissions, %d failed %s", len(logs), failed, why)
		return []row{
			figure(fmt.Sprintf("rolling restart, %d submissions: failed", len(logs)), float64(failed), "").atMost(0).must(),
			figure("rolling restart: longest that a number waited", longestOf(logs, time.Time{}).Seconds(), "s"),
		}, nil
	}}
}
