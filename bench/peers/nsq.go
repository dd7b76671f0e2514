package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/nsqio/go-nsq"
	"github.com/nsqio/nsq/nsqd"
	"github.com/redis/go-redis/v9"

	"fairfactor/bench/internal/harness"
)

// nsqPeer is NSQ for the way to the workers and Redis for the jobs: a hash for each,
// written before the number is published and again with its result.
type nsqPeer struct {
	redis          *redisServer
	broker, worker *process
	producers      []*nsq.Producer
	senders        int
	round          int
}

// Names in NSQ and Redis, and how many connections publish.
const (
	nsqTopic    = "numbers"
	nsqChannel  = "workers"
	doneCounter = "done"
	publishers  = 4
)

func (p *nsqPeer) start(ctx context.Context, h *harness.Harness, handlers int) (err error) {
	if p.redis, err = startRedis(ctx, h); err != nil {
		return err
	}
	var addr string
	if p.broker, addr, err = launchSelf(ctx, "nsqd", h.Folder()); err != nil {
		return err
	}
	for range publishers {
		producer, err := nsq.NewProducer(addr, nsq.NewConfig())
		if err != nil {
			return err
		}
		producer.SetLogger(log.New(io.Discard, "", 0), nsq.LogLevelError)
		p.producers = append(p.producers, producer)
	}
	p.worker, err = launchWorker(ctx, "nsq-worker", handlers, addr, p.redis.addr)
	return err
}

func (p *nsqPeer) begin(ctx context.Context, round, _ int) error {
	p.round = round
	return p.redis.client.Set(ctx, doneCounter, 0, 0).Err()
}

func (p *nsqPeer) key(i int) string { return fmt.Sprintf("job:%d-%d", p.round, i) }

func (p *nsqPeer) sender() func(context.Context, int, string) error {
	producer := p.producers[p.senders%publishers]
	p.senders++
	return func(ctx context.Context, i int, number string) error {
		key := p.key(i)
		if err := p.redis.client.HSet(ctx, key, "status", "pending", "number", number).Err(); err != nil {
			return err
		}
		return producer.Publish(nsqTopic, []byte(key+" "+number))
	}
}

func (p *nsqPeer) done(ctx context.Context) (int, error) {
	return p.redis.client.Get(ctx, doneCounter).Int()
}

func (p *nsqPeer) result(ctx context.Context, i int) (string, error) {
	return p.redis.client.HGet(ctx, p.key(i), "result").Result()
}

func (p *nsqPeer) close() {
	p.worker.kill()
	for _, producer := range p.producers {
		producer.Stop()
	}
	p.broker.kill()
	p.redis.close()
}

// serveNSQ is nsqd with its data in a folder.
func serveNSQ(ctx context.Context, args []string, out io.Writer) error {
	options := nsqd.NewOptions()
	options.TCPAddress, options.HTTPAddress, options.HTTPSAddress = "127.0.0.1:0", "127.0.0.1:0", ""
	options.DataPath, options.LogLevel = strings.Join(args, ""), nsqd.LOG_ERROR
	if err := makeFolder(options.DataPath); err != nil {
		return err
	}
	server, err := nsqd.New(options)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Main() }()
	defer server.Exit()
	go serving(ctx, out, server.RealTCPAddr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// nsqWorker takes numbers from an nsqd and writes results to a Redis.
func nsqWorker(ctx context.Context, args []string, out io.Writer) error {
	handlers, err := handlersOf(args)
	if err != nil {
		return err
	}
	store := redis.NewClient(&redis.Options{Addr: args[1], PoolSize: conns})
	defer store.Close()
	config := nsq.NewConfig()
	config.MaxInFlight = handlers
	consumer, err := nsq.NewConsumer(nsqTopic, nsqChannel, config)
	if err != nil {
		return err
	}
	consumer.SetLogger(log.New(io.Discard, "", 0), nsq.LogLevelError)
	var h handler
	consumer.AddConcurrentHandlers(nsq.HandlerFunc(func(m *nsq.Message) error {
		key, number, _ := strings.Cut(string(m.Body), " ")
		factors, err := h.factors(number)
		if err != nil {
			return err
		}
		_, err = store.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, key, "status", "completed", "result", factors)
			p.Incr(ctx, doneCounter)
			return nil
		})
		return err
	}), handlers)
	if err := consumer.ConnectToNSQD(args[0]); err != nil {
		return err
	}
	defer consumer.Stop()
	return serving(ctx, out, "ready")
}
