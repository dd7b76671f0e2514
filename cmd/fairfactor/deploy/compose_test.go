//go:build compose

// Package deploy holds the files that docker-compose.yml mounts, and the test
// that runs it for real: see standin_test.go for where its images come from.
package deploy

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"
)

// TestCompose starts the cluster of docker-compose.yml and lives through what an
// operator does to it and what happens to it, with callers at the front door all
// the time.
func TestCompose(t *testing.T) {
	standIns(t)
	p := start(t)
	p.members(3)
	steps := []struct {
		name string
		run  func(*testing.T, *project)
	}{
		{"answers", answers},
		{"kills", kills},
		{"rolling restart", rollingRestart},
		{"database", databaseKilled},
		{"scale", scale},
	}
	for _, s := range steps {
		begun := time.Now()
		if !t.Run(s.name, func(t *testing.T) {
			at := *p
			at.t = t
			s.run(t, &at)
		}) {
			return
		}
		t.Logf("%s: %v", s.name, time.Since(begun).Round(time.Second))
	}
}

// answers asks the first thing that anybody asks.
func answers(t *testing.T, p *project) {
	l := &load{t: t, url: p.url, served: map[string]int{}}
	header := http.Header{"X-Caller-ID": {"test-caller-1"}, "Content-Type": {"application/json"}, "Prefer": {"wait=60"}}
	a, err := l.do(http.MethodPost, "/compute", header, `{"number": "100000000000000000050700000000000000004563"}`, http.StatusOK)
	want := map[string]int{"100000000000000000039": 1, "1000000000000000000117": 1}
	if err != nil || a.Status != "completed" || !maps.Equal(a.Result, want) {
		t.Fatalf("%+v %v", a, err)
	}
	resp, err := http.Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || kind != "text/html; charset=utf-8" {
		t.Errorf("the page: %s, %s", resp.Status, kind)
	}
}

// kills ends one container after the other without a word, each time under load,
// and starts it again.
func kills(t *testing.T, p *project) {
	l := p.begin("kills", true)
	for _, id := range p.nodes() {
		l.more(200)
		docker(t, "kill", id)
		l.more(200) // the others go on
		docker(t, "start", id)
		p.healthy(id)
	}
	p.members(3)
	l.end()
	if len(l.failed) > 0 {
		t.Errorf("never accepted: %q", l.failed)
	}
	l.check()
}

// rollingRestart stops and starts one node after the other. No caller sees a
// failed request, and none sends one again.
func rollingRestart(t *testing.T, p *project) {
	l := p.begin("rolling", false)
	l.more(100)
	for _, id := range p.nodes() {
		docker(t, "restart", "-t", "60", id)
		p.healthy(id)
		p.members(3)
		l.more(100)
	}
	l.end()
	for _, failure := range l.failed {
		t.Error(failure)
	}
	l.check()
}

// databaseKilled takes the store away for a moment: submissions are refused, and
// what was accepted before is there afterwards.
func databaseKilled(t *testing.T, p *project) {
	l := p.begin("database", true)
	l.more(200)
	id := p.run("ps", "-q", "postgres")[:12]
	docker(t, "kill", id)
	docker(t, "start", id)
	p.healthy(id)
	l.more(200)
	l.end()
	if len(l.failed) > 0 {
		t.Errorf("never accepted: %q", l.failed)
	}
	l.check()
	p.members(3)
}

// scale adds two nodes, which the balancer finds by itself.
func scale(t *testing.T, p *project) {
	p.up("--no-recreate", "--scale", "node=5")
	p.members(5)
	l := p.begin("scale", false)
	eventually(t, 30*time.Second, "answers by five nodes", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.served) < 5 {
			return fmt.Errorf("only %v", slices.Sorted(maps.Keys(l.served)))
		}
		return nil
	})
	l.end()
	for _, failure := range l.failed {
		t.Error(failure)
	}
	l.check()
}
