package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

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
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := httpd.NewClient(address)
			if err != nil {
				return err
			}
			return askReady(cmd.Context(), client, timeout)
		},
	}
	cmd.Flags().StringVar(&address, "url", "http://127.0.0.1:5555", "URL of a node")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait for the node to take jobs; 0 asks once")
	return withEnv(cmd)
}

// askReady asks until the node takes jobs or the time is up.
func askReady(ctx context.Context, client *httpd.Client, timeout time.Duration) error {
	const once = 5 * time.Second
	over := time.Now().Add(timeout)
	for {
		question, cancel := context.WithTimeout(ctx, max(once, time.Until(over)))
		err := client.Ready(question)
		cancel()
		if err == nil || ctx.Err() != nil || time.Now().Add(readyPause).After(over) {
			return err
		}
		select {
		case <-time.After(readyPause):
		case <-ctx.Done():
		}
	}
}
