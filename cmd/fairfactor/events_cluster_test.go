package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	"fairfactor/store/postgres/pgtest"
)

// TestEventsOfTheCluster: what happens at one node is told at another one, in the same
// order and with the same positions.
func TestEventsOfTheCluster(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	pgtest.Need(t)
	url := pgtest.Start(t).Database(t)
	first := freeAddress(t)
	one := serve(t, t.TempDir(), "--store", url, "--gossip", first)
	two := serve(t, t.TempDir(), "--store", url, "--gossip", freeAddress(t), "--join", first)
	const jobs = 300
	ready := one.submit("cluster", "1")
	heard := make(chan []httpd.Told, 2)
	delays := make(chan []time.Duration, 2)
	for _, p := range []*process{one, two} {
		go func() {
			events, late := firstEvents(t, p, 2*(jobs+1))
			heard <- events
			delays <- late
		}()
	}
	for range jobs {
		one.submit("cluster", "600851475143")
	}
	one.wait(ready.ID)
	a, b := <-heard, <-heard
	if len(a) != len(b) {
		t.Fatalf("%d events at one node, %d at the other", len(a), len(b))
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].At != b[i].At || a[i].Job.ID != b[i].Job.ID {
			t.Fatalf("event %d is %s %s of %s at one node and %s %s of %s at the other", i, a[i].Name, a[i].At, a[i].Job.ID, b[i].Name, b[i].At, b[i].Job.ID)
		}
	}
	for range 2 {
		late := <-delays
		if slices.Sort(late); len(late) == 0 {
			t.Fatal("no end was told")
		}
		t.Logf("from the end of a job to its event: half within %v, the longest %v", late[len(late)/2], late[len(late)-1])
	}
}

// firstEvents returns the first events of the database as a node tells them, and how
// long the ends took.
func firstEvents(t *testing.T, p *process, n int) (events []httpd.Told, late []time.Duration) {
	c, err := httpd.NewClient(p.url)
	if err != nil {
		t.Error(err)
		return nil, nil
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	enough := errors.New("enough")
	err = c.Follow(ctx, httpd.Watch{After: fairfactor.Position{Line: 1, Group: 1}}, func(e httpd.Told) error {
		if e.Name == "running" || e.Name == "progress" {
			return nil
		}
		if e.Job.State.Final() {
			late = append(late, time.Since(e.Job.Finished))
		}
		if events = append(events, e); len(events) == n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("%d events of %d: %v", len(events), n, err)
	}
	return events, late
}

// freeAddress returns an address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
