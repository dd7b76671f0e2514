package http

import (
	"net/http"

	"github.com/prometheus/common/expfmt"
)

// getFairness shows the scheduler's account of its promise.
func (s *Server) getFairness(r *request) error {
	f, err := s.jobs.Fairness(s.bounded())
	if err != nil {
		return err
	}
	return answerValue(&r.ctx.Response, fairnessOf(&f))
}

// getNodes shows the members of the cluster and what their workers do.
func (s *Server) getNodes(r *request) error {
	nodes, err := s.jobs.Nodes(s.bounded())
	if err != nil {
		return err
	}
	cluster := nodesAnswer{Nodes: make([]nodeAnswer, len(nodes))}
	for i := range nodes {
		cluster.Nodes[i] = nodeOf(&nodes[i])
	}
	return answerValue(&r.ctx.Response, cluster)
}

// getLive says that the process answers.
func (s *Server) getLive(r *request) error {
	return answerValue(&r.ctx.Response, statusAnswer{"alive"})
}

// getReady says whether the node takes jobs and wants more of them.
func (s *Server) getReady(r *request) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	if err := s.leaving(); err != nil {
		return asNotNow(err)
	}
	return answerValue(&r.ctx.Response, statusAnswer{"ready"})
}

// getMetrics shows the node's metrics to Prometheus. What can't be gathered is
// left out and logged: the rest is still worth having.
func (s *Server) getMetrics(r *request) error {
	if s.gatherer == nil {
		return refuse(noSuchThing, "this node keeps no metrics")
	}
	families, err := s.gatherer.Gather()
	if err != nil {
		s.log.Warn("some metrics can't be gathered", "err", err)
	}
	format := expfmt.NegotiateAccept(http.Header{"Accept": {string(r.ctx.Request.Header.Peek("Accept"))}}, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	r.ctx.Response.Header.SetContentType(string(format))
	r.ctx.Response.Header.Set("Cache-Control", "no-store")
	encoder := expfmt.NewEncoder(r.ctx, format)
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
