package client

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// Dialers bounds how many connections are opened at once, below what a listener
// queues.
const Dialers = 64

// Dial opens n connections.
func Dial(ctx context.Context, addr string, n int) ([]net.Conn, error) {
	conns := make([]net.Conn, n)
	errs := make([]error, Dialers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for d := range Dialers {
		wg.Go(func() {
			dialer := net.Dialer{Timeout: AnswerTime}
			for i := int(next.Add(1)) - 1; i < n && errs[d] == nil; i = int(next.Add(1)) - 1 {
				conns[i], errs[d] = dialer.DialContext(ctx, "tcp", addr)
			}
		})
	}
	wg.Wait()
	var opened []net.Conn
	for _, conn := range conns {
		if conn != nil {
			opened = append(opened, conn)
		}
	}
	return opened, errors.Join(errs...)
}
