package http

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairfactor/http/feed"
)

// metrics counts requests by route and status, and how long they took. The
// series of a route are looked up once and kept, so that counting costs a few
// atomic additions.
type metrics struct {
	requests  *prometheus.CounterVec
	durations [routeCount][methodCount]prometheus.Observer
	counters  [routeCount][methodCount][statusCount]atomic.Pointer[prometheus.Counter]
}

const (
	routeCount  = 32  // at least one more than there are resources
	statusFirst = 200 // of the statuses that are kept
	statusCount = 304
)

// buckets are seconds: from an answer out of memory to the longest poll.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

func newMetrics(r prometheus.Registerer, current func() *connections, polls, streams func() int, jobs gated, events func() *feed.Hub) *metrics {
	m := &metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fairfactor_http_requests_total", Help: "Requests answered.",
	}, []string{"route", "method", "status"})}
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "fairfactor_http_request_duration_seconds", Help: "Time from a request's arrival to its answer, long polls included; of a batch, to the beginning of its answer.", Buckets: buckets,
	}, []string{"route", "method"})
	for i := range resources {
		for k, e := range resources[i].endpoints {
			if e.answer != nil {
				m.durations[i][k] = durations.WithLabelValues(resources[i].path, methodNames[k])
			}
		}
	}
	if r != nil {
		waiting := func(kind string, g *gate) prometheus.Collector {
			return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "fairfactor_http_requests_waiting", Help: "Requests that wait in the order of their arrival, because as many as may are under way.", ConstLabels: prometheus.Labels{"kind": kind},
			}, g.waiting)
		}
		r.MustRegister(m.requests, durations, waiting("write", jobs.writes), waiting("read", jobs.reads), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "fairfactor_http_polls", Help: "Requests that wait for a job to end.",
		}, func() float64 { return float64(polls()) }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "fairfactor_http_subscribers", Help: "Open streams of events.",
		}, func() float64 { return float64(streams()) }), prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "fairfactor_events_sent_total", Help: "Events that subscribers were sent, those left out that they caught up with.",
		}, func() float64 { return counted(events(), func(h *feed.Hub) uint64 { return h.Told.Load() }) }), prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "fairfactor_events_subscribers_slow_total", Help: "Subscribers that were sent away because they did not take their events.",
		}, func() float64 { return counted(events(), func(h *feed.Hub) uint64 { return h.Slow.Load() }) }), &connectionMetrics{
			current: current,
			open:    prometheus.NewDesc("fairfactor_http_connections", "Open connections.", []string{"state"}, nil),
			refused: prometheus.NewDesc("fairfactor_http_connections_refused_total", "Connections that were turned away, or closed while idle, because too many were open.", []string{"how"}, nil),
		})
	}
	return m
}

// counted is a counter of the hub of events, zero for a node without one.
func counted(h *feed.Hub, count func(*feed.Hub) uint64) float64 {
	if h == nil {
		return 0
	}
	return float64(count(h))
}

// observe counts one answer. A nil resource is a path that does not exist.
func (m *metrics) observe(r *resource, k method, status int, took time.Duration) {
	index, path := routeCount-1, "other"
	if r != nil {
		index, path = r.index, r.path
	}
	if d := m.durations[index][k]; d != nil {
		d.Observe(took.Seconds())
	}
	if status < statusFirst || status >= statusFirst+statusCount {
		m.requests.WithLabelValues(path, methodNames[k], strconv.Itoa(status)).Inc()
		return
	}
	slot := &m.counters[index][k][status-statusFirst]
	c := slot.Load()
	if c == nil {
		made := m.requests.WithLabelValues(path, methodNames[k], strconv.Itoa(status))
		c = &made
		slot.Store(c)
	}
	(*c).Inc()
}

// connectionMetrics show how many connections there are, and how many were turned away.
type connectionMetrics struct {
	current       func() *connections
	open, refused *prometheus.Desc
}

func (m *connectionMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.open
	ch <- m.refused
}

func (m *connectionMetrics) Collect(ch chan<- prometheus.Metric) {
	l := m.current()
	if l == nil {
		return
	}
	open, parked := l.count()
	ch <- prometheus.MustNewConstMetric(m.open, prometheus.GaugeValue, float64(parked), "idle")
	ch <- prometheus.MustNewConstMetric(m.open, prometheus.GaugeValue, float64(open-parked), "active")
	ch <- prometheus.MustNewConstMetric(m.refused, prometheus.CounterValue, float64(l.refused.Load()), "refused")
	ch <- prometheus.MustNewConstMetric(m.refused, prometheus.CounterValue, float64(l.evicted.Load()), "evicted")
}
