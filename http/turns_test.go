package http_test

import (
	"sync"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// TestReadsGoOnWhileWritesAreHeldUp: more submissions than may be under way at
// once wait for the store, and a job can be looked at all the same.
func TestReadsGoOnWhileWritesAreHeldUp(t *testing.T) {
	const most, more = 64, 20 // of calls at once, see NewImpatient
	jobs := &slow{newMemory(), make(chan struct{}), make(chan struct{})}
	s := startServer(t, jobs.memory, func(cfg httpd.Config) *httpd.Server {
		cfg.Jobs = jobs
		return httpd.NewImpatient(cfg, 1000, time.Minute)
	})
	receipts, err := jobs.memory.Submit(deadline(), "alice", []fairfactor.Submission{{Number: "91"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range most + more {
		all.Go(func() {
			if a := s.post(`{"number":"7"}`); a.status != 202 {
				t.Errorf("a submission: %d %s", a.status, a.body)
			}
		})
	}
	for range most {
		<-jobs.begun
	}
	eventually(t, "the others wait", func() bool { return s.metric(`fairfactor_http_requests_waiting{kind="write"}`) == more })
	select {
	case <-jobs.begun:
		t.Errorf("more than %d submissions are under way at once", most)
	default:
	}
	if a := s.do("GET", "/compute/"+receipts[0].Job.ID.String(), ""); a.status != 200 {
		t.Errorf("a look meanwhile: %d %s", a.status, a.body)
	}
	go func() {
		for range more {
			<-jobs.begun
		}
	}()
	close(jobs.goOn)
	all.Wait()
	if n := jobs.count(); n != most+more+1 {
		t.Errorf("%d jobs, %d were submitted", n, most+more+1)
	}
}
