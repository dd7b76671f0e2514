package http

import (
	"net/http"

	"github.com/prometheus/common/expfmt"
	"github.com/valyala/fasthttp"
)

// getFairness shows the scheduler's account of its promise.
func (s *Server) getFairness(ctx *fasthttp.RequestCtx, _ string) error {
	call := s.bounded()
	f, err := s.jobs.Fairness(call)
	if err != nil {
		return err
	}
	buf := acquireScratch()
	defer buf.release()
	buf.out = append(appendFairness(buf.out, &f), '\n')
	answerJSON(ctx, buf.out)
	return nil
}

// getNodes shows the members of the cluster and what their workers do.
func (s *Server) getNodes(ctx *fasthttp.RequestCtx, _ string) error {
	call := s.bounded()
	nodes, err := s.jobs.Nodes(call)
	if err != nil {
		return err
	}
	buf := acquireScratch()
	defer buf.release()
	buf.out = append(buf.out, `{"nodes":[`...)
	for i := range nodes {
		if i > 0 {
			buf.out = append(buf.out, ',')
		}
		buf.out = appendNode(buf.out, &nodes[i])
	}
	buf.out = append(buf.out, ']', '}', '\n')
	answerJSON(ctx, buf.out)
	return nil
}

// getLive says that the process answers.
func (s *Server) getLive(ctx *fasthttp.RequestCtx, _ string) error {
	answerJSON(ctx, []byte("{\"status\":\"alive\"}\n"))
	return nil
}

// getReady says whether the node takes jobs and is to get more of them.
func (s *Server) getReady(ctx *fasthttp.RequestCtx, _ string) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	if err := s.leaving(); err != nil {
		return asNotNow(err)
	}
	answerJSON(ctx, []byte("{\"status\":\"ready\"}\n"))
	return nil
}

// getMetrics shows the node's metrics to Prometheus. What can't be gathered is
// left out and logged: the rest is still worth having.
func (s *Server) getMetrics(ctx *fasthttp.RequestCtx, _ string) error {
	if s.gatherer == nil {
		return refuse(noSuchThing, "this node keeps no metrics")
	}
	families, err := s.gatherer.Gather()
	if err != nil {
		s.log.Warn("some metrics can't be gathered", "err", err)
	}
	format := expfmt.NegotiateAccept(http.Header{"Accept": {string(ctx.Request.Header.Peek("Accept"))}}, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	ctx.Response.Header.SetContentType(string(format))
	ctx.Response.Header.Set("Cache-Control", "no-store")
	encoder := expfmt.NewEncoder(ctx, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	if closer, ok := encoder.(expfmt.Closer); ok {
		return closer.Close()
	}
	return nil
}

// getOpenAPI gives the description of the API.
func (s *Server) getOpenAPI(ctx *fasthttp.RequestCtx, _ string) error {
	ctx.Response.Header.SetContentType(mediaJSON)
	ctx.Response.Header.Set("Cache-Control", "no-cache")
	ctx.SetBody(openAPI)
	return nil
}

// pagePolicy lets the page run its own script and style and talk to its node,
// and nothing else. They are part of the page, which holds no text of others.
const pagePolicy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// getPage gives the web page.
func (s *Server) getPage(ctx *fasthttp.RequestCtx, _ string) error {
	h := &ctx.Response.Header
	h.SetContentType("text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	ctx.SetBody(page)
	return nil
}
