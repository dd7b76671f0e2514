package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// Soak is `bench soak`.
var Soak = command.Comparison{
	Name:     "soak",
	Summary:  "mixed load with faults for hours: does anything grow, or get slow?",
	Separate: true,
	Limit:    48 * time.Hour,
	Help: `Batches of old and new callers, numbers with keys that are sent again until there is an
answer, and an honest caller that waits for one small number after the other, on one
node of the embedded store or on -nodes of them and PostgreSQL, until -jobs have been
accepted or -for is over. Now and then a node is killed, stopped for two seconds or ended
in order, and the database is restarted. Each job is checked when it has ended: completed,
once, with prime factors that multiply to its number. Every ten seconds the memory, the
goroutines and open files of each node and the size of the store for each job are taken: each must stay
below its bound, and in the last quarter of the time not be above what it was in the second
by more than -growth. What the honest caller waits is counted while no fault is near.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		s := &soak{submitters: 8, batch: 200, bounds: map[string]*float64{}}
		f.IntVar(&s.jobs, "jobs", 10_000_000, "end when so many jobs were accepted")
		f.DurationVar(&s.length, "for", 12*time.Hour, "end after this time")
		f.DurationVar(&s.every, "every", 5*time.Minute, "time between two faults")
		f.IntVar(&s.nodes, "nodes", 1, "nodes; more than one share a private PostgreSQL")
		f.Float64Var(&s.growth, "growth", 1.3, "most that a figure may grow, last quarter against second")
		f.DurationVar(&s.patience, "patience", time.Second, "most that 99 of 100 answers to the honest caller may take")
		for _, b := range bounds {
			s.bounds[b.what] = f.Float64(b.flag, b.most, "most "+b.what)
		}
		return s.measure
	},
}

// bounds are what may not be exceeded, and how it is called.
var bounds = []struct {
	flag, what, unit string
	most             float64
}{
	{"memory", "memory of a node, in MiB", "MiB", 1500},
	{"goroutines", "goroutines of a node", "", 5000},
	{"files", "open files of a node", "", 2000},
	{"disk", "size of the store for each job, in bytes", "B", 2048},
}

type soak struct {
	jobs, nodes, submitters, batch int
	length, every                  time.Duration
	growth                         float64
	patience                       time.Duration
	bounds                         map[string]*float64
}

// site is what the load is on: nodes at fixed addresses, which can be harmed.
type site interface {
	addrs() []string
	// harm makes a fault and returns when all nodes are ready again.
	harm(ctx context.Context, round int) (what string, err error)
	// sample takes the figures of bounds: of each node, and of the store.
	sample(ctx context.Context) (map[string]float64, error)
	// words are the last lines of the nodes' logs.
	words() string
	close()
}

func (s *soak) measure(ctx context.Context, h *harness.Harness) (rows []report.Row, err error) {
	for _, b := range bounds {
		if *s.bounds[b.what] <= 0 {
			return nil, fmt.Errorf("-%s is not above 0", b.flag)
		}
	}
	var at site
	if s.nodes == 1 {
		at, err = newSingle(ctx, h)
	} else {
		at, err = newShared(ctx, h, s.nodes)
	}
	if err != nil {
		return nil, err
	}
	defer at.close()
	l := newSoakLoad(h.Seed, at.addrs(), s.batch)
	defer l.balancer.close()
	run, stop := context.WithTimeout(ctx, s.length)
	defer stop()
	l.start(ctx, run, s.submitters)
	took, faults, began := newFigures(), 0, time.Now()
	next := began.Add(s.every)
	for told := began; run.Err() == nil && l.accepted() < s.jobs && err == nil; {
		if wait.For(run, sampleEvery) != nil {
			break
		}
		var now map[string]float64
		if now, err = at.sample(run); err == nil {
			took.add(now, l.accepted())
		} else if run.Err() != nil {
			err = nil
		}
		if time.Since(told) > time.Minute {
			told = time.Now()
			h.Say("%v: %s; %s", time.Since(began).Round(time.Second), l, took.last())
		}
		if err == nil && time.Now().After(next) {
			l.trouble(true)
			var what string
			what, err = at.harm(run, faults)
			l.trouble(false)
			faults, next = faults+1, time.Now().Add(s.every)
			h.Say("%s", what)
			if run.Err() != nil {
				err = nil
			}
		}
	}
	stop()
	t := l.finish()
	for _, e := range t.Examples {
		err = errors.Join(err, errors.New(e))
	}
	if err != nil {
		err = errors.Join(err, errors.New(strings.TrimSpace(at.words())))
	}
	rows = append(rows,
		report.Figure("hours", time.Since(began).Hours(), ""),
		report.Figure("jobs accepted and checked", float64(t.Completed), "").AtLeast(1).Must(),
		report.Figure("lost", float64(t.Lost), "").AtMost(0).Must(),
		report.Figure("failed or unfinished", float64(t.Failed+t.Unfinished), "").AtMost(0).Must(),
		report.Figure("wrong", float64(t.Wrong), "").AtMost(0).Must(),
		report.Figure("twice", float64(t.Twice), "").AtMost(0).Must(),
		report.Figure("callers", float64(l.callers()), ""),
		report.Figure("faults", float64(faults), ""),
	)
	rows = append(rows, s.latencies(l.waits)...)
	return append(rows, took.rows(s)...), err
}

// latencies are what the honest caller waited.
func (s *soak) latencies(l *stats.Latencies) []report.Row {
	_, worst := l.Extremes()
	return []report.Row{
		report.Figure("an honest caller's wait for a result, p50", l.At(50).Seconds()*1000, "ms"),
		report.Figure("the same, p99", l.At(99).Seconds()*1000, "ms").AtMost(s.patience.Seconds() * 1000).Must(),
		report.Figure("the same, longest", worst.Seconds()*1000, "ms"),
	}
}
