package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"fairfactor"
)

// Config is what a server needs from its node.
type Config struct {
	Jobs      fairfactor.Jobs
	Logger    *slog.Logger // nil for none
	MaxDigits int          // longest number that is taken, in digits, 1 or more
	// Ready says why the node takes no jobs now, nil if it does; a nil Ready
	// means always.
	Ready func() error
	// Leaving says why /readyz turns balancers away from a node that still takes
	// jobs, nil if it doesn't; a nil Leaving means never.
	Leaving    func() error
	Gatherer   prometheus.Gatherer   // what /metrics shows; nil leaves /metrics out
	Registerer prometheus.Registerer // where the server's own metrics go; nil for nowhere
	Version    string                // shown in the header Server
}

// Limits of requests. A client that breaks one gets an answer that says so.
const (
	maxHeadBytes      = 8 << 10  // request line and header; 431 above
	maxBodyBytes      = 64 << 10 // body of anything but a batch; 413 above
	maxRequestIDBytes = 128      // of an X-Request-Id that is sent back
	maxWait           = 60 * time.Second
)

// limits are the bounds that a test needs to reach sooner.
type limits struct {
	connections int           // open at once; parked ones are closed above, then 503
	read        time.Duration // for head and body, from the first byte on
	park        time.Duration // without a request until a connection is parked; see lot
	idle        time.Duration // without a request until a parked connection is closed
	write       time.Duration // for an answer to be taken
	submit      time.Duration // for Jobs to answer anything but a wait
	grace       time.Duration // that a batch may let us wait; see patient
	batches     int           // open at once, each with a buffer of up to 64 KiB; 429 above
}

func defaultLimits() limits {
	return limits{
		connections: connectionLimit(), read: 10 * time.Second, park: 2 * time.Second, idle: 90 * time.Second,
		write: 30 * time.Second, submit: 10 * time.Second, grace: 30 * time.Second, batches: 2048,
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
	batches   chan struct{} // one token for each open batch
	now       func() time.Time
	deadlines deadlines

	// polls is what long polls wait under: it ends when Shutdown begins.
	polls    context.Context
	endPolls context.CancelFunc

	mu     sync.Mutex // guards what follows
	lot    *lot       // nil before Serve
	closed bool
}

// New returns a server that is not yet serving.
func New(cfg Config) *Server { return newServer(cfg, defaultLimits()) }

func newServer(cfg Config, bounds limits) *Server {
	s := &Server{
		jobs: cfg.Jobs, log: cfg.Logger, maxDigits: cfg.MaxDigits, limits: bounds, ready: cfg.Ready, leaving: cfg.Leaving,
		gatherer: cfg.Gatherer, batches: make(chan struct{}, bounds.batches), now: time.Now,
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
	s.deadlines.after = bounds.submit
	s.polls, s.endPolls = context.WithCancel(context.Background())
	s.http = &fasthttp.Server{
		Handler:                      s.handle,
		ErrorHandler:                 s.unreadable,
		Name:                         "fairfactor/" + cfg.Version,
		Logger:                       quietLogger{s.log},
		ConnState:                    connState,
		Concurrency:                  bounds.connections + 1, // the lot keeps the bound
		ReadBufferSize:               maxHeadBytes,
		MaxRequestBodySize:           maxBodyBytes,
		ReadTimeout:                  bounds.read,
		WriteTimeout:                 bounds.write,
		IdleTimeout:                  bounds.park,
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		CloseOnShutdown:              true,
		NoDefaultContentType:         true,
	}
	s.metrics = newMetrics(cfg.Registerer, s.currentLot)
	return s
}

// Serve answers requests that come in through ln, and returns nil after
// Shutdown. It owns ln, and may be called once.
func (s *Server) Serve(ln net.Listener) error {
	l := newLot(ln, s.limits, s.log)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.lot = l
	s.mu.Unlock()
	filled := make(chan error, 1)
	go func() { filled <- l.fill() }()
	err := s.http.Serve(l)
	l.Close()
	return errors.Join(err, <-filled)
}

// Shutdown stops accepting, ends long polls at once with the jobs as they are,
// and returns when all other running requests are answered. When ctx ends
// before that, their connections are closed and the error is ctx's.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	l := s.lot
	s.mu.Unlock()
	s.endPolls()
	if l == nil {
		return nil
	}
	l.Close()
	if err := s.http.ShutdownWithContext(ctx); err != nil {
		l.closeAll()
		return fmt.Errorf("shutting down the HTTP server: %w", err)
	}
	return nil
}

// currentLot is nil before Serve.
func (s *Server) currentLot() *lot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lot
}

// handle answers one request.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	begun := s.now()
	r, m, arg := match(ctx.URI().PathOriginal(), ctx.Method())
	echoRequestID(ctx)
	if err := s.do(ctx, r, m, arg); err != nil {
		s.answerError(ctx, err)
	}
	if s.polls.Err() != nil {
		ctx.SetConnectionClose() // the server is shutting down
	}
	s.metrics.observe(r, m, ctx.Response.StatusCode(), s.now().Sub(begun))
}

// do runs an endpoint and turns a panic into an error: fasthttp would let it
// end the node.
func (s *Server) do(ctx *fasthttp.RequestCtx, r *resource, m method, arg string) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
		}
	}()
	if r == nil {
		return refuse(noSuchThing, "there is nothing at this path: GET /openapi.json lists what there is", shown("path", string(ctx.URI().PathOriginal())))
	}
	if m == optionsMethod {
		return options(ctx, r)
	}
	if r.endpoints[m] == nil {
		ctx.Response.Header.Set("Allow", r.allow)
		return refuse(wrongMethod, "this path allows "+r.allow, shown("method", string(ctx.Method())), fact{name: "allow", text: r.allow})
	}
	return r.endpoints[m](s, ctx, arg)
}

// answerError answers with the problem that err is, and logs what is our fault.
func (s *Server) answerError(ctx *fasthttp.RequestCtx, err error) {
	p := problemOf(err)
	if p.kind == broken {
		s.log.Error("a request failed", "method", string(ctx.Method()), "path", string(ctx.URI().PathOriginal()), "err", err)
	}
	p.answer(ctx)
}

// unreadable answers what is not a request that can be handled.
func (s *Server) unreadable(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	var p *problem
	switch {
	case errors.As(err, &small):
		p = refuse(headTooLarge, "the request line and the header together are too long", count("max_bytes", maxHeadBytes))
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = refuse(tooLarge, "the body is too long", count("max_bytes", maxBodyBytes))
	case errors.As(err, &network) && network.Timeout():
		p = tooSlowly()
	default:
		p = refuse(badRequest, "this is not an HTTP request")
	}
	p.answer(ctx)
	s.metrics.observe(nil, 0, p.status(), 0)
}

// echoRequestID sends back a client's name for its request, if it is one that
// can stand in a log: 1 to 128 visible ASCII characters.
func echoRequestID(ctx *fasthttp.RequestCtx) {
	id := ctx.Request.Header.Peek("X-Request-Id")
	if len(id) == 0 || len(id) > maxRequestIDBytes {
		return
	}
	for _, c := range id {
		if c <= ' ' || c > '~' {
			return
		}
	}
	ctx.Response.Header.SetBytesV("X-Request-Id", id)
}

// quietLogger takes what fasthttp says of broken connections, which is what
// strangers can cause as often as they like.
type quietLogger struct{ log *slog.Logger }

func (l quietLogger) Printf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("a connection failed", "err", fmt.Sprintf(format, args...))
	}
}
