package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor/store/postgres/pgtest"
)

// TestPostgresFarAway: two nodes whose database is 25 ms away in each direction and whose
// network loses one packet in fifty. Every submission is accepted, both nodes are ready
// all the time and keep their leases, and each job ends once.
func TestPostgresFarAway(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	pgtest.Need(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	server := pgtest.Start(t)
	far, err := pgtest.NewFar(server.Addr(), 25*time.Millisecond, 0.02, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.Close) // after the nodes are gone
	url := strings.Replace(server.Database(t), server.Addr(), far.Addr(), 1)
	first := freeAddress(t)
	nodes := []*process{serve(t, t.TempDir(), "--store", url, "--gossip", first)}
	nodes = append(nodes, serve(t, t.TempDir(), "--store", url, "--gossip", freeAddress(t), "--join", first))
	for _, p := range nodes {
		p.until("the node is ready", func() bool { status, _ := p.get("/readyz"); return status == 200 })
	}
	var mu sync.Mutex
	accepted := map[string]string{}
	var all sync.WaitGroup
	for c := range 8 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(c)))
			for i := range 8 {
				number := fmt.Sprint(1_000_000 + rng.Uint64N(1e19))
				status, j, err := nodes[(c+i)%2].do("POST", "/compute", fmt.Sprintf("client-%d", c), fmt.Sprintf(`{"number":"%s"}`, number))
				if err != nil || status != 202 {
					t.Errorf("submission %d of client-%d: %d %+v %v", i, c, status, j, err)
					return
				}
				mu.Lock()
				accepted[j.ID] = number
				mu.Unlock()
				if status, text := nodes[(c+i)%2].get("/readyz"); status != 200 {
					t.Errorf("/readyz says %d: %s", status, text)
				}
			}
		})
	}
	all.Wait()
	checkEnds(t, nodes[0], accepted)
	total := 0
	for c := range 8 {
		total += nodes[1].idle(fmt.Sprintf("client-%d", c)).Completed
	}
	if total != len(accepted) {
		t.Errorf("%d jobs completed, %d were accepted", total, len(accepted))
	}
	for i, p := range nodes {
		for _, wrong := range []string{"the table of members can't be reached", "fenced", "removed", "level=ERROR"} {
			if log := p.log.String(); strings.Contains(log, wrong) {
				t.Errorf("node %d says %q:\n%s", i+1, wrong, log)
			}
		}
	}
	if far.Lost() == 0 {
		t.Error("no packet was lost")
	}
	t.Logf("%d jobs accepted and completed, %d packets lost", len(accepted), far.Lost())
}
