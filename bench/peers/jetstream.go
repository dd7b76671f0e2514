package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"fairfactor/bench/internal/harness"
)

// jetStreamPeer is NATS JetStream: a stream of jobs from which workers take, and a
// stream of results, both in files that are not synced.
type jetStreamPeer struct {
	broker, worker *process
	conns          []*nats.Conn
	streams        []jetstream.JetStream
	senders        int
	round          int
	before         int // results of earlier rounds
}

// Names of the streams, and how long files may go without a sync.
const (
	jobStream    = "JOBS"
	resultStream = "RESULTS"
	neverSync    = 24 * time.Hour
)

func (p *jetStreamPeer) start(ctx context.Context, h *harness.Harness, handlers int) error {
	broker, addr, err := launchSelf(ctx, "nats-server", h.Folder())
	if err != nil {
		return err
	}
	p.broker = broker
	for range publishers {
		conn, js, err := connectNATS(addr)
		if err != nil {
			return err
		}
		p.conns, p.streams = append(p.conns, conn), append(p.streams, js)
	}
	for _, config := range []jetstream.StreamConfig{
		{Name: jobStream, Subjects: []string{"jobs.>"}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage},
		{Name: resultStream, Subjects: []string{"results.>"}, Storage: jetstream.FileStorage},
	} {
		if _, err := p.streams[0].CreateStream(ctx, config); err != nil {
			return err
		}
	}
	p.worker, err = launchWorker(ctx, "jetstream-worker", handlers, addr)
	return err
}

func connectNATS(addr string) (*nats.Conn, jetstream.JetStream, error) {
	conn, err := nats.Connect("nats://" + addr)
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	return conn, js, err
}

func (p *jetStreamPeer) begin(ctx context.Context, round, _ int) (err error) {
	p.round = round
	p.before, err = p.results(ctx)
	return err
}

func (p *jetStreamPeer) sender() func(context.Context, int, string) error {
	js := p.streams[p.senders%publishers]
	p.senders++
	return func(ctx context.Context, i int, number string) error {
		_, err := js.Publish(ctx, fmt.Sprintf("jobs.%d-%d", p.round, i), []byte(number))
		return err
	}
}

// results is the size of the stream of results.
func (p *jetStreamPeer) results(ctx context.Context) (int, error) {
	stream, err := p.streams[0].Stream(ctx, resultStream)
	if err != nil {
		return 0, err
	}
	return int(stream.CachedInfo().State.Msgs), nil
}

func (p *jetStreamPeer) done(ctx context.Context) (int, error) {
	n, err := p.results(ctx)
	return n - p.before, err
}

func (p *jetStreamPeer) result(ctx context.Context, i int) (string, error) {
	stream, err := p.streams[0].Stream(ctx, resultStream)
	if err != nil {
		return "", err
	}
	m, err := stream.GetLastMsgForSubject(ctx, fmt.Sprintf("results.%d-%d", p.round, i))
	if err != nil {
		return "", err
	}
	return string(m.Data), nil
}

func (p *jetStreamPeer) close() {
	p.worker.kill()
	for _, c := range p.conns {
		c.Close()
	}
	p.broker.kill()
}

// serveNATS is a nats-server with JetStream in a folder.
func serveNATS(ctx context.Context, args []string, out io.Writer) error {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: strings.Join(args, ""), SyncInterval: neverSync,
		NoLog: true, NoSigs: true,
	})
	if err != nil {
		return err
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(startTime) {
		return fmt.Errorf("nats-server is not ready after %v", startTime)
	}
	return serving(ctx, out, s.Addr().String())
}

// jetStreamWorker takes jobs from a nats-server. A job is acknowledged when its
// result is stored.
func jetStreamWorker(ctx context.Context, args []string, out io.Writer) error {
	handlers, err := handlersOf(args)
	if err != nil {
		return err
	}
	conn, js, err := connectNATS(args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	consumer, err := js.CreateConsumer(ctx, jobStream, jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 16 * conns})
	if err != nil {
		return err
	}
	jobs := make(chan jetstream.Msg, conns)
	var h handler
	for range handlers {
		go func() {
			for m := range jobs {
				if err := h.serveMessage(ctx, js, m); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}
		}()
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) { jobs <- m }, jetstream.PullMaxMessages(8*conns))
	if err != nil {
		return err
	}
	defer consuming.Stop()
	return serving(ctx, out, "ready")
}

// serveMessage factors the number of a message.
func (h *handler) serveMessage(ctx context.Context, js jetstream.JetStream, m jetstream.Msg) error {
	factors, err := h.factors(string(m.Data()))
	if err != nil {
		return err
	}
	if _, err := js.Publish(ctx, "results."+strings.TrimPrefix(m.Subject(), "jobs."), []byte(factors)); err != nil {
		return err
	}
	return m.Ack()
}
