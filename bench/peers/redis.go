package main

import (
	"context"
	"net"
	"os"

	"github.com/redis/go-redis/v9"

	"fairfactor/bench/internal/harness"
)

// redisServer is a private Redis that logs every write and syncs the log each second.
type redisServer struct {
	*process
	addr   string
	client *redis.Client
}

func startRedis(ctx context.Context, h *harness.Harness) (*redisServer, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	dir := h.Folder()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	p, err := launch(ctx, addr, "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--logfile", "redis.log")
	if err != nil {
		return nil, err
	}
	return &redisServer{process: p, addr: addr, client: redis.NewClient(&redis.Options{Addr: addr, PoolSize: conns})}, nil
}

func (r *redisServer) close() {
	if r == nil {
		return
	}
	r.client.Close()
	r.kill()
}
