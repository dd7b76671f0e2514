package main

import (
	"context"

	"fairfactor/http/otlp"
)

// startSpans begins to send spans, if a collector is named.
func (n *node) startSpans() (err error) {
	if n.cfg.otlp == "" {
		return nil
	}
	if n.spans, err = otlp.New(otlp.Config{Endpoint: n.cfg.otlp, Version: version, Node: n.cfg.node, Logger: n.log}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		n.spans.Run(ctx)
	}()
	n.spansSent = func() { cancel(); <-sent }
	return nil
}
