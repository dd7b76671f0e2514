package http_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// slowJobs is a service whose store does not answer: a submission ends with its context.
type slowJobs struct {
	*memory
	inside, most atomic.Int64
}

func (j *slowJobs) Submit(ctx context.Context, _ string, _ []fairfactor.Submission, _ []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	n := j.inside.Add(1)
	defer j.inside.Add(-1)
	for most := j.most.Load(); n > most && !j.most.CompareAndSwap(most, n); most = j.most.Load() {
	}
	<-ctx.Done()
	return nil, fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "the store does not answer")
}

// TestClientsHangUpWhileTheStoreIsSlow: what a submission holds whose client has gone, its
// connection and its call, is given back when the time for submissions is over, and no more
// calls are in the service than may be, however many clients come and go meanwhile.
func TestClientsHangUpWhileTheStoreIsSlow(t *testing.T) {
	const calls = 64 // of an impatient server
	slow := &slowJobs{memory: newMemory()}
	s := startServer(t, slow.memory, func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = slow
		return httpd.NewImpatient(cfg, 500, time.Second)
	})
	for i := range 3 * calls {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /compute HTTP/1.1\r\nHost: localhost\r\nX-Caller-ID: c%d\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"number\":\"15\"}", i)
		if i%2 == 0 {
			conn.(*net.TCPConn).SetLinger(0) // a reset, not a close
		}
		if i == 0 {
			eventually(t, "a submission waits for the store", func() bool { return slow.inside.Load() > 0 })
		}
		conn.Close()
	}
	eventually(t, "no submission waits any more", func() bool { return slow.inside.Load() == 0 })
	eventually(t, "no connection is left but ours", func() bool {
		return s.metric(`fairfactor_http_connections{state="active"}`)+s.metric(`fairfactor_http_connections{state="idle"}`) <= 2
	})
	most := slow.most.Load()
	t.Logf("at most %d submissions were in the service at once", most)
	if most > calls {
		t.Errorf("%d submissions were in the service at once, at most %d may be", most, calls)
	}
}
