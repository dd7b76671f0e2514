package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
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
func owners(rounds, digits int) fault {
	return fault{"owner", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		again, slowest := time.Duration(0), time.Duration(0)
		for round := range rounds {
			lost, took, err := sb.killOwner(ctx, random.Semiprime(sb.rng, digits))
			if err != nil {
				return nil, fmt.Errorf("owner of a big number, round %d: %w", round+1, err)
			}
			sb.harness.Say("owner of a big number killed, round %d of %d: %v of CPU done again, completed after %v", round+1, rounds,
				lost.Round(time.Millisecond), took.Round(time.Millisecond))
			again, slowest = max(again, lost), max(slowest, took)
		}
		return []report.Row{
			report.Figure(fmt.Sprintf("owner of a number of %d digits killed: CPU done again", digits), again.Seconds(), "s").AtMost(bigDoneAgain.Seconds()).Must(),
			report.Figure("its time until completed, longest", slowest.Seconds(), "s"),
		}, nil
	}}
}

// killOwner submits a number and kills its owner when the number has used some
// CPU. It returns how much of that the next owner does not have, and how long the
// number took in all.
func (sb *sandbox) killOwner(ctx context.Context, number string) (lost, took time.Duration, err error) {
	l := &submission{Caller: bigCaller, Number: number, Key: number[:16], Began: time.Now()}
	sb.workload.submit(ctx, l)
	defer func() { sb.workload.note(*l) }()
	if l.Outcome != accepted {
		return 0, 0, fmt.Errorf("the number was not accepted: %s", l.Fault)
	}
	var before client.Job
	err = wait.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		if j, ok := sb.ask(ctx, l.ID); ok {
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
	process, err := sb.audit.owner(ctx, bigCaller)
	if err != nil {
		return 0, 0, err
	}
	first, at := sb.workload.count(), time.Now()
	sb.nodeOf(process).Signal(syscall.SIGKILL, fleet.RestartAfter)
	// What the next owner has is what the number had used at the last checkpoint.
	after := before
	err = wait.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		now, err := sb.audit.owner(ctx, bigCaller)
		if err != nil || now == process {
			return false, err
		}
		j, ok := sb.ask(ctx, l.ID)
		after = j
		return ok, nil
	})
	if err != nil {
		return 0, 0, err
	}
	if _, err := sb.recovered(ctx, at, first); err != nil {
		return 0, 0, err
	}
	err = wait.Until(ctx, 50*time.Millisecond, func() (bool, error) {
		j, ok := sb.ask(ctx, l.ID)
		return ok && j.Status == "completed", nil
	})
	return max(0, used(before)-used(after)), time.Since(l.Began), err
}

func used(j client.Job) time.Duration { return time.Duration(j.CPU) * time.Microsecond }

// ask asks some node for a job; it is false if that could not say.
func (sb *sandbox) ask(ctx context.Context, id string) (j client.Job, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	status, raw, err := sb.balancer.pick().send(ctx, http.MethodGet, "/compute/"+id, nil, "")
	ok = err == nil && status == http.StatusOK && json.Unmarshal(raw, &j) == nil
	return j, ok
}
