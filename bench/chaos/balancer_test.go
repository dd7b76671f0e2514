package chaos

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

// asked is a node that is asked whether it is ready, until it is told to be silent, and
// has requests that end when the test says so.
type asked struct {
	*http.Server
	addr               string
	questions, begun   chan struct{}
	mute, goOn, parted chan struct{}
}

func newAsked(t *testing.T) *asked {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &asked{
		addr: ln.Addr().String(), questions: make(chan struct{}), begun: make(chan struct{}),
		mute: make(chan struct{}), goOn: make(chan struct{}), parted: make(chan struct{}),
	}
	answers := http.NewServeMux()
	answers.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-a.mute:
			<-r.Context().Done()
			return
		default:
		}
		select {
		case a.questions <- struct{}{}:
		default: // the test does not wait for one
		}
	})
	answers.HandleFunc("/compute", func(w http.ResponseWriter, r *http.Request) {
		a.begun <- struct{}{}
		select {
		case <-a.goOn:
			w.WriteHeader(http.StatusAccepted)
		case <-r.Context().Done():
			close(a.parted)
		}
	})
	a.Server = &http.Server{Handler: answers}
	go a.Serve(ln)
	t.Cleanup(func() { a.Close() })
	return a
}

// submit sends a request by way of a balancer, and returns when it is under way.
func (a *asked) submit(t *testing.T, b *balancer) (answered chan error) {
	t.Helper()
	<-a.questions
	answered = make(chan error, 1)
	go func() {
		status, _, err := b.pick().send(context.Background(), http.MethodPost, "/compute", nil, "")
		if err == nil && status != http.StatusAccepted {
			t.Errorf("status %d", status)
		}
		answered <- err
	}()
	<-a.begun
	return answered
}

// TestBalancerLetsANodeFinish: a node that leaves takes no more connections while it
// finishes its requests.
func TestBalancerLetsANodeFinish(t *testing.T) {
	a := newAsked(t)
	b := newBalancer([]string{a.addr}, 1, time.Minute)
	defer b.close()
	answered := a.submit(t, b)
	left := make(chan error, 1)
	go func() { left <- a.Shutdown(context.Background()) }()
	e := b.ends[0]
	for refused := 0; refused < 2*maxSilent; { // it noticed, and again
		select {
		case <-a.questions: // on its way when the node began to leave
		case err := <-answered:
			t.Fatalf("the request of a node that leaves ended with: %v", err)
		case <-time.After(checkEvery):
			e.mu.Lock()
			if !e.up {
				refused++
			}
			e.mu.Unlock()
		}
	}
	close(a.goOn)
	if err := <-answered; err != nil {
		t.Errorf("the request of a node that leaves: %v", err)
	}
	if err := <-left; err != nil {
		t.Error(err)
	}
}

// TestBalancerHangsUp on a node that answers no more, and says why.
func TestBalancerHangsUp(t *testing.T) {
	a := newAsked(t)
	b := newBalancer([]string{a.addr}, 1, 100*time.Millisecond)
	defer b.close()
	answered := a.submit(t, b)
	close(a.mute)
	if err := <-answered; err == nil {
		t.Error("a request to a silent node had an answer")
	}
	<-a.parted
}
