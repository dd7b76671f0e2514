package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"fairfactor"
	"fairfactor/http/feed"
)

// Config is what a server needs from its node.
type Config struct {
	Jobs      fairfactor.Jobs // if it is a [fairfactor.Knowledge] too, /factors shows that
	Logger    *slog.Logger    // nil for none
	MaxDigits int             // longest number that is taken, in digits, 1 or more
	// Callbacks says why a callback can't have a URL, nil if it can; a nil Callbacks
	// takes none.
	Callbacks func(url string) error
	// Ready says why the node takes no jobs now, nil if it does; a nil Ready
	// means always.
	Ready func() error
	// Leaving says why /readyz turns balancers away from a node that still takes
	// jobs, nil if it doesn't; a nil Leaving means never.
	Leaving    func() error
	Gatherer   prometheus.Gatherer   // what /metrics shows; nil leaves /metrics out
	Registerer prometheus.Registerer // where the server's own metrics go; nil for nowhere
	// AnswerMemory bounds the bytes of long answers that are made and not taken yet, of
	// all connections; zero is [DefaultAnswerMemory].
	AnswerMemory int64
	Version      string // shown in the header Server

	// Keys are the API keys; nil asks for none.
	Keys *Keyring

	// TLS is what the server speaks instead of plain text, if it is not nil. Its
	// GetConfigForClient may answer each handshake with other certificates.
	TLS *tls.Config
	// Certificates are what clients may do that show a certificate which TLS has
	// verified, by its name. A key that a request has counts before it.
	Certificates []CertificateRole
	// Events is where the events of jobs come from; nil offers none.
	Events feed.Source

	// Submitted is told of each job with a trace that a submission made, when that came and
	// when it was answered; nil for nothing. It must not keep the job, nor wait.
	Submitted func(job *fairfactor.Job, begun, answered time.Time)

	// AccessLog gets one line of JSON for each request, each by one call of Write; nil
	// for none.
	AccessLog io.Writer

	// GroupBy says which group a new caller is put in.
	GroupBy GroupBy
	// TrustedProxies are the networks whose X-Forwarded-For, -Host and -Prefix
	// are believed.
	TrustedProxies []netip.Prefix
	// Hosts are names by which the node is asked for besides localhost, IP
	// addresses and names without a dot, which always pass: a name, .example.com
	// for all names below it, or * for any. See [CheckHost].
	Hosts []string
	// Origins are web pages that may use the API from other sites, written as
	// browsers write them: https://example.com, or * for any. See [CheckOrigin].
	Origins []string
	// BasePath is a path under which the API is offered too, /factor for one; it
	// begins the paths in Location. Empty for none. See [CheckBasePath].
	BasePath string
}

// DefaultAnswerMemory is the default of [Config.AnswerMemory], in bytes.
const DefaultAnswerMemory = 32 << 20

// Limits of requests. A client that breaks one gets an answer that says so.
const (
	maxHeadBytes      = 8 << 10  // request line and header; 431 above
	maxBodyBytes      = 64 << 10 // body of anything but a batch; 413 above
	maxRequestIDBytes = 128      // of an X-Request-Id that is sent back
	maxWait           = 60 * time.Second

	// maxCalls is enough for the largest group that a store writes at once, and
	// keeps the slowest of 10,000 requests within twice the mean.
	maxCalls = 1024
)

// limits are the bounds that a test needs to reach sooner.
type limits struct {
	connections int           // open at once; parked ones are closed above, then 503
	calls       int           // of Jobs at once, as many reads as writes; the others queue, see gate
	read        time.Duration // for head and body, from the first byte on
	park        time.Duration // without a request until a connection is parked
	idle        time.Duration // without a request until a parked connection is closed
	write       time.Duration // for an answer to be taken
	submit      time.Duration // for Jobs to answer anything but a wait
	grace       time.Duration // that a batch may let us wait; see patient
	batches     int           // open at once, each with a buffer of up to 64 KiB; 429 above
	brief       time.Duration // that a request may wait for a job on a worker; see poll
	look        time.Duration // between two looks for clients that have hung up
	heartbeat   time.Duration // without an event until a subscriber gets a comment
	answers     int64         // bytes of long answers that clients have not taken
	stuck       time.Duration // that a client may hold up others by not taking what it asked for, see budget
	queued      int           // events for one subscriber, then it is closed as too slow
	last        time.Duration // for a request to arrive whose client sent it before the shutdown
}

func defaultLimits() limits {
	return limits{
		connections: connectionLimit(), calls: maxCalls, read: 10 * time.Second, park: 2 * time.Second, idle: 90 * time.Second,
		write: 30 * time.Second, submit: 10 * time.Second, grace: 30 * time.Second, batches: 2048,
		brief: 10 * time.Millisecond, look: 500 * time.Millisecond,
		answers: DefaultAnswerMemory, stuck: time.Second, heartbeat: 15 * time.Second,
		last: 200 * time.Millisecond,
	}
}

// Server is the HTTP side of a node.
type Server struct {
	jobs      fairfactor.Jobs
	log       *slog.Logger
	maxDigits int
	limits    limits
	ready     func() error
	leaving   func() error
	gatherer  prometheus.Gatherer
	metrics   *metrics
	http      *fasthttp.Server
	name      string        // in the header Server
	batches   chan struct{} // one token for each open batch
	answers   budget
	now       func() time.Time
	random    func(n int64) int64 // below n, for spreading answers
	deadlines deadlines
	groupBy   GroupBy
	site      site
	polls     polls
	single    form                 // of a submission
	line      form                 // of a line of a batch
	keys      *Keyring             // nil asks for none
	knowledge fairfactor.Knowledge // nil if Jobs has none
	streams   polls                // of events, see stream
	feed      *feed.Hub            // nil if the node tells no events
	owners    owners
	tls       *tls.Config
	roles     []CertificateRole
	access    *accessLog                                           // nil for none
	submitted func(job *fairfactor.Job, begun, answered time.Time) // nil for nothing

	left atomic.Bool // see Leave

	mu     sync.Mutex   // guards what follows
	conns  *connections // nil before Serve
	closed bool
}

// New returns a server that is not yet serving.
func New(cfg Config) *Server { return newServer(cfg, defaultLimits()) }

func newServer(cfg Config, bounds limits) *Server {
	jobs := newGated(cfg.Jobs, bounds.calls, bounds.submit)
	s := &Server{
		jobs: jobs, log: cfg.Logger, maxDigits: cfg.MaxDigits, limits: bounds,
		ready: cfg.Ready, leaving: cfg.Leaving, gatherer: cfg.Gatherer, name: "fairfactor/" + cfg.Version,
		batches: make(chan struct{}, bounds.batches), now: time.Now, random: rand.Int64N, groupBy: cfg.GroupBy, keys: cfg.Keys, tls: cfg.TLS, roles: cfg.Certificates, submitted: cfg.Submitted,
		site: site{proxies: cfg.TrustedProxies, hosts: cfg.Hosts, origins: cfg.Origins, base: cfg.BasePath},
	}
	s.knowledge, _ = cfg.Jobs.(fairfactor.Knowledge)
	if cfg.AccessLog != nil {
		s.access = &accessLog{to: cfg.AccessLog}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.ready == nil {
		s.ready = func() error { return nil }
	}
	if s.leaving == nil {
		s.leaving = func() error { return nil }
	}
	s.answers.limit, s.answers.patience, s.answers.now = bounds.answers, bounds.stuck, s.now
	if cfg.AnswerMemory > 0 {
		s.answers.limit = cfg.AnswerMemory
	}
	s.deadlines.after = bounds.submit
	now, callbacks := func() time.Time { return s.now() }, cfg.Callbacks
	if callbacks == nil {
		callbacks = func(string) error { return fairfactor.Errorf(fairfactor.Invalid, "this node calls no webhooks") }
	}
	s.single = form{what: "body", maxDigits: cfg.MaxDigits, also: alsoSingle, now: now, callbacks: callbacks}
	s.line = form{what: "line", maxDigits: cfg.MaxDigits, also: alsoLine, now: now, callbacks: callbacks}
	s.polls.begin()
	s.streams.begin()
	s.openFeed(cfg.Events)
	if s.keys != nil {
		s.keys.onChange(func() {
			s.polls.giveRevoked(s.stillKnown)
			s.streams.giveRevoked(s.stillKnown)
		})
	}
	s.http = &fasthttp.Server{
		Handler:                      s.handle,
		ErrorHandler:                 s.unreadable,
		Name:                         s.name,
		Logger:                       quietLogger{s.log},
		ConnState:                    connState,
		Concurrency:                  bounds.connections + 1, // connections keeps the bound, and conn its deadlines
		ReadBufferSize:               maxHeadBytes,
		MaxRequestBodySize:           maxBodyBytes,
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		CloseOnShutdown:              true,
		NoDefaultContentType:         true,
	}
	s.metrics = newMetrics(cfg.Registerer, s.connections, s.polls.count, s.streams.count, jobs, func() *feed.Hub { return s.feed })
	s.answers.show(cfg.Registerer)
	return s
}

// Serve answers requests that come in through ln, and returns nil after
// Shutdown. It owns ln, and may be called once.
func (s *Server) Serve(ln net.Listener) error {
	l := newConnections(ln, s.limits, &s.answers, s.log)
	l.tls, l.roles = s.tls, s.roles
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.conns = l
	s.mu.Unlock()
	accepted := make(chan error, 1)
	go func() { accepted <- l.accept() }()
	for _, all := range []patients{&s.polls, &s.streams, &s.answers} {
		go watch(all, s.limits.look, l.done)
	}
	if s.feed != nil {
		go s.feed.Run(s.streams.running)
	}
	err := s.http.Serve(l)
	l.Close()
	return errors.Join(err, <-accepted)
}

// Leave has each answer from now on end its connection, so that clients which keep
// theirs open have none left at this node when it shuts down: a request that arrives on
// a connection just as that is closed would be lost.
func (s *Server) Leave() { s.left.Store(true) }

// Shutdown ends long polls at once with the jobs as they are, and
// streams of events with one that says so. It answers what clients have sent already,
// also on connections that were not accepted yet, stops accepting,
// and returns when all other running requests are answered. When ctx ends
// before that, their connections are closed and the error is ctx's.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Leave()
	s.mu.Lock()
	s.closed = true
	l := s.conns
	s.mu.Unlock()
	s.polls.end()
	s.streams.end()
	if l == nil {
		return nil
	}
	l.retire(ctx)
	l.Close()
	err := s.http.ShutdownWithContext(ctx)
	if err == nil {
		err = s.polls.wait(ctx)
	}
	if err == nil {
		err = s.streams.wait(ctx)
	}
	if err != nil {
		l.closeAll()
		return fmt.Errorf("shutting down the HTTP server: %w", err)
	}
	return nil
}

// connections is nil before Serve.
func (s *Server) connections() *connections {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}
