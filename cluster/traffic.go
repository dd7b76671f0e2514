package cluster

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Bounds of the traffic between members.
const (
	// maxReceive is the largest batch that a member accepts, in bytes. With gRPC's
	// default of 4 MB protoactor's batches can vanish silently.
	maxReceive = 32 << 20
	// maxBatch is how many messages protoactor puts into one batch.
	maxBatch = 256
	// writerQueue is the initial length of the queue to a member; it grows.
	// protoactor's default, a million, takes 16 MB for each member.
	writerQueue = 1024
)

// traffic returns how protoactor's remote listens at e and reaches others. While
// blocks is held no new stream is admitted.
func traffic(e endpoint, cfg Config, blocks *sync.RWMutex, breaks *breaks) *remote.Config {
	timing, log, creds := cfg.Timing, cfg.Logger, credentialsOf(cfg)
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithChainStreamInterceptor(discreet(breaks), awaiting(timing.Connect)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: timing.Connect,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
	}
	if cfg.dial != nil {
		dial = append(dial, grpc.WithContextDialer(cfg.dial))
	}
	options := []remote.ConfigOption{
		remote.WithEndpointWriterBatchSize(maxBatch),
		remote.WithEndpointWriterQueueSize(writerQueue),
		remote.WithServerOptions(
			grpc.Creds(creds),
			grpc.MaxRecvMsgSize(maxReceive),
			grpc.ChainStreamInterceptor(recovering(log), admitting(blocks)),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		),
		remote.WithDialOptions(dial...),
	}
	if e.port != 0 {
		options = append(options, remote.WithAdvertisedHost(fmt.Sprintf("%s:%d", bracketed(e.advertise), e.port)))
	}
	c := remote.Configure(bracketed(e.host), e.port, options...)
	c.MaxRetryCount = 1 // after each try protoactor's writer sleeps for 2 s; awaiting does better
	return c
}

// recovering ends the stream, and not the process, when protoactor's reader panics,
// as it does at any message of an unknown type.
func recovering(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer func() {
			if p := recover(); p != nil {
				log.Error("unreadable traffic from another member", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
				err = status.Error(codes.InvalidArgument, "unreadable traffic")
			}
		}()
		return handler(srv, stream)
	}
}

// admitting holds blocks from the first message of a stream to the answer to it. In
// between protoactor checks, without a lock, whether the sender is a member that
// left, while [provider.follow] may be adding to the list of those.
func admitting(blocks *sync.RWMutex) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		a := &admission{ServerStream: stream, blocks: blocks}
		defer a.end()
		return handler(srv, a)
	}
}

// admission is a stream that holds blocks during its first message. protoactor
// reads and answers that in one goroutine.
type admission struct {
	grpc.ServerStream
	blocks *sync.RWMutex
	state  admissionState
}

type admissionState int

const (
	unread   admissionState = iota
	looking                 // blocks is held
	admitted                // the first message was answered
)

func (a *admission) end() {
	if a.state == looking {
		a.blocks.RUnlock()
	}
	a.state = admitted
}

// RecvMsg implements [grpc.ServerStream].
func (a *admission) RecvMsg(m any) error {
	first := a.state == unread
	if a.state == looking {
		a.end()
	}
	err := a.ServerStream.RecvMsg(m)
	if first && err == nil {
		a.blocks.RLock()
		a.state = looking
	}
	return err
}

// SendMsg implements [grpc.ServerStream].
func (a *admission) SendMsg(m any) error {
	if a.state == looking {
		a.end()
	}
	return a.ServerStream.SendMsg(m)
}

// breaks counts, by address, how often protoactor was told that the connection has
// broken.
type breaks struct {
	mu sync.Mutex
	of map[string]uint64 // guarded by mu
}

func (b *breaks) note(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = make(map[string]uint64)
	}
	b.of[address]++
}

func (b *breaks) count(address string) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of[address]
}

// discreet keeps protoactor from reporting a connection that it closed itself as
// broken. When protoactor hears that the connection to an address has broken, it
// closes its stream. Another goroutine reads from the stream that it was closed, and
// reports a break at that address once more. Meanwhile there is a new connection, to
// a process that came back there; protoactor closes that too, with all that waits in
// it, and so on, dozens of times a second, as long as messages are sent there.
func discreet(breaks *breaks) grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
		streamer grpc.Streamer, opts ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		s := &discreetStream{address: cc.Target(), breaks: breaks}
		s.since = breaks.count(s.address)
		var err error
		s.ClientStream, err = streamer(ctx, desc, cc, method, opts...)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

// discreetStream ends without an error if protoactor heard of the break before it
// closed the stream.
type discreetStream struct {
	grpc.ClientStream
	address string
	breaks  *breaks
	since   uint64 // breaks at the address before this stream
	closed  atomic.Bool
}

// CloseSend implements [grpc.ClientStream].
func (s *discreetStream) CloseSend() error {
	s.closed.Store(true)
	return s.ClientStream.CloseSend()
}

// RecvMsg implements [grpc.ClientStream].
func (s *discreetStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err != nil && s.closed.Load() && s.breaks.count(s.address) > s.since {
		return io.EOF
	}
	return err
}

// awaiting waits for the connection before it opens a stream, for at most limit: a
// member that restarts is back in milliseconds, while protoactor would fail at once
// and sleep.
func awaiting(limit time.Duration) grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
		streamer grpc.Streamer, opts ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		ctx, cancel := context.WithCancel(ctx)
		timer := time.AfterFunc(limit, cancel)
		stream, err := streamer(ctx, desc, cc, method, append(opts, grpc.WaitForReady(true))...)
		if !timer.Stop() || err != nil {
			cancel()
			if err == nil {
				err = status.Error(codes.Unavailable, "no connection in time")
			}
			return nil, err
		}
		return stream, nil
	}
}
