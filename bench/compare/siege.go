package compare

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// siege is an attack on a node, and on the bare handler, which refuses as cheaply as can
// be: clients that share the machine take CPU from the ordinary caller wherever they send.
type siege struct {
	name   string
	settle time.Duration                                         // from its beginning to the measurement
	start  func(ctx context.Context, addr string) (ended func()) // ended waits for its end after that of ctx
}

// mostSlower is how many times the quiet p99 an ordinary caller's may be.
const mostSlower = 3

// glance is what one measurement of a siege has seen.
type glance struct {
	p99                 float64 // of the ordinary caller, in ms
	failed              int
	node, bare, clients float64 // CPU, in percent of a core
}

// lay measures the ordinary caller of the node without the attack, next to it, and while it
// goes to the bare handler, in rounds.
func (m *hostile) lay(ctx context.Context, h *harness.Harness, p *pair, s siege) ([]report.Row, error) {
	h.Say("%s", s.name)
	var quiet, loud, other []glance
	for range m.rounds {
		for _, side := range []struct {
			to   *harness.Process
			seen *[]glance
		}{{nil, &quiet}, {p.node, &loud}, {p.bare, &other}} {
			g, err := m.besiege(ctx, h.Seed, p, side.to, s)
			if err != nil {
				return nil, err
			}
			if p.node.Gone() {
				return nil, fmt.Errorf("the node died of %s: %s", s.name, p.node.Log)
			}
			*side.seen = append(*side.seen, g)
		}
	}
	failed := 0
	for _, g := range append(append(quiet, loud...), other...) {
		failed += g.failed
	}
	p99 := func(g glance) float64 { return g.p99 }
	against := func(what string, all []glance) report.Row {
		ratios := make([]float64, len(all))
		for i, g := range all {
			ratios[i] = g.p99 / quiet[i].p99
		}
		return report.Figure(what, middle(all, p99), "ms").Against("without", middle(quiet, p99), stats.Median(ratios))
	}
	cpu := func(what string, all, than []glance, name string, of, ofThan func(glance) float64) report.Row {
		value, base := middle(all, of), middle(than, ofThan)
		return report.Figure(what, value, "% of a core").Against(name, base, stats.RatioOf(value, base))
	}
	node, bare, clients := func(g glance) float64 { return g.node }, func(g glance) float64 { return g.bare }, func(g glance) float64 { return g.clients }
	return []report.Row{
		against("p99 during "+s.name, loud).AtMost(mostSlower),
		against("p99 while a bare fasthttp has "+s.name, other),
		report.Figure("ordinary requests failed, "+s.name, float64(failed), "").AtMost(0).Must(),
		cpu("CPU of the node, "+s.name, loud, quiet, "without", node, node),
		report.Figure("CPU of the bare fasthttp, "+s.name, middle(other, bare), "% of a core"),
		cpu("CPU of the clients, "+s.name, loud, other, "at the bare fasthttp", clients, clients),
	}, nil
}

func middle(all []glance, of func(glance) float64) float64 {
	values := make([]float64, len(all))
	for i, g := range all {
		values[i] = of(g)
	}
	return stats.Median(values)
}

// besiege measures once, while the attack goes to a process; nil for none.
func (m *hostile) besiege(ctx context.Context, seed uint64, p *pair, to *harness.Process, s siege) (g glance, err error) {
	attacking, stop := context.WithCancel(ctx)
	defer stop()
	if to != nil {
		ended := s.start(attacking, strings.TrimPrefix(to.URL, "http://"))
		defer func() { stop(); ended() }()
		if err := wait.For(ctx, s.settle); err != nil {
			return g, err
		}
	}
	before, err := usedBy(p)
	if err != nil {
		return g, err
	}
	began := time.Now()
	times, failed, err := m.ordinary(ctx, seed, p.node)
	if err != nil {
		return g, err
	}
	took := time.Since(began)
	after, err := usedBy(p)
	percent := func(i int) float64 { return 100 * float64(after[i]-before[i]) / float64(took) }
	g = glance{p99: stats.Millis(times.At(99)), failed: failed, node: percent(0), bare: percent(1), clients: percent(2)}
	return g, err
}

// usedBy is the CPU that node, bare handler and this process have used.
func usedBy(p *pair) (cpu [3]time.Duration, err error) {
	if cpu[0], err = p.node.CPU(); err == nil {
		cpu[1], err = p.bare.CPU()
	}
	cpu[2] = harness.OwnCPU()
	return cpu, err
}
