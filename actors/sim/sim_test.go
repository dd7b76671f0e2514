package sim_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"fairfactor/actors/sim"
)

var (
	seed    = flag.Uint64("seed", 0, "run this seed only, and print what happens")
	less    = flag.String("less", "", "with -seed: what is left of the run, as a failure prints it")
	from    = flag.Uint64("from", 1, "first seed")
	seeds   = flag.Uint64("seeds", usualSeeds, "how many seeds are run")
	quick   = flag.Bool("quick", false, "stop at the first seed that fails, and leave it as it is")
	forever = flag.Duration("for", 0, "go on with seeds that no one has seen for this long")
)

// TestSimulation runs seeds, each of them twice as fast as a person can read its
// number. One that fails is made smaller; -seed N -less L shows it.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		runOne(t)
		return
	}
	first, last, until := *from, *from+*seeds, time.Time{}
	if *forever > 0 {
		first = uint64(time.Now().UnixNano())
		last, until = first+1<<62, time.Now().Add(*forever)
	}
	m := many{T: t, next: first, last: last, until: until, begin: time.Now()}
	m.said = m.begin
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(m.work)
	}
	all.Wait()
	m.say()
}

// runOne shows one run.
func runOne(t *testing.T) {
	o := sim.OptionsOf(*seed)
	if *less != "" {
		l, err := sim.ParseLess(*less)
		if err != nil {
			t.Fatal(err)
		}
		o = o.Only(l)
	}
	fmt.Print(o)
	for _, fault := range sim.Run(o, os.Stdout).Faults {
		t.Error(fault)
	}
}

// many are the runs of many seeds.
type many struct {
	*testing.T
	begin, until time.Time

	mu    sync.Mutex // guards the fields below
	next  uint64
	last  uint64
	runs  uint64
	steps uint64
	jobs  int
	said  time.Time
	worst sim.Result // that took longest after the faults
	bad   int
}

// work runs seeds until there are no more, or enough have failed.
func (m *many) work() {
	for {
		m.mu.Lock()
		s := m.next
		over := s >= m.last || m.bad >= 3 || m.bad > 0 && *quick || !m.until.IsZero() && time.Now().After(m.until)
		m.next++
		m.mu.Unlock()
		if over {
			return
		}
		m.took(sim.Run(sim.OptionsOf(s), nil))
	}
}

func (m *many) took(r sim.Result) {
	if len(r.Faults) > 0 {
		m.failed(r)
	}
	m.mu.Lock()
	m.runs++
	m.steps += r.Steps
	m.jobs += r.Jobs
	if r.Took >= m.worst.Took {
		m.worst = r
	}
	late := m.until.IsZero() || time.Since(m.said) < 10*time.Second
	if !late {
		m.said = time.Now()
	}
	m.mu.Unlock()
	if !late {
		m.say()
	}
}

// failed makes a run that failed smaller.
func (m *many) failed(r sim.Result) {
	m.mu.Lock()
	m.bad++
	m.mu.Unlock()
	if *quick {
		m.Errorf("%vfirst: %s", r.Options, r.Faults[0])
		return
	}
	l := sim.Shrink(r.Options)
	o := r.Options.Only(l)
	small := sim.Run(o, nil)
	m.Errorf("%v%s\nfirst: %s\ngo test ./actors/sim -run TestSimulation -seed %d -less %v", o, small.Faults[0], r.Faults[0], o.Seed, l)
}

func (m *many) say() {
	m.mu.Lock()
	defer m.mu.Unlock()
	took := time.Since(m.begin)
	line := fmt.Sprintf("%d seeds, %.0f a second, %d steps, %d jobs; after the faults the last job ended within %v (seed %d)",
		m.runs, float64(m.runs)/took.Seconds(), m.steps, m.jobs, m.worst.Took.Round(time.Millisecond), m.worst.Options.Seed)
	if m.until.IsZero() {
		m.Log(line)
		return
	}
	fmt.Println(line)
}

// The same seed is the same run, to the last step.
func TestSameSeed(t *testing.T) {
	for s := range uint64(15) {
		a, b := sim.Run(sim.OptionsOf(s), nil), sim.Run(sim.OptionsOf(s), nil)
		if a.Sum != b.Sum || a.Steps != b.Steps {
			t.Errorf("seed %d: %d steps with sum %x, then %d with %x", s, a.Steps, a.Sum, b.Steps, b.Sum)
		}
	}
}

func TestLess(t *testing.T) {
	o := sim.OptionsOf(14)
	all := o.All()
	got, err := sim.ParseLess(all.String())
	if err != nil || got.String() != all.String() {
		t.Errorf("%v is read as %v, %v", all, got, err)
	}
	if small := o.Only(sim.Less{Clients: 1, Requests: 2}); small.Clients != 1 || small.Requests != 2 || small.Faults != nil {
		t.Errorf("less is %v", small)
	}
	if _, err := sim.ParseLess("nodes=1"); err == nil {
		t.Error("nodes=1 is accepted")
	}
}
