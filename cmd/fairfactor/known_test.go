package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor/store/postgres/pgtest"
)

// TestKnownSurvivesKill: what a job found is known in the same commit as its end, so it
// is there after the node was killed, for any caller, on both stores.
func TestKnownSurvivesKill(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for name, args := range map[string][]string{"embedded": nil, "postgres": {"--store", pgtest.Database(t)}} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			dir := t.TempDir()
			numbers := []string{hard(rng, 80), hard(rng, 81), hard(rng, 82)}
			p := serve(t, dir, args...)
			for _, number := range numbers {
				p.wait(p.submit("alice", number).ID)
			}
			p.kill()
			p = serve(t, dir, args...)
			for _, number := range numbers {
				j := p.submit("bob", number)
				if j.Status != "completed" || !j.Known || len(j.Result) != 2 || j.CPU != 0 {
					t.Errorf("%s after the kill: %+v", number, j)
				}
				if j = p.wait(j.ID); j.Status != "completed" || !j.Known || len(j.Result) != 2 {
					t.Errorf("%s: the job is %+v", number, j)
				}
			}
			p.terminate()
			p = serve(t, dir, append(slices.Clone(args), "--known-size", "0")...)
			if j := p.submit("bob", numbers[0]); j.Known {
				t.Errorf("a node with --known-size 0 says %+v", j)
			}
		})
	}
}

// TestKnownCommands: what one node exports, lines as factor prints them, another one
// imports, once it has verified it.
func TestKnownCommands(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	number := hard(rng, 80)
	a, b := serve(t, t.TempDir()), serve(t, t.TempDir())
	a.wait(a.submit("alice", number).ID)
	var exported bytes.Buffer
	export := program("known", "export", "--url", a.url)
	export.Stdout = &exported
	if err := export.Run(); err != nil || !strings.HasPrefix(exported.String(), number+": ") || strings.Count(exported.String(), "\n") != 1 {
		t.Fatalf("export: %v\n%s", err, exported.String())
	}
	file := filepath.Join(t.TempDir(), "factors.txt")
	text := "# from a\r\n\r\n" + exported.String() + hard(rng, 70) + ": 3 5\n12: 2^2 3\nnonsense\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	imported := program("known", "import", file, "--url", b.url)
	out, err := imported.CombinedOutput()
	for _, want := range []string{file + ":4:", file + ":6:", "1 learned, 1 too small to be remembered, 2 refused"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("import does not say %q: %v\n%s", want, err, out)
		}
	}
	if code := imported.ProcessState.ExitCode(); code != exitSomeFailed {
		t.Errorf("import: exit status %d", code)
	}
	if j := b.submit("bob", number); !j.Known {
		t.Errorf("after the import: %+v", j)
	}
	shown, err := program("known", "--url", b.url, number, "7", "2^200-1").Output()
	if err != nil || !strings.Contains(string(shown), "FF") || !strings.Contains(string(shown), "P ") || !strings.Contains(string(shown), "CF") {
		t.Errorf("known: %v\n%s", err, shown)
	}
}
