package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/hibiken/asynq"

	"fairfactor/bench/internal/harness"
)

// asynqPeer is asynq on Redis: one task for each job, its result kept with it.
type asynqPeer struct {
	redis     *redisServer
	worker    *process
	client    *asynq.Client
	inspector *asynq.Inspector
	round     int
	before    int // completed in earlier rounds
}

// kept is how long completed tasks are kept, for their results.
const kept = time.Hour

func (p *asynqPeer) start(ctx context.Context, h *harness.Harness, handlers int) (err error) {
	if p.redis, err = startRedis(ctx, h); err != nil {
		return err
	}
	at := asynq.RedisClientOpt{Addr: p.redis.addr, PoolSize: conns}
	p.client, p.inspector = asynq.NewClient(at), asynq.NewInspector(at)
	p.worker, err = launchWorker(ctx, "asynq-worker", handlers, p.redis.addr)
	return err
}

func (p *asynqPeer) begin(ctx context.Context, round, _ int) (err error) {
	p.round = round
	p.before, err = p.completed(ctx)
	return err
}

func (p *asynqPeer) id(i int) string { return fmt.Sprintf("%d-%d", p.round, i) }

func (p *asynqPeer) sender() func(context.Context, int, string) error {
	return func(ctx context.Context, i int, number string) error {
		_, err := p.client.EnqueueContext(ctx, asynq.NewTask("factor", []byte(number)), asynq.TaskID(p.id(i)), asynq.Retention(kept))
		return err
	}
}

// completed is the size of asynq's set of completed tasks.
func (p *asynqPeer) completed(ctx context.Context) (int, error) {
	n, err := p.redis.client.ZCard(ctx, "asynq:{default}:completed").Result()
	return int(n), err
}

func (p *asynqPeer) done(ctx context.Context) (int, error) {
	n, err := p.completed(ctx)
	return n - p.before, err
}

func (p *asynqPeer) result(_ context.Context, i int) (string, error) {
	task, err := p.inspector.GetTaskInfo("default", p.id(i))
	if err != nil {
		return "", err
	}
	return string(task.Result), nil
}

func (p *asynqPeer) close() {
	p.worker.kill()
	if p.client != nil {
		p.client.Close()
		p.inspector.Close()
	}
	p.redis.close()
}

// asynqWorker runs tasks from the Redis at an address.
func asynqWorker(ctx context.Context, args []string, out io.Writer) error {
	handlers, err := handlersOf(args)
	if err != nil {
		return err
	}
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: args[0], PoolSize: conns}, asynq.Config{Concurrency: handlers, LogLevel: asynq.ErrorLevel})
	var h handler
	err = server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		factors, err := h.factors(string(t.Payload()))
		if err != nil {
			return err
		}
		_, err = t.ResultWriter().Write([]byte(factors))
		return err
	}))
	if err != nil {
		return err
	}
	defer server.Shutdown()
	return serving(ctx, out, "ready")
}
