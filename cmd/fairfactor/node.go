package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"fairfactor"
	"fairfactor/actors"
	groups "fairfactor/actors/commit"
	"fairfactor/actors/flight"
	"fairfactor/cluster"
	httpd "fairfactor/http"
	"fairfactor/http/otlp"
	"fairfactor/http/webhook"
	"fairfactor/store/pebble"
	"fairfactor/store/postgres"
)

// node is a running node: its parts, in the order in which they were started.
type node struct {
	cfg        config
	log        *slog.Logger
	memory     memoryPlan
	held       func() int64 // bytes that the store holds on the heap
	clock      jobClock
	store      fairfactor.Store
	keyStore   fairfactor.KeyStore
	keys       *httpd.Keyring              // nil with --open
	members    fairfactor.MemberTable      // nil: the store belongs to this node alone
	storeReady func(context.Context) error // nil: the store is in this process
	claimFor   func(member string)         // nil too
	committer  *groups.Committer
	commits    *timedStore // what the committer writes to
	system     *actors.System
	cluster    *cluster.Node
	web        httpd.Config   // what the flags say of it
	hooks      *webhook.Hosts // nil: no webhooks
	server     *httpd.Server
	listener   net.Listener
	profiler   io.Closer  // nil without --pprof
	accesses   *accessLog // nil without --access-log
	url        string
	flight     *flight.Recorder                    // nil if it can't be kept
	spans      *otlp.Exporter                      // nil without --otlp-endpoint
	spansSent  func()                              // ends the exporter, and waits until it has
	accounts   atomic.Pointer[fairfactor.Accounts] // as they were counted last
	leaving    atomic.Bool
	draining   atomic.Bool
	fatal      chan error

	hookSecrets  []string
	hookCounters webhook.Counters
}

// spareThreads is how many goroutines may run next to the compute threads:
// without them requests would wait for turns to end.
const spareThreads = 4

// startNode opens and connects all parts. When it fails, nothing is left open.
func startNode(ctx context.Context, cfg config, log *slog.Logger) (*node, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	web, err := cfg.web()
	if err != nil {
		return nil, err
	}
	hooks, secrets, err := cfg.webhooks()
	if err != nil {
		return nil, err
	}
	web.Callbacks = hooks.Check
	runtime.GOMAXPROCS(cfg.workers + spareThreads)
	memory, err := useMemory(int64(cfg.storeMemory), int64(cfg.answerMemory), int64(cfg.workMemory), log)
	if err != nil {
		return nil, err
	}
	n := &node{cfg: cfg, web: web, hooks: hooks, hookSecrets: secrets, log: log, memory: memory, held: func() int64 { return 0 }, fatal: make(chan error, 1)}
	if err := n.start(ctx); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) start(ctx context.Context) (err error) {
	if n.listener, err = net.Listen("tcp", n.cfg.http); err != nil {
		return fairfactor.Wrap(fairfactor.Unavailable, err, "can't listen on "+n.cfg.http+": choose another address with --http")
	}
	n.url = "http://" + n.listener.Addr().String()
	if n.web.TLS, err = n.cfg.webTLS(n.log); err != nil {
		return err
	}
	if n.web.TLS != nil {
		n.url = "https://" + n.listener.Addr().String()
	}
	if n.accesses, err = openAccessLog(n.cfg.accessLog); err != nil {
		return err
	}
	if err := n.openStore(ctx); err != nil {
		return err
	}
	if err := n.openKeys(ctx); err != nil {
		return err
	}
	if err := n.startSpans(); err != nil {
		return err
	}
	if err := n.startActors(ctx); err != nil {
		return err
	}
	n.startServer()
	return n.startProfiler()
}

// storeTime is how long a node that starts waits for a database that does not
// answer.
const storeTime = time.Minute

func (n *node) openStore(ctx context.Context) error {
	atOnce := 1 // groups on their way to the store
	if n.cfg.store == "" {
		if err := n.openEmbedded(ctx); err != nil {
			return err
		}
	} else {
		ctx, cancel := context.WithTimeout(ctx, storeTime)
		defer cancel()
		store, err := postgres.Open(ctx, n.cfg.store, postgres.Options{
			Logger: n.log, Connections: n.cfg.storeConnections, WentBack: n.storeWentBack,
		})
		if err != nil {
			return err
		}
		n.store, n.keyStore, n.members, n.storeReady = store, store, store.Members(), store.Ready
		n.claimFor = store.ClaimFor
		atOnce = 2 // while one waits for the database's disk another one is built
	}
	n.store.BoundAccounts(n.cfg.maxCallers)
	n.commits = newTimedStore(n.store)
	n.committer = groups.New(n.commits, groups.Options{Groups: atOnce})
	return nil
}

// openEmbedded opens the data directory, which takes a while when there is much to
// read in its log, unless ctx ends first.
func (n *node) openEmbedded(ctx context.Context) error {
	type opened struct {
		store *pebble.Store
		err   error
	}
	done := make(chan opened, 1)
	go func() {
		store, err := pebble.Open(n.cfg.data, pebble.Options{Logger: n.log, Memory: n.memory.store, Fatal: n.storeFailed})
		done <- opened{store, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return o.err
		}
		n.store, n.keyStore, n.held = o.store, o.store, o.store.Held
		n.clock = jobClock{newest: o.store.Newest(), start: time.Now()}
		if n.clock.newest.IsZero() {
			n.clock.newest = n.clock.start
		}
		return nil
	case <-ctx.Done():
		go func() {
			if late := <-done; late.err == nil {
				late.store.Close()
			}
		}()
		return fairfactor.Wrap(fairfactor.Canceled, ctx.Err(), "stopped while the data directory was being opened")
	}
}

// storeWentBack stops all callers of this node: the database has lost changes that
// they believe in, and they have to look again.
func (n *node) storeWentBack() {
	n.log.Error("the database has lost changes that it acknowledged: callers begin again with what it has")
	if n.cluster != nil {
		n.cluster.Deactivate(actors.CallerKind)
	}
}

// storeFailed ends the node after an error of the store.
func (n *node) storeFailed(err error) {
	n.fail(fairfactor.Wrap(fairfactor.Internal, err, "the store failed: what was acknowledged is safe, the node must be started again"))
}

// fail ends the node after an error that it must not survive.
func (n *node) fail(err error) {
	select {
	case n.fatal <- err:
	default:
	}
}

func (n *node) startActors(ctx context.Context) error {
	key, err := n.cfg.gossipKeyBytes()
	if err != nil {
		return err
	}
	identity, renew, err := n.cfg.nodeTLS(n.log)
	if err != nil {
		return err
	}
	var ended func(*fairfactor.Job, time.Time)
	if n.spans != nil {
		ended = n.spans.Ended
	}
	n.system = actors.New(actors.Config{
		Ended: ended, Store: n.store, LocalStore: n.cfg.store == "", Committer: n.committer, Members: n.view, Logger: n.log,
		Workers: n.cfg.workers, Quantum: n.cfg.quantum, MaxQueue: n.cfg.maxQueue, MaxCPU: n.cfg.maxCPU, WorkMemory: n.memory.work,
		KnownSize: n.cfg.knownSize, Runtime: n.cfg.runtime,
		MaxDeaths: n.cfg.maxDeaths, Record: n.record, Obituaries: n.obituaries(),
	})
	n.cluster, err = cluster.Start(ctx, cluster.Config{
		Name: n.cfg.node, Cluster: n.cfg.cluster, Remote: n.cfg.remote, Gossip: n.cfg.gossip, Advertise: n.cfg.advertise,
		Join: n.cfg.join, GossipKey: key, TLS: identity, Renew: renew, Insecure: n.cfg.insecure,
		Table: n.members, Fatal: n.fail, Kinds: n.system.Kinds(cluster.Identity), Retire: map[string]any{actors.CallerKind: actors.Retire{}}, Logger: n.log,
	})
	if err != nil {
		return err
	}
	if n.claimFor != nil {
		n.claimFor(n.cluster.ID())
	}
	n.cluster.OnView(func(v cluster.View) { n.system.MembersAre(idsOf(v)) })
	return n.system.Start(n.cluster)
}

func idsOf(v cluster.View) (ids []string) {
	for _, m := range v.Members {
		ids = append(ids, m.ID)
	}
	return ids
}

// view is the cluster as this node sees it.
func (n *node) view() (nodes []fairfactor.Node) {
	for _, m := range n.cluster.View().Members {
		nodes = append(nodes, fairfactor.Node{ID: m.ID, Name: m.Name, Address: m.Address, Gossip: m.Gossip, State: string(m.State), Self: m.Self})
	}
	return nodes
}

func (n *node) startServer() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newMetrics(n), newJobTimes(&n.system.Counters.Times))
	n.commits.register(registry)
	web := n.web
	web.Keys, web.AnswerMemory = n.keys, n.memory.answers
	if n.accesses != nil {
		web.AccessLog = n.accesses
	}
	web.Jobs, web.Logger, web.MaxDigits, web.Ready, web.Leaving = n.system.Service(), n.log, n.cfg.maxDigits, n.ready, n.stays
	web.Events = n.system.Service()
	if n.spans != nil {
		web.Submitted = n.spans.Submitted
	}
	web.Gatherer, web.Registerer, web.Version = registry, registry, version
	n.server = httpd.New(web)
}

// ready says why the node takes no jobs, if it does not.
func (n *node) ready() error {
	if n.draining.Load() {
		return fairfactor.Errorf(fairfactor.Unavailable, "the node is draining: use another one")
	}
	return n.cluster.Ready()
}

// readyLimit is how long /readyz waits for the database.
const readyLimit = 2 * time.Second

// stays says why balancers should use another node though this one takes jobs: it is
// about to drain, or no work is handed out yet.
func (n *node) stays() error {
	if n.leaving.Load() {
		return fairfactor.Errorf(fairfactor.Unavailable, "the node is about to stop: use another one")
	}
	if n.storeReady != nil {
		ctx, cancel := context.WithTimeout(context.Background(), readyLimit)
		defer cancel()
		if err := n.storeReady(ctx); err != nil {
			return err
		}
	}
	return n.system.Working()
}

// linger gives balancers the time to notice that the node leaves: what they
// send until then is served, and each answer ends its connection.
func (n *node) linger() error {
	n.leaving.Store(true)
	n.server.Leave()
	notify(n.log, "STOPPING=1")
	if n.cfg.linger == 0 {
		return nil
	}
	n.log.Info("leaving", "linger", n.cfg.linger)
	select {
	case <-time.After(n.cfg.linger):
		return nil
	case err := <-n.fatal:
		return err
	}
}

// run serves until ctx ends or the node has to die, then stops everything.
func (n *node) run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- n.server.Serve(n.listener) }()
	background, cancel := context.WithCancel(context.Background())
	defer cancel()
	var housekeeping sync.WaitGroup
	housekeeping.Go(func() { n.expire(background) })
	housekeeping.Go(func() { n.sendWebhooks(background) })
	if n.keys != nil && n.members != nil {
		housekeeping.Go(func() { n.keys.Follow(background) })
	}
	housekeeping.Go(func() { n.forget(background) })
	if n.accesses != nil {
		housekeeping.Go(func() {
			n.accesses.run(background, func(err error) { n.log.Warn("lines of the access log are lost", "err", err) })
		})
	}
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	housekeeping.Go(func() { tendHeap(background, tick.C, n.held) })
	var err error
	select {
	case <-ctx.Done():
		if err := n.linger(); err != nil {
			return err
		}
		n.log.Info("draining")
	case err = <-served:
		err = fairfactor.Wrap(fairfactor.Internal, err, "the HTTP server stopped")
	case err := <-n.fatal:
		n.flight.Disown() // no turn is why
		return err
	}
	cancel()
	housekeeping.Wait()
	n.close()
	c := &n.system.Counters
	n.log.Info("stopped", "turns", c.Turns.Load(), "cpu", time.Duration(c.CPU.Load()), "halted", time.Duration(c.Unwanted.Load()),
		"ended", time.Duration(c.Ended.Load()), "spare", time.Duration(c.Spare.Load()), "moved", time.Duration(c.Moved.Load()), "unsaved", time.Duration(c.Unsaved.Load()), "broken", time.Duration(c.Broken.Load()))
	return err
}

// closeStore closes the store, unless ctx ends first.
func (n *node) closeStore(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- n.store.Close() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "the store could not be closed in time: what was acknowledged is safe")
	}
}

// close stops the parts from the outside in: no more requests, no more turns,
// no more actors, no more writes. Each of them has --drain for itself: one
// that takes all of its time takes nothing from those that follow.
func (n *node) close() {
	var errs []error
	step := func(do func(context.Context) error) bool {
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.drain)
		defer cancel()
		err := do(ctx)
		errs = append(errs, err)
		return err == nil
	}
	if n.server != nil {
		step(n.server.Shutdown)
	}
	n.draining.Store(true)
	if n.listener != nil {
		n.listener.Close()
	}
	if n.profiler != nil {
		n.profiler.Close()
	}
	if n.accesses != nil {
		errs = append(errs, n.accesses.Close())
	}
	if n.system != nil && n.cluster != nil {
		step(func(ctx context.Context) error { n.system.Drain(ctx); return nil })
		step(func(ctx context.Context) error { n.system.Save(ctx); return nil })
	}
	if n.cluster != nil {
		step(n.cluster.Stop)
		n.system.Stop()
		n.flight.Close()
	}
	if n.spansSent != nil {
		n.spansSent()
	}
	// A store must not be closed under a write. What waits for that is
	// not acknowledged; what was is in the log, and the next start finds it there.
	written := n.committer == nil || step(n.committer.Close)
	if n.store != nil && written {
		step(n.closeStore)
	}
	if err := errors.Join(errs...); err != nil {
		n.log.Warn("the node did not stop cleanly", "err", err)
	}
}
