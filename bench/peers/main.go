// Command peers compares fairfactor with job queues and message brokers that are
// used for the same purpose: completed jobs a second with the same handler, the
// factoring engine, and the same pattern of submitting. It is a module of its own, so
// that the clients of other systems are no dependency of fairfactor.
//
// Each system has its servers, private and on loopback, one worker process that runs
// the handler, and this process, which submits. They take turns. Start reading at
// [peer] and [comparison].
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main without the process. With the name of a role as its first argument it
// is a worker or a server of one system, which [launchSelf] starts.
func run(ctx context.Context, args []string, out, progress io.Writer) int {
	if len(args) > 0 {
		if role := roles[args[0]]; role != nil {
			if err := role(ctx, args[1:], out); err != nil && ctx.Err() == nil {
				fmt.Fprintf(progress, "peers: %s: %v\n", args[0], err)
				return 1
			}
			return 0
		}
	}
	return comparison.Run(ctx, args, out, progress)
}

// role is what another process of this program does until ctx ends. It says when it
// is ready, in a line.
type role func(ctx context.Context, args []string, out io.Writer) error

// roles are the processes that this program can be.
var roles = map[string]role{
	"asynq-worker":     asynqWorker,
	"nsqd":             serveNSQ,
	"nsq-worker":       nsqWorker,
	"river-worker":     riverWorker,
	"nats-server":      serveNATS,
	"jetstream-worker": jetStreamWorker,
}
