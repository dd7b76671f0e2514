package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"

	"github.com/valyala/fasthttp"
)

// handle answers one request.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	r := acquireRequest(ctx)
	defer r.release()
	r.res, r.method, r.arg = match(s.site.below(ctx.URI().PathOriginal()), ctx.Method())
	if err := s.do(r); err != nil {
		s.answerError(&ctx.Response, string(ctx.Method()), string(ctx.URI().PathOriginal()), err)
	}
	if ctx.Hijacked() {
		return // a poll, which will answer
	}
	s.finish(&ctx.Response, mannersOf(r))
	s.count(ctx)
	now := s.now()
	s.metrics.observe(r.res, r.method, ctx.Response.StatusCode(), now.Sub(ctx.Time()))
	s.audit(r)
	if s.access != nil {
		v := s.seenOf(r)
		s.access.write(&v, ctx.Response.StatusCode(), bodySize(&ctx.Response), now)
	}
}

// count counts a long answer that is made already in the budget, until it is taken.
func (s *Server) count(ctx *fasthttp.RequestCtx) {
	if ctx.Response.IsBodyStream() {
		return
	}
	if c, ok := ctx.Conn().(*conn); ok {
		c.has(len(ctx.Response.Body()))
	}
}

// bodySize is the length of an answer's body, -1 if that is sent as it is made.
func bodySize(resp *fasthttp.Response) int {
	if resp.IsBodyStream() {
		return -1
	}
	return len(resp.Body())
}

// do runs an endpoint and turns a panic into an error: fasthttp would let it
// end the node.
func (s *Server) do(r *request) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = panicked(fault)
		}
	}()
	ctx, res, m := r.ctx, r.res, r.method
	if err := s.site.admits(r, m); err != nil {
		return err
	}
	if res == nil {
		return refuse(noSuchThing, "nothing is at this path: GET /openapi.json lists the paths", shown("path", string(ctx.URI().PathOriginal())))
	}
	if m == optionsMethod {
		s.site.options(r, res)
		return nil
	}
	e := &res.endpoints[m]
	if e.answer == nil {
		ctx.Response.Header.Set("Allow", res.allow)
		return refuse(wrongMethod, fmt.Sprintf("%.40q is not allowed here: this path allows %s", ctx.Method(), res.allow), shown("method", string(ctx.Method())), fact{name: "allow", text: res.allow})
	}
	if err := s.authorise(r, &e.access); err != nil {
		return err
	}
	r.allowed = true
	if err := e.checkParameters(ctx); err != nil {
		return err
	}
	return e.answer(s, r)
}

func panicked(fault any) error { return fmt.Errorf("panic: %v\n%s", fault, debug.Stack()) }

// checkParameters refuses parameters that the endpoint does not know: a typo in
// the name of a filter must not look like a filter that finds everything.
func (e *endpoint) checkParameters(ctx *fasthttp.RequestCtx) error {
	if len(ctx.URI().QueryString()) == 0 || e.anyParameters {
		return nil
	}
	for name := range ctx.QueryArgs().All() {
		if !e.knows(string(name)) {
			known := "no parameters"
			if len(e.parameters) > 0 {
				known = strings.Join(e.parameters, ", ")
			}
			return refuse(badRequest, fmt.Sprintf("there is no parameter %.40q here: this path takes %s", name, known), shown("parameter", string(name)))
		}
	}
	return nil
}

// answerError answers with the problem that err is, and logs what is our fault.
func (s *Server) answerError(resp *fasthttp.Response, method, path string, err error) {
	p := problemOf(err)
	if p.kind == broken {
		s.log.Error("a request failed", "method", method, "path", path, "err", err)
	}
	p.answer(resp)
}

// unreadable answers what is not a request that can be handled.
func (s *Server) unreadable(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	var p *problem
	switch {
	case errors.As(err, &small):
		p = refuse(headTooLarge, fmt.Sprintf("the request line and the header have more than %d bytes: send fewer or shorter fields", maxHeadBytes), count("max_bytes", maxHeadBytes))
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = bodyTooLarge()
	case errors.As(err, &network) && network.Timeout():
		p = tooSlowly()
	default:
		p = refuse(badRequest, "this is not an HTTP request")
	}
	p.answer(&ctx.Response)
	s.metrics.observe(nil, 0, p.status(), 0)
}

// quietLogger takes what fasthttp says of broken connections, which strangers
// can cause as often as they like.
type quietLogger struct{ log *slog.Logger }

func (l quietLogger) Printf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("a connection failed", "err", fmt.Sprintf(format, args...))
	}
}
