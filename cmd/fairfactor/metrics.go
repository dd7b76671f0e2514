package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics shows the counters of a node's actors, and of the scheduler, to
// Prometheus.
type metrics struct {
	node                                  *node
	jobs, turns, cpu, callers, refused    *prometheus.Desc
	activations, fenced                   *prometheus.Desc
	lag, bound, violations, active, ahead *prometheus.Desc
	open, handedOut, atOnce, dormant      *prometheus.Desc
	levelLag, levelInLine, known, divided *prometheus.Desc
	webhooks, webhooksFlying, missed      *prometheus.Desc
	jobsQueued, work, oldest, threads     *prometheus.Desc
	deaths, quarantined, vain, spans      *prometheus.Desc
	memory, memoryWaiting                 *prometheus.Desc
	accounts, forgotten                   *prometheus.Desc
}

func newMetrics(n *node) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("fairfactor_"+name, help, labels, nil)
	}
	return &metrics{
		node:           n,
		jobs:           desc("jobs_total", "Jobs that this node's callers accepted and ended.", "state"),
		atOnce:         desc("jobs_written_at_once_total", "Jobs that ended before their acceptance was written: one record for both."),
		known:          desc("jobs_known_total", "Jobs that were completed with what was known of their numbers."),
		divided:        desc("jobs_divided_total", "Jobs that began with primes which earlier jobs of their callers had found."),
		webhooks:       desc("webhooks_total", "Attempts to call webhooks: delivered, failed (tried again later), given_up.", "outcome"),
		webhooksFlying: desc("webhooks_under_way", "Attempts to call webhooks that are under way."),
		missed:         desc("jobs_deadline_missed_total", "Jobs that were cancelled because they had not ended at their deadline."),
		deaths:         desc("jobs_deaths_total", "Deaths of processes that were counted, once for each job in their hands."),
		memory:         desc("work_memory_bytes", "Memory for work, by estimate: of it what jobs hold, and all there is.", "state"),
		memoryWaiting:  desc("work_memory_waiting_jobs", "Jobs that wait for memory."),
		quarantined:    desc("jobs_quarantined_total", "Jobs that failed because processes died with them."),
		refused:        desc("submissions_refused_total", "Submissions that were refused by a caller."),
		turns:          desc("turns_total", "Turns run on this node."),
		cpu:            desc("turn_cpu_seconds_total", "CPU that turns used on this node."),
		vain:           desc("turn_cpu_seconds_vain_total", "CPU of turns that no job has: halted, because their jobs had ended; ended, the same, but run to the end; spare, of jobs that needed them no more; moved, of callers that are elsewhere by now; unsaved, known only to a caller's actor when that stopped; broken, in the middle when the node stopped.", "reason"),
		spans:          desc("spans_total", "Spans for the collector of --otlp-endpoint: sent, or dropped because it did not take them or too many waited.", "outcome"),
		callers:        desc("callers_active", "Caller actors that live on this node."),
		accounts:       desc("accounts", "Callers whose accounts the store keeps, as of the last minute; all nodes of a store have the same."),
		forgotten:      desc("accounts_forgotten_total", "Accounts that this node removed, because their callers had no job and no setting."),
		activations:    desc("caller_activations_total", "Times a caller actor started on this node."),
		fenced:         desc("callers_fenced_total", "Caller actors that stopped because a newer one exists."),
		lag:            desc("fairness_lag_seconds", "Largest difference in charged CPU between two waiting callers."),
		bound:          desc("fairness_bound_seconds", "What the lag may be at most."),
		violations:     desc("fairness_violations_total", "Times that the lag was above its bound."),
		active:         desc("scheduler_callers", "Callers with work."),
		dormant:        desc("scheduler_callers_dormant", "Callers with work whose turns are asked for when they are due."),
		levelLag:       desc("fairness_level_lag_seconds", "Lag between groups, and inside the group where it is largest.", "level"),
		levelInLine:    desc("fairness_level_in_line", "Groups and callers without one that have work; inside: groups.", "level"),
		ahead:          desc("scheduler_turns_waiting", "Turns offered and not handed out."),
		open:           desc("scheduler_turns_open", "Turns handed out and not ended."),
		jobsQueued:     desc("jobs_unfinished", "Unfinished jobs of the callers that the scheduler knows, those of paused callers left out."),
		work:           desc("backlog_cpu_seconds", "CPU that these jobs probably take, as if none had begun."),
		oldest:         desc("oldest_waiting_seconds", "Time for which the job waits that waits longest for its first turn, of up to 4096 callers."),
		threads:        desc("compute_threads", "Compute threads of this node, by whether they run a turn.", "state"),
		handedOut:      desc("scheduler_place", "Place of the last hand-out in the global dispatch order."),
	}
}

func (m *metrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	c := &m.node.system.Counters
	counter(m.jobs, float64(c.Accepted.Load()), "accepted")
	counter(m.jobs, float64(c.Completed.Load()), "completed")
	counter(m.jobs, float64(c.Failed.Load()), "failed")
	counter(m.jobs, float64(c.Cancelled.Load()), "cancelled")
	counter(m.atOnce, float64(c.AtOnce.Load()))
	counter(m.known, float64(c.Known.Load()))
	counter(m.divided, float64(c.Divided.Load()))
	hooks := &m.node.hookCounters
	counter(m.webhooks, float64(hooks.Delivered.Load()), "delivered")
	counter(m.webhooks, float64(hooks.Failed.Load()), "failed")
	counter(m.webhooks, float64(hooks.GivenUp.Load()), "given_up")
	gauge(m.webhooksFlying, float64(hooks.Flying.Load()))
	counter(m.missed, float64(c.Missed.Load()))
	counter(m.deaths, float64(c.Deaths.Load()))
	counter(m.quarantined, float64(c.Quarantined.Load()))
	counter(m.refused, float64(c.Refused.Load()))
	counter(m.turns, float64(c.Turns.Load()))
	counter(m.cpu, time.Duration(c.CPU.Load()).Seconds())
	for _, v := range []struct {
		reason string
		nanos  *atomic.Int64
	}{{"halted", &c.Unwanted}, {"ended", &c.Ended}, {"spare", &c.Spare}, {"moved", &c.Moved}, {"unsaved", &c.Unsaved}, {"broken", &c.Broken}} {
		counter(m.vain, time.Duration(v.nanos.Load()).Seconds(), v.reason)
	}
	if m.node.spans != nil {
		counter(m.spans, float64(m.node.spans.Sent.Load()), "sent")
		counter(m.spans, float64(m.node.spans.Dropped.Load()), "dropped")
	}
	gauge(m.callers, float64(c.Callers.Load()))
	counter(m.activations, float64(c.Activations.Load()))
	counter(m.fenced, float64(c.Fenced.Load()))
	busy, all := m.node.system.Threads()
	gauge(m.threads, float64(busy), "busy")
	gauge(m.threads, float64(all-busy), "idle")

	if a := m.node.accounts.Load(); a != nil {
		gauge(m.accounts, float64(a.Kept))
		counter(m.forgotten, float64(a.Forgotten))
	}
	if s := m.node.system.Memory(); s.Whole > 0 {
		gauge(m.memory, float64(s.Held), "held")
		gauge(m.memory, float64(s.Whole), "all")
		gauge(m.memoryWaiting, float64(s.Waiting))
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	f, err := m.node.system.Service().Fairness(ctx)
	if err != nil {
		return // a scrape without the scheduler's part says that it is away
	}
	gauge(m.lag, f.Lag.Seconds())
	gauge(m.bound, f.Bound.Seconds())
	counter(m.violations, float64(f.Violations))
	gauge(m.active, float64(f.Active))
	gauge(m.dormant, float64(f.Dormant))
	gauge(m.levelLag, f.Between.Lag.Seconds(), "groups")
	gauge(m.levelLag, f.Inside.Lag.Seconds(), "inside")
	gauge(m.levelInLine, float64(f.Between.InLine), "groups")
	gauge(m.levelInLine, float64(f.Inside.InLine), "inside")
	gauge(m.ahead, float64(f.Waiting))
	gauge(m.open, float64(f.Open))
	gauge(m.handedOut, float64(f.HandedOut))
	gauge(m.jobsQueued, float64(f.Jobs))
	gauge(m.work, f.Work.Seconds())
	waits := time.Duration(0)
	if !f.Oldest.IsZero() {
		waits = max(0, time.Since(f.Oldest))
	}
	gauge(m.oldest, waits.Seconds())
}
