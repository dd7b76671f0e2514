package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
	httpd "fairfactor/http"
)

// readyPause is the time between two questions of ready.
const readyPause = 100 * time.Millisecond

// newReady is the health check of containers, which have no other program, and
// what a script waits with.
func newReady(streams) *cobra.Command {
	var address string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "ready",
		Short:   "Ask whether a node takes jobs; the exit status is the answer",
		Example: `  fairfactor ready --timeout 30s && fairfactor submit 91`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := httpd.NewClient(address)
			if err != nil {
				return err
			}
			return away(askReady(cmd.Context(), client, timeout))
		},
	}
	addURL(cmd, &address)
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait for the node to take jobs; 0 asks once")
	return withStatuses(withEnv(cmd), "0  the node takes jobs", statusError, statusUsage, statusTimedOut, statusNodeAway)
}

// askReady asks until the node takes jobs or the time is up.
func askReady(ctx context.Context, client *httpd.Client, timeout time.Duration) error {
	const once = 5 * time.Second
	over := time.Now().Add(timeout)
	for {
		question, cancel := context.WithTimeout(ctx, max(once, time.Until(over)))
		err := client.Ready(question)
		cancel()
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case timeout > 0 && time.Now().Add(readyPause).After(over):
			return &exit{exitTimedOut, fairfactor.Errorf(fairfactor.Unavailable, "timed out after %v: %s", timeout, fairfactor.MessageOf(err))}
		case timeout <= 0:
			return err
		}
		select {
		case <-time.After(readyPause):
		case <-ctx.Done():
		}
	}
}
