package sim

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/commit"
	"fairfactor/factor"
)

// place is where a process of a node runs, one after the other.
type place struct {
	name  string
	ahead time.Duration     // of its clock
	slow  int               // how many times longer its turns take
	proc  *process          // nil while none runs
	loose bool              // it can't reach the store
	lag   time.Duration     // of its way to the store
	lost  []actors.Obituary // of its earlier processes
}

// process is a node from its start to its death.
type process struct {
	w       *world
	cluster *cluster
	place   *place
	run     *run
	id      string
	dead    bool
	started bool
	paused  bool
	held    []event // what happened while it was paused
	flights []*flight
	waiters []func() // clients that wait for an answer of it
	then    func()   // what happens when it has left, nil for nothing
	tasks   map[*task]struct{}
	outs    []out

	notes   *notes // nil until it has joined
	sys     *actors.System
	service *actors.Service
	produce map[string]actor.Producer
	actors  map[string]*activation // by the id of their PIDs
	names   int

	// What package cluster has in its router and its provider.
	live        map[key]*activation
	requests    map[uint32]*request
	lastRequest uint32
	waiting     []*envelope
	retrying    bool
	view        view
	settled     bool
	former      view // the last one that settled
	closing     bool
	announced   bool
	since       time.Duration // when the view came
	reports     map[string]uint64
	moved       int // activations that must stop for the view
	lease       lease
	heard       map[string]time.Duration // when another member was heard last
	met         map[string]time.Duration // when it was first seen in the table
	reported    []string
}

// boot starts a process at a place and joins it to the others.
func (c *cluster) boot(at *place) {
	c.processes++
	p := &process{
		w: c.w, cluster: c, place: at, run: c.run, id: fmt.Sprintf("%s.%d", at.name, c.processes),
		tasks: map[*task]struct{}{}, actors: map[string]*activation{}, live: map[key]*activation{}, requests: map[uint32]*request{},
		reports: map[string]uint64{}, heard: map[string]time.Duration{}, met: map[string]time.Duration{},
	}
	at.proc = p
	c.all = append(c.all, p)
	c.byID[p.id] = p
	c.w.say("%s boots", p.id)
	store := &disk{Store: c.run.store, p: p}
	committer := func() *commit.Committer {
		return commit.New(store, commit.Options{Groups: c.run.opts.groups(), Go: p.Go, Cond: func(l locker) commit.Cond { return p.Cond(l) }})
	}
	opts := &c.run.opts
	p.sys = actors.New(actors.Config{
		Store: store, Committer: committer(), Members: p.members, Logger: slog.New(&logger{p: p}), Runtime: p, Now: p.Now,
		Workers: opts.Workers, MaxQueue: opts.maxQueue(), Hold: opts.Hold, Passivate: opts.Passivate, Crowd: opts.crowd(), KnownSize: 1000,
		MaxDeaths: maxDeaths, Obituaries: at.obituaries(), Record: func(_ string, threads int) (actors.Recorder, error) {
			p.notes = &notes{p: p, running: make([]*actors.LostTurn, threads)}
			return p.notes, nil
		},
	})
	p.produce = p.sys.Producers(identityOf)
	p.service = p.sys.Service()
	p.w.start(0, p, p.begin)
}

// begin joins a process to the others and starts its actors.
func (p *process) begin() {
	if !p.join() {
		return
	}
	if err := p.sys.Start(p); err != nil {
		p.w.broke("%s does not start: %v", p.id, err)
	}
	p.started = true
	p.Go(p.keep)
	p.Go(p.provide)
}

// members are the members as this node sees them.
func (p *process) members() (nodes []fairfactor.Node) {
	for _, id := range p.view.members {
		nodes = append(nodes, fairfactor.Node{ID: id, Name: id, State: "alive", Self: id == p.id})
	}
	return nodes
}

// die ends a process as SIGKILL would.
func (p *process) die() {
	if p.dead {
		return
	}
	p.w.say("%s dies", p.id)
	p.dead = true
	p.held, p.outs = nil, nil
	if p.place.proc == p {
		p.place.proc = nil
	}
	for t := range p.tasks {
		p.w.end(t)
	}
	p.tasks = nil
	p.cluster.died(p)
	for _, wake := range p.waiters {
		wake()
	}
	if p.run.opts.Embedded {
		p.crashDisk()
	}
	p.leaveNotes()
	if p.then != nil {
		p.w.after(0, nil, p.then)
	}
}

// crashDisk decides what became of the groups that the process had on their way to
// its own disk, and forgets what the process had in memory only.
func (p *process) crashDisk() {
	for _, f := range slices.Clone(p.flights) {
		if p.w.chance(0.5) {
			p.dead = false
			p.land(f)
			p.dead = true
		}
	}
	p.run.store.Crash()
}

// pause stops a process as SIGSTOP does; resume is SIGCONT.
func (p *process) pause() { p.paused = true }

func (p *process) resume() {
	if !p.paused {
		return
	}
	p.paused = false
	held := p.held
	p.held = nil
	for _, e := range held {
		p.w.after(0, p, e.do)
	}
}

// delay is how long a message of this node waits for the processor.
func (p *process) delay() time.Duration { return p.w.often(40*time.Microsecond, 3*time.Millisecond) }

// cost is what a turn takes.
func (p *process) cost(t factor.Turn) time.Duration {
	usual := min(max(t.Predict, 20*time.Microsecond), 50*time.Millisecond)
	return p.w.often(2*usual, 2*usual)
}

// logger brings what a node logs into the trace.
type logger struct {
	p     *process
	attrs string
}

func (l *logger) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo && l.p.w.trace != nil
}

func (l *logger) Handle(_ context.Context, r slog.Record) error {
	text := l.p.id + " " + r.Message + l.attrs
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	l.p.w.show("%s", text)
	return nil
}

func (l *logger) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *l
	for _, a := range attrs {
		more.attrs += " " + a.String()
	}
	return &more
}

func (l *logger) WithGroup(string) slog.Handler { return l }

// keys of a map in order.
func sorted[V any](m map[string]V) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
