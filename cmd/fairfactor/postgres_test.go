package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fairfactor/store/postgres/pgtest"
)

// TestPostgresNodeKilled kills a node under load again and again: what it has
// acknowledged is in PostgreSQL, and the next one ends it.
func TestPostgresNodeKilled(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	server := pgtest.Start(t)
	args := []string{"--store", server.Database(t)}
	accepted := map[string]string{} // id to number
	for round := range 3 {
		p := serve(t, t.TempDir(), args...)
		stop := make(chan struct{})
		for _, got := range load(p, seed+uint64(round), stop, time.Duration(100+rng.IntN(500))*time.Millisecond) {
			if accepted[got.ID] != "" {
				t.Errorf("id %s was given twice", got.ID)
			}
			accepted[got.ID] = got.Number
		}
	}
	p := serve(t, t.TempDir(), args...)
	checkEnds(t, p, accepted)
	checkTallies(t, p, len(accepted))
	t.Logf("%d jobs accepted, all completed", len(accepted))
	if code := p.terminate(); code != 0 {
		t.Errorf("status %d after SIGTERM", code)
	}
}

// TestPostgresServerKilled kills the database under load: the node goes on when
// it is back, and what was acknowledged before, between and after is done.
func TestPostgresServerKilled(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	server := pgtest.Start(t)
	p := serve(t, t.TempDir(), "--store", server.Database(t))
	stop := make(chan struct{})
	results := make(chan []job)
	go func() { results <- submitUntil(p, seed, stop) }()
	before := p.submit("client-0", "600851475143")
	p.wait(before.ID)
	server.Kill()
	server.Restart(t)
	var after job
	for end := time.Now().Add(time.Minute); after.ID == ""; { // until the database answers the node again
		status, j, err := p.do("POST", "/compute", "client-0", `{"number":"600851475143"}`)
		if err == nil && status == 202 {
			after = j
		} else if time.Now().After(end) {
			t.Fatalf("a minute after the restart: %d %+v %v", status, j, err)
		}
	}
	close(stop)
	accepted := map[string]string{before.ID: before.Number, after.ID: after.Number}
	for _, got := range <-results {
		accepted[got.ID] = got.Number
	}
	checkEnds(t, p, accepted)
	checkTallies(t, p, len(accepted))
	t.Logf("%d jobs accepted, all completed", len(accepted))
}

// TestPostgresIsExplained: what is wrong with --store is said, without the
// password.
func TestPostgresIsExplained(t *testing.T) {
	server := pgtest.Start(t)
	url := server.Database(t)
	for what, c := range map[string]struct{ url, says string }{
		"wrong password": {strings.Replace(url, ":secret@", ":topsecret@", 1), "password"},
		"no database":    {strings.Replace(url, "/test_1", "/nowhere", 1), "CREATE DATABASE"},
		"no URL":         {"postgres://u:topsecret@host:port/x", "--store"},
	} {
		out, err := program("serve", "--http", "127.0.0.1:0", "--store", c.url).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.says) || strings.Contains(string(out), "topsecret") {
			t.Errorf("%s: %v, said %q, want %q", what, err, out, c.says)
		}
	}
}
