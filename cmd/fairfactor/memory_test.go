package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/pebble"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{"256MB": 256_000_000, "256MiB": 256 << 20, "1GiB": 1 << 30, "1 g": 1_000_000_000, "20000000": 20_000_000} {
		var b byteSize
		if err := b.Set(text); err != nil || int64(b) != want {
			t.Errorf("%q: %d, %v, want %d", text, b, err, want)
		}
	}
	for _, text := range []string{"", "much", "-1MB", "1XB", "1e30GB"} {
		var b byteSize
		if err := b.Set(text); fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(err.Error(), "256MB") {
			t.Errorf("%q: %d, %v", text, b, err)
		}
	}
}

func TestPlanMemory(t *testing.T) {
	const none = 0
	says := func(n uint64) func() (uint64, error) {
		return func() (uint64, error) {
			if n == none {
				return 0, errors.New("no limit")
			}
			return n, nil
		}
	}
	for _, c := range []struct {
		asked, answers  int64
		cgroup, machine uint64
		want            memoryPlan
		refused         string
	}{
		{0, 0, none, 24 << 30, memoryPlan{24 << 30, "machine", 256 << 20, 64 << 20, 3 * (24 << 30) / 8, 0}, ""},
		{0, 0, none, 4 << 30, memoryPlan{4 << 30, "machine", 256 << 20, 32 << 20, 3 * (4 << 30) / 8, 0}, ""},
		{0, 0, 2 << 30, 24 << 30, memoryPlan{2 << 30, "cgroup", 128 << 20, 16 << 20, 3 * (2 << 30) / 8, 1932735283}, ""},
		{0, 0, 100 << 20, 24 << 30, memoryPlan{100 << 20, "cgroup", 64 << 20, 16 << 20, 3 * (100 << 20) / 8, 94371840}, ""},
		{0, 0, 48 << 30, 24 << 30, memoryPlan{24 << 30, "machine", 256 << 20, 64 << 20, 3 * (24 << 30) / 8, 0}, ""},
		{0, 0, 1<<64 - 1, none, memoryPlan{0, "nothing", 64 << 20, 16 << 20, 0, 0}, ""},
		{1 << 30, 2 << 30, none, 24 << 30, memoryPlan{24 << 30, "machine", 1 << 30, 2 << 30, 3 * (24 << 30) / 8, 0}, ""},
		{1 << 30, 0, 1 << 30, 24 << 30, memoryPlan{1 << 30, "cgroup", 1 << 30, 16 << 20, 3 * (1 << 30) / 8, 966367641}, "half of the 1.0 GiB that the cgroup has"},
		{pebble.MinMemory - 1, 0, none, 24 << 30, memoryPlan{24 << 30, "machine", pebble.MinMemory - 1, 64 << 20, 3 * (24 << 30) / 8, 0}, "less than 16 MiB"},
		{0, minAnswers - 1, none, 24 << 30, memoryPlan{24 << 30, "machine", 256 << 20, minAnswers - 1, 3 * (24 << 30) / 8, 0}, "less than 1.0 MiB"},
		{0, 1<<29 + 1, 2 << 30, 24 << 30, memoryPlan{2 << 30, "cgroup", 128 << 20, 1<<29 + 1, 3 * (2 << 30) / 8, 1932735283}, "quarter of the 2.0 GiB that the cgroup has"},
	} {
		got := planMemory(c.asked, c.answers, 0, says(c.cgroup), says(c.machine))
		if got != c.want {
			t.Errorf("%d asked, cgroup %d, machine %d:\n got %+v\nwant %+v", c.asked, c.cgroup, c.machine, got, c.want)
		}
		switch err := got.check(); {
		case c.refused == "" && err != nil:
			t.Errorf("%+v is refused: %v", got, err)
		case c.refused != "" && (fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(err), c.refused)):
			t.Errorf("%+v: %v, want %q", got, err, c.refused)
		}
	}
}

// TestWorkMemory: --work-memory has a least value, and the default is not below it.
func TestWorkMemory(t *testing.T) {
	says := func(n uint64) func() (uint64, error) { return func() (uint64, error) { return n, nil } }
	if p := planMemory(0, 0, 0, says(50<<20), says(1<<30)); p.work != minWork || p.check() != nil {
		t.Errorf("50 MiB in all: %+v, %v", p, p.check())
	}
	if p := planMemory(0, 0, minWork, says(1<<30), says(1<<30)); p.work != minWork || p.check() != nil {
		t.Errorf("as little as may be: %+v, %v", p, p.check())
	}
	p := planMemory(0, 0, minWork-1, says(1<<30), says(1<<30))
	if err := p.check(); fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(err), "--work-memory 32 MiB is less than 32 MiB") {
		t.Errorf("less than that: %v", err)
	}
}

// TestGCPercent: the garbage between two collections follows what is live besides
// the store, and is neither too little to collect nor as much as all that is live
// when that is a lot.
func TestGCPercent(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		live, store, garbage int64 // megabytes; garbage is at most what the percentage allows
	}{
		{25, 5, 80},
		{25, 0, 100},
		{4, 4, 16},
		{100, 40, 128},
		{281, 256, 100},
		{600, 512, 128},
		{512, 512, 64},
		{300, 100, 200},
		{1000, 0, 1000},
		{3000, 500, 2500},
		{100, 300, 64},
		{0, 0, 0},
	} {
		percent := gcPercentFor(c.live*mb, c.store*mb)
		got := c.live * int64(percent) / 100
		if percent < 1 || percent > gcPercent || got > c.garbage || got < c.garbage-c.live/50-1 {
			t.Errorf("%d MB live, %d of the store: %d %%, %d MB of garbage, want %d", c.live, c.store, percent, got, c.garbage)
		}
	}
}

// TestHeapIsTended: when most of what is live is the store's, less garbage may
// gather; when it is not, as much as before.
func TestHeapIsTended(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(gcPercent)
	defer debug.SetGCPercent(before)
	blocks := make([]byte, 256<<20)
	runtime.GC()
	ticks := make(chan time.Time)
	held := int64(len(blocks))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { tendHeap(ctx, ticks, func() int64 { return held }); close(done) }()
	ticks <- time.Time{}
	cancel()
	<-done
	if percent := debug.SetGCPercent(gcPercent); percent >= gcPercent/2 {
		t.Errorf("%d %% with %d MB of the store", percent, held>>20)
	}
	runtime.KeepAlive(blocks)
}

// TestMemoryOfANode: --store-memory reaches the store, the log says what is planned, and the environment has the
// last word about the heap.
func TestMemoryOfANode(t *testing.T) {
	for _, c := range []struct{ gogc, limit, percent, bytes string }{
		{"", "", "400", ""}, {"77", "3GiB", "77", "3.221225472e+09"},
	} {
		t.Setenv("GOGC", c.gogc)
		t.Setenv("GOMEMLIMIT", c.limit)
		dir := t.TempDir()
		p := serve(t, dir, "--store-memory", "20MiB", "--answer-memory", "7MiB")
		for name, want := range map[string]string{"go_gc_gogc_percent": c.percent, "go_gc_gomemlimit_bytes": c.bytes} {
			if got := metric(t, p, name); want != "" && got != want {
				t.Errorf("GOGC=%s GOMEMLIMIT=%s: %s is %s, want %s", c.gogc, c.limit, name, got, want)
			}
		}
		if text := p.log.String(); !strings.Contains(text, `store="20 MiB" answers="7.0 MiB"`) {
			t.Errorf("the log does not say the memory:\n%s", text)
		}
		options, err := filepath.Glob(filepath.Join(dir, "OPTIONS-*"))
		if err != nil || len(options) == 0 {
			t.Fatalf("options: %v, %v", options, err)
		}
		text, err := os.ReadFile(options[len(options)-1])
		if want := fmt.Sprintf("cache_size=%d", 20<<20*7/8); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("the store was not opened with %s: %v", want, err)
		}
		p.terminate()
	}
}

// metric returns the value of a metric of a node.
func metric(t *testing.T, p *process, name string) string {
	t.Helper()
	answer, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// TestQuietHeap: memory is given back once after a node has worked, when it is at
// rest and there is some.
func TestQuietHeap(t *testing.T) {
	const mb = 1 << 20
	var q quietHeap
	allocated := int64(0)
	ticks := func(n int, rate, spare int64) (given int) {
		for range n {
			allocated += rate
			if q.tick(allocated, spare) {
				given++
			}
		}
		return given
	}
	for _, c := range []struct {
		what        string
		n           int
		rate, spare int64
		want        int
	}{
		{"at work", 100, 50 * mb, 500 * mb, 0},
		{"a pause", restTicks - 1, mb, 500 * mb, 0},
		{"at work again", 3, 50 * mb, 500 * mb, 0},
		{"at rest", 100, mb, 500 * mb, 1},
		{"at work, little garbage", 3, 50 * mb, 10 * mb, 0},
		{"at rest with little garbage", 100, mb, 10 * mb, 0},
	} {
		if got := ticks(c.n, c.rate, c.spare); got != c.want {
			t.Errorf("%s: given back %d times, want %d", c.what, got, c.want)
		}
	}
}
