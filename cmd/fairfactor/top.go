package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
)

func newTop(io streams) *cobra.Command {
	r := &remote{io: io}
	w := watch{}
	var order string
	cmd := &cobra.Command{
		Use: "top", Short: "Watch callers, workers and fairness", Args: noArguments,
		Long: `top shows what the nodes do, again and again: the workers and their turns, the
busiest callers with their rates, and how fair it is. Of a thousand callers and
more it shows those with the most jobs that run or wait, and with the most CPU.
It uses as much of the terminal as there is. Without a terminal it prints one picture,
or as many as --count says.

Keys: q quits, s sorts by the next column.`,
		Example: `  fairfactor top
  fairfactor top --sort queued
  fairfactor top --every 5s --count 12 > minute.txt`,
	}
	cmd.Flags().DurationVar(&w.every, "every", time.Second, "time between two pictures")
	cmd.Flags().IntVarP(&w.count, "count", "n", 0, "pictures; 0 goes on until it is interrupted, or draws one without a terminal")
	cmd.Flags().StringVar(&order, "sort", rateKeys()[0], "sort callers by "+strings.Join(rateKeys(), ", "))
	complete(cmd, "sort", rateKeys())
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		w.order = slices.Index(rateKeys(), order)
		switch {
		case w.every < 100*time.Millisecond:
			return fairfactor.Errorf(fairfactor.Invalid, "--every %v is less than 100ms", w.every)
		case w.order < 0:
			return fairfactor.Errorf(fairfactor.Invalid, "--sort %.40q is not %s", order, strings.Join(rateKeys(), ", "))
		case p.json:
			return fairfactor.Errorf(fairfactor.Invalid, "top is for people: use nodes and callers with -o json")
		}
		ctx, quit := context.WithCancel(ctx)
		defer quit()
		screen, err := openScreen(io, quit)
		if err != nil {
			return err
		}
		defer screen.close()
		if w.count <= 0 && !screen.terminal {
			w.count = 1
		}
		w.url = r.url
		return w.run(ctx, jobs, screen)
	})
}

// watch is what top was asked to do.
type watch struct {
	url   string
	every time.Duration
	count int // pictures, 0 for no end
	order int // of the callers: an index of rateSorts
}

// run draws pictures until ctx ends or there were enough.
func (w *watch) run(ctx context.Context, jobs fairfactor.Jobs, screen *screen) error {
	var before *picture
	for i := 1; ; i++ {
		now, err := look(ctx, jobs)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := w.draw(screen, now, before, i > 1); err != nil {
			return err
		}
		if i == w.count {
			return nil
		}
		for next := time.After(w.every); next != nil; {
			select {
			case <-ctx.Done():
				return nil
			case <-next:
				next = nil
			case <-screen.sorts:
				w.order = (w.order + 1) % len(rateSorts)
				if err := w.draw(screen, now, before, true); err != nil {
					return err
				}
			}
		}
		before = now
	}
}

// draw shows a picture in place of the last one, or below it without a terminal.
func (w *watch) draw(screen *screen, now, before *picture, again bool) error {
	var b bytes.Buffer
	width, height := screen.size()
	if again && !screen.terminal {
		b.WriteByte('\n')
	}
	now.draw(&b, frame{width: width, height: height, url: w.url, order: w.order}, before)
	return screen.show(b.Bytes())
}

// picture is the service at one moment.
type picture struct {
	at       time.Time
	callers  []fairfactor.Caller
	most     bool // there are too many callers: these are the busiest
	nodes    []fairfactor.Node
	fairness fairfactor.Fairness
}

func look(ctx context.Context, jobs fairfactor.Jobs) (p *picture, err error) {
	p = &picture{at: time.Now()}
	if p.callers, p.most, err = lookAtCallers(ctx, jobs); err != nil {
		return nil, err
	}
	if p.nodes, err = jobs.Nodes(ctx); err != nil {
		return nil, err
	}
	p.fairness, err = jobs.Fairness(ctx)
	return p, err
}

// busiestCallers is how many callers a picture has of each order, when there are too many
// to have all of them once a second.
const busiestCallers = 200

// lookAtCallers returns all callers, or the busiest ones.
func lookAtCallers(ctx context.Context, jobs fairfactor.Jobs) (callers []fairfactor.Caller, most bool, err error) {
	callers, err = jobs.Callers(ctx, "", fairfactor.MaxPage)
	if err != nil || len(callers) < fairfactor.MaxPage {
		return callers, false, err
	}
	callers, seen := nil, map[string]bool{}
	for _, order := range []fairfactor.CallerOrder{fairfactor.ByRunning, fairfactor.ByQueued, fairfactor.ByCPU} {
		page, err := jobs.RankedCallers(ctx, fairfactor.CallerQuery{Order: order, Limit: busiestCallers})
		if err != nil {
			return nil, true, err
		}
		for _, c := range page.Callers {
			if !seen[c.Name] {
				seen[c.Name], callers = true, append(callers, c)
			}
		}
	}
	return callers, true, nil
}
