package factor_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"fairfactor/factor"
)

// TestProgressTellsTheWayLeft factors a number of 60 digits and holds what was said on
// the way against what came: the share never falls, and the work left was right
// within half. Work is counted in predicted CPU, so it is the same every time.
func TestProgressTellsTheWayLeft(t *testing.T) {
	r := rand.New(rand.NewPCG(60, 9))
	n := product(r, 99, 99)
	run := factor.NewRunner()
	m, _ := factor.New(n)
	type look struct {
		done time.Duration
		factor.Progress
	}
	var done time.Duration
	var looks []look
	for !m.Done() {
		turn := m.Next(1)[0]
		step(t, run, m, turn)
		done += turn.Predict
		looks = append(looks, look{done, m.Progress()})
	}
	last := 0.0
	for _, l := range looks {
		if l.Percent < last {
			t.Errorf("after %v: %.2f %%, %.2f %% before", l.done, l.Percent, last)
		}
		last = l.Percent
		left := done - l.done
		if left > done/50 && (l.Left < left/2 || l.Left > left*3/2) {
			t.Errorf("after %v, %s: %v left by estimate, %v in fact", l.done, l.Phase, l.Left, left)
		}
	}
	if len(looks) < 20 || last != 100 {
		t.Errorf("%d turns, %.0f %% in the end", len(looks), last)
	}
}

// TestDriverIsWatched reads the progress while two threads work, and ends the work
// with a cause of its own when something was found.
func TestDriverIsWatched(t *testing.T) {
	r := rand.New(rand.NewPCG(60, 10))
	n := product(r, 2, 200, 200)
	m, _ := factor.New(n)
	d := factor.NewDriver(m)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			if p := d.Progress(); p.Turns >= 4 {
				cancel(enough)
				return
			}
			runtime.Gosched()
		}
	})
	err := d.Run(ctx, 2)
	watch.Wait()
	if !errors.Is(err, enough) {
		t.Fatalf("ended with %v", err)
	}
	p := d.Progress()
	if len(p.Found) != 1 || p.Found[0].P != "3" || len(p.Remaining) != 1 || p.Methods != factor.ByTrial || p.Left == 0 {
		t.Errorf("in the end %+v", p)
	}
}
