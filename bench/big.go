package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// The caller whose numbers are big, what they have used when their owner is
// killed, and how much of it may be done again: more than one checkpoint lies
// before the kill, and as many workers as there are CPUs go on for ten seconds
// after the last one.
const (
	bigCaller    = "big"
	bigUsed      = 15 * time.Second
	bigDoneAgain = time.Minute
)

// owners kills the node whose actor has a big number under way: another one must
// go on from the last checkpoint.
func owners(rounds, digits int) act {
	return act{"owner", func(ctx context.Context, g *ground) ([]row, error) {
		again, slowest := time.Duration(0), time.Duration(0)
		for round := range rounds {
			lost, took, err := g.killOwner(ctx, semiprime(g.rng, digits))
			if err != nil {
				return nil, fmt.Errorf("owner of a big number, round %d: %w", round+1, err)
			}
			g.b.say("owner of a big number killed, round %d of %d: %v of CPU done again, completed after %v", round+1, rounds,
				lost.Round(time.Millisecond), took.Round(time.Millisecond))
			again, slowest = max(again, lost), max(slowest, took)
		}
		return []row{
			figure(fmt.Sprintf("owner of a number of %d digits killed: CPU done again", digits), again.Seconds(), "s").atMost(bigDoneAgain.Seconds()).must(),
			figure("its time until completed, longest", slowest.Seconds(), "s"),
		}, nil
	}}
}

// killOwner submits a number and kills its owner when the number has used some
// CPU. It returns how much of that the next owner does not have, and how long the
// number took in all.
func (g *ground) killOwner(ctx context.Context, number string) (lost, took time.Duration, err error) {
	l := &submission{Caller: bigCaller, Number: number, Key: number[:16], Began: time.Now()}
	g.senders.submit(l)
	defer func() { g.senders.note(*l) }()
	if l.Outcome != taken {
		return 0, 0, fmt.Errorf("the number was not accepted: %s", l.Fault)
	}
	var before job
	err = until(ctx, 50*time.Millisecond, func() (bool, error) {
		if j, ok := g.ask(ctx, l.ID); ok {
			before = j
		}
		if before.Status == "completed" {
			return false, fmt.Errorf("%s was completed after %d us of CPU, before its owner could be killed: take longer numbers", number, before.CPU)
		}
		return used(before) >= bigUsed, nil
	})
	if err != nil {
		return 0, 0, err
	}
	process, err := g.audit.owner(ctx, bigCaller)
	if err != nil {
		return 0, 0, err
	}
	first, at := g.senders.count(), time.Now()
	g.seatOf(process).signal(syscall.SIGKILL, restartAfter)
	// What the next owner has is what the number had used at the last checkpoint.
	after := before
	err = until(ctx, 20*time.Millisecond, func() (bool, error) {
		now, err := g.audit.owner(ctx, bigCaller)
		if err != nil || now == process {
			return false, err
		}
		j, ok := g.ask(ctx, l.ID)
		after = j
		return ok, nil
	})
	if err != nil {
		return 0, 0, err
	}
	if _, err := g.recovered(ctx, at, first); err != nil {
		return 0, 0, err
	}
	err = until(ctx, 50*time.Millisecond, func() (bool, error) {
		j, ok := g.ask(ctx, l.ID)
		return ok && j.Status == "completed", nil
	})
	return max(0, used(before)-used(after)), time.Since(l.Began), err
}

func used(j job) time.Duration { return time.Duration(j.CPU) * time.Microsecond }

// ask asks some node for a job; it is false if that could not say.
func (g *ground) ask(ctx context.Context, id string) (j job, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	status, raw, err := g.balancer.pick().send(ctx, http.MethodGet, "/compute/"+id, nil, "")
	ok = err == nil && status == http.StatusOK && json.Unmarshal(raw, &j) == nil
	return j, ok
}
