package compare

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
	"fairfactor/store/postgres/pgtest"
)

// Cluster is `bench cluster`.
var Cluster = command.Comparison{
	Name:     "cluster",
	Summary:  "what a shared store and more nodes cost, and what a big number gains from them",
	Separate: true,
	Limit:    30 * time.Minute,
	Help: `Measures a node on a private PostgreSQL against one with the embedded store, and three
nodes against one, all on the same CPUs: accepted single POSTs a second, and
completed jobs a second by batches, each with the CPU of a job, that of the database
included. The sides alternate and the ratio is the median of the rounds' ratios. Then turns a second between two nodes in this process that
have real connections and a store in memory, with numbers that cost next to nothing;
and the time that a lone hard number takes on one worker, and on two workers of two
nodes.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		c := &clusterCost{callers: 8}
		f.IntVar(&c.rounds, "rounds", 3, "rounds on each side, alternating")
		f.DurationVar(&c.round, "round", 2*time.Second, "length of a round of single POSTs")
		f.IntVar(&c.jobs, "jobs", 20_000, "jobs in a round of batches")
		f.IntVar(&c.turns, "turns", 400_000, "turns between two nodes")
		f.IntVar(&c.digits, "digits", 70, "digits of the hard number")
		return c.measure
	},
}

// clusterCost is what `bench cluster` measures.
type clusterCost struct {
	rounds, callers, jobs, turns, digits int
	round                                time.Duration
}

func (m *clusterCost) measure(ctx context.Context, h *harness.Harness) (rows []report.Row, err error) {
	for _, part := range []func(context.Context, *harness.Harness) ([]report.Row, error){m.rates, m.turnRates, m.bigNumber} {
		measured, err := part(ctx, h)
		rows = append(rows, measured...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// side is one of the services that are compared: some nodes, each with a client.
type side struct {
	name    string
	clients []*client.Client
	fleet   *fleet.Fleet // nil for the embedded store
	node    *harness.Process
	server  *pgtest.Server // nil for the embedded store
}

func (s *side) close() {
	for _, c := range s.clients {
		c.Close()
	}
	if s.fleet != nil {
		s.fleet.Close()
		os.RemoveAll(s.fleet.Dir)
	}
	if s.node != nil {
		s.node.Kill()
	}
}

// connections of all clients of a side together.
const sideConns = 48

func (s *side) connect(urls ...string) error {
	for _, url := range urls {
		c, err := client.New(url, sideConns/len(urls))
		if err != nil {
			return err
		}
		s.clients = append(s.clients, c)
	}
	return nil
}

// embedded is one node with the embedded store.
func embedded(ctx context.Context, h *harness.Harness, workers int) (s *side, err error) {
	s = &side{name: "embedded store"}
	if s.node, err = h.Node(ctx, h.Folder(), nil, "--workers", fmt.Sprint(workers)); err != nil {
		return nil, err
	}
	return s, s.connect(s.node.URL)
}

// onPostgres is nodes that share a database of their own.
func onPostgres(ctx context.Context, h *harness.Harness, nodes, workers int) (s *side, err error) {
	server, url, err := fleet.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, server.Remove)
	s = &side{name: fmt.Sprintf("%d on PostgreSQL", nodes), server: server}
	s.fleet, err = fleet.Start(ctx, h, fleet.Config{
		Nodes: nodes, Workers: workers, Store: server.Addr(),
		DSN: func(addr, node string) string { return strings.Replace(url, server.Addr(), addr, 1) },
	}, nil)
	if err != nil {
		return nil, err
	}
	var urls []string
	for _, addr := range s.fleet.Addrs() {
		urls = append(urls, "http://"+addr)
	}
	return s, s.connect(urls...)
}

// rates compares the embedded store, one node on PostgreSQL, and three.
func (m *clusterCost) rates(ctx context.Context, h *harness.Harness) (rows []report.Row, err error) {
	ctx, cancel := context.WithCancel(ctx) // ends the databases
	defer cancel()
	var sides []*side
	defer func() {
		for _, s := range sides {
			s.close()
		}
	}()
	for _, start := range []func() (*side, error){
		func() (*side, error) { return embedded(ctx, h, 2) },
		func() (*side, error) { return onPostgres(ctx, h, 1, 2) },
		func() (*side, error) { return onPostgres(ctx, h, 3, 1) },
	} {
		s, err := start()
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	for _, way := range []sideLoad{
		{fmt.Sprintf("accepted/s, %d at once", sideConns), m.accepted, []float64{0, 0.75, 0.8}, 100},
		{"completed/s, batches of 1000", m.completed, []float64{0, 0.75, 0.95}, 0},
	} {
		h.Say("%s", way.what)
		measured, costs := make([][]float64, len(sides)), make([][]float64, len(sides))
		for round := range m.rounds {
			for i, s := range sides {
				rate, cost, err := s.measure(ctx, way, h.Seed+uint64(round))
				if err != nil {
					return rows, fmt.Errorf("%s, %s: %w", way.what, s.name, err)
				}
				measured[i], costs[i] = append(measured[i], rate), append(costs[i], cost)
			}
		}
		rows = append(rows, way.rows(sides, measured, costs)...)
	}
	return rows, nil
}

// sideLoad is a way to load the sides.
type sideLoad struct {
	what  string
	rate  func(ctx context.Context, s *side, seed uint64) (float64, error)
	least []float64 // of each side's rate to that of the one before
	cost  float64   // us of CPU that a job may cost on PostgreSQL, at most; 0: no target
}

// rows compares each side with the one before it.
func (l *sideLoad) rows(sides []*side, measured, costs [][]float64) (rows []report.Row) {
	against := func(what, unit string, i int, values [][]float64) report.Row {
		var ratios []float64
		for round, v := range values[i] {
			ratios = append(ratios, stats.RatioOf(v, values[i-1][round]))
		}
		return report.Figure(fmt.Sprintf("%s, %s", what, sides[i].name), stats.Median(values[i]), unit).
			Against(sides[i-1].name, stats.Median(values[i-1]), stats.Median(ratios))
	}
	for i := 1; i < len(sides); i++ {
		rows = append(rows, against(l.what, "/s", i, measured).AtLeast(l.least[i]))
	}
	for i := 1; i < len(sides); i++ {
		rows = append(rows, against("CPU of a job, nodes and database, "+l.what, "us", i, costs))
	}
	if l.cost > 0 {
		rows = append(rows, report.Figure("CPU of a job on PostgreSQL, "+l.what, stats.Median(costs[1]), "us").AtMost(l.cost))
	}
	return rows
}

// measure loads a side and returns its rate and the CPU of a job in microseconds,
// that of the database included.
func (s *side) measure(ctx context.Context, l sideLoad, seed uint64) (rate, cost float64, err error) {
	if err := s.settled(ctx); err != nil {
		return 0, 0, err
	}
	before, jobsBefore, err := s.used()
	if err != nil {
		return 0, 0, err
	}
	if rate, err = l.rate(ctx, s, seed); err != nil {
		return 0, 0, err
	}
	if err := s.settled(ctx); err != nil {
		return 0, 0, err
	}
	after, jobsAfter, err := s.used()
	return rate, stats.RatioOf(float64(after-before)/float64(time.Microsecond), float64(jobsAfter-jobsBefore)), err
}

// used is the CPU that all processes of a side have used, and how many jobs they have
// completed.
func (s *side) used() (cpu time.Duration, jobs int, err error) {
	for _, c := range s.clients {
		m, err := c.Metrics()
		if err != nil {
			return 0, 0, err
		}
		jobs += m.Completed()
	}
	if s.node != nil {
		cpu, err = s.node.CPU()
		return cpu, jobs, err
	}
	if cpu, err = s.server.CPU(); err != nil {
		return 0, 0, err
	}
	for _, n := range s.fleet.Nodes {
		own, err := n.CPU()
		if err != nil {
			return 0, 0, err
		}
		cpu += own
	}
	return cpu, jobs, nil
}

// each runs something for each client of a side at once.
func (s *side) each(do func(i int, c *client.Client) error) error {
	errs := make([]error, len(s.clients))
	var wg sync.WaitGroup
	for i, c := range s.clients {
		wg.Go(func() { errs[i] = do(i, c) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// settled waits until the nodes have nothing to do.
func (s *side) settled(ctx context.Context) error {
	return wait.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		left := 0
		for _, c := range s.clients {
			m, err := c.Metrics()
			if err != nil {
				return false, err
			}
			left += m.Unfinished()
		}
		return left == 0, nil
	})
}

// accepted posts single numbers to all nodes for a round.
func (m *clusterCost) accepted(ctx context.Context, s *side, seed uint64) (float64, error) {
	rates := make([]float64, len(s.clients))
	err := s.each(func(i int, c *client.Client) (err error) {
		a := acceptance{callers: m.callers, round: m.round}
		rates[i], err = a.drive(ctx, seed, c, sideConns/len(s.clients), random.Uniform)
		return err
	})
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum, err
}

// completed hands in batches at all nodes, and returns the rate until the last
// job has ended.
func (m *clusterCost) completed(ctx context.Context, s *side, seed uint64) (float64, error) {
	rng := random.New(seed, 1)
	callers, err := load.CallerNames(rng, m.callers, nil)
	if err != nil {
		return 0, err
	}
	shares := make([][]string, len(s.clients))
	for i := range shares {
		shares[i] = random.Many(m.jobs/len(shares), rng, random.Uniform)
	}
	start := time.Now()
	err = s.each(func(i int, c *client.Client) error {
		_, err := (completion{group: 1000}).byBatch(ctx, c, callers, shares[i])
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := s.settled(ctx); err != nil {
		return 0, err
	}
	return stats.PerSecond(m.jobs/len(shares)*len(shares), time.Since(start)), nil
}

// turnRates is how many turns two nodes pass between them, and what one costs.
func (m *clusterCost) turnRates(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	h.Say("turns between two nodes")
	var rates, costs []float64
	for round := range m.rounds {
		before := harness.OwnCPU()
		rate, err := turnRate(ctx, h.Seed+uint64(round), m.turns, 4*m.callers)
		if err != nil {
			return nil, err
		}
		rates, costs = append(rates, rate), append(costs, (harness.OwnCPU()-before).Seconds()*1e6/float64(m.turns))
	}
	return []report.Row{
		report.Figure("turns/s between two nodes", stats.Median(rates), "/s").AtLeast(20_000),
		report.Figure("CPU of such a turn, with its acceptance and end", stats.Median(costs), "us"),
	}, nil
}

// bigNumber factors hard numbers with one worker, and with two on two nodes.
func (m *clusterCost) bigNumber(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sides [2]*side
	for i := range sides {
		s, err := onPostgres(ctx, h, i+1, 1)
		if err != nil {
			return nil, err
		}
		defer s.close()
		sides[i] = s
	}
	var took [2][]float64
	var ratios []float64
	for round := range m.rounds {
		number := random.Semiprime(random.New(h.Seed, uint64(2+round)), m.digits)
		h.Say("a lone number of %d digits: %s", m.digits, number)
		for i, s := range sides {
			t, err := lone(ctx, s.clients[0], number)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], t)
		}
		ratios = append(ratios, took[0][round]/took[1][round])
	}
	return []report.Row{report.Figure(fmt.Sprintf("a lone number of %d digits, one worker", m.digits), stats.Median(took[0]), "s").
		Against("two workers on two nodes", stats.Median(took[1]), stats.Median(ratios)).AtLeast(1.7)}, nil
}

// lone submits a number and returns the seconds until it is completed.
func lone(ctx context.Context, c *client.Client, number string) (float64, error) {
	start := time.Now()
	id, err := c.Poster().Accepted("lone", number)
	if err != nil {
		return 0, err
	}
	var j client.Job
	err = wait.Until(ctx, time.Millisecond, func() (done bool, err error) {
		err = c.GetJSON("/compute/"+id+"?wait=20", &j)
		return j.Status == "completed", err
	})
	if err != nil {
		return 0, err
	}
	return time.Since(start).Seconds(), verify.Factors(number, j.Result)
}
