package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairfactor"
	"fairfactor/actors/caller"
	groups "fairfactor/actors/commit"
)

// sizeNames are the classes of [caller.Times] as labels: most digits of each.
var sizeNames = [caller.TimeClasses]string{"20", "40", "60", "80", "inf"}

// jobTimes shows how long jobs took to Prometheus.
type jobTimes struct {
	times            *caller.Times
	wait, run, total *prometheus.Desc
}

func newJobTimes(times *caller.Times) *jobTimes {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help+" By the size of the number: up to so many digits.", []string{"digits"}, nil)
	}
	return &jobTimes{
		times: times,
		wait:  desc("fairfactor_job_wait_seconds", "Time from a job's acceptance to its first turn."),
		run:   desc("fairfactor_job_run_seconds", "Time from a job's first turn to its end."),
		total: desc("fairfactor_job_total_seconds", "Time from a job's acceptance to its end."),
	}
}

func (t *jobTimes) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(t, ch) }

func (t *jobTimes) Collect(ch chan<- prometheus.Metric) {
	for i := range t.times {
		of, size := &t.times[i], sizeNames[i]
		waited, ran := time.Duration(of.Wait.Sum.Load()), time.Duration(of.Run.Sum.Load())
		ch <- histogramOf(t.wait, &of.Wait, waited, size)
		ch <- histogramOf(t.run, &of.Run, ran, size)
		ch <- histogramOf(t.total, &of.Total, waited+ran, size)
	}
}

// histogramOf is a histogram as Prometheus has it: each bucket with all below it.
func histogramOf(d *prometheus.Desc, h *caller.Histogram, sum time.Duration, label string) prometheus.Metric {
	count, below := uint64(0), make(map[float64]uint64, caller.TimeBuckets)
	for i := range h.Buckets {
		count += h.Buckets[i].Load()
		if i < caller.TimeBuckets-1 {
			below[(time.Millisecond << i).Seconds()] = count
		}
	}
	return prometheus.MustNewConstHistogram(d, count, sum.Seconds(), below, label)
}

// timedStore measures what the committer has the store write.
type timedStore struct {
	store         groups.Applier
	took, changes prometheus.Histogram
	failed        prometheus.Counter
}

func newTimedStore(store groups.Applier) *timedStore {
	return &timedStore{
		store: store,
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fairfactor_store_commit_duration_seconds", Help: "Time that the store took to make a group of changes durable.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 18),
		}),
		changes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fairfactor_store_commit_changes", Help: "Changes in a group that the store made durable at once.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 13),
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fairfactor_store_commits_failed_total", Help: "Groups of changes that the store could not write.",
		}),
	}
}

// Apply implements [groups.Applier].
func (s *timedStore) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	begun := time.Now()
	errs, err := s.store.Apply(ctx, changes)
	if err != nil {
		s.failed.Inc()
		return errs, err
	}
	s.took.Observe(time.Since(begun).Seconds())
	s.changes.Observe(float64(len(changes)))
	return errs, nil
}

func (s *timedStore) register(r prometheus.Registerer) { r.MustRegister(s.took, s.changes, s.failed) }
