package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
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
	// maxReceive is what a member takes at once, in bytes. gRPC's own 4 MB let a
	// batch of protoactor's vanish without a word.
	maxReceive = 32 << 20
	// maxBatch is how many messages protoactor puts into one.
	maxBatch = 256
	// writerQueue is where the queue to a member starts; it grows. protoactor's
	// own million takes 16 MB for each member.
	writerQueue = 1024
)

// traffic returns how protoactor's remote listens at e and reaches others. While
// blocks is held no new stream is let in.
func traffic(e endpoint, cfg Config, blocks *sync.RWMutex) *remote.Config {
	timing, log, creds := cfg.Timing, cfg.Logger, credentialsOf(cfg)
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithChainStreamInterceptor(patient(timing.Connect)),
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
	c.MaxRetryCount = 1 // after each try protoactor's writer sleeps for 2 s; patient does better
	return c
}

// recovering ends the stream, and not the process, when protoactor's reader
// panics; it does at any message of a type that it doesn't know.
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

// admitting holds blocks from the first message of a stream to the answer to it:
// in between protoactor looks, without a lock, whether the sender has left
// before, while [provider.follow] may be adding to those who have.
func admitting(blocks *sync.RWMutex) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		a := &admission{ServerStream: stream, blocks: blocks}
		defer a.end()
		return handler(srv, a)
	}
}

// admission is a stream of which the first message is looked at. protoactor
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

// patient waits for the connection to be there before it opens a stream, for at
// most limit: a member that restarts is back in milliseconds, while protoactor
// would fail at once and sleep.
func patient(limit time.Duration) grpc.StreamClientInterceptor {
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
