package caller_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestScripts runs the scripts in testdata. A script is a list of steps; a step is
// some commands, a line of dashes, and what the commands print: what the caller asks
// of its host, and what is on its way to the store. Lines that start with # tell the
// story. With -update the output is written again.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			have, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(t, string(have))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			compare(t, file, string(have), got)
		})
	}
}

func compare(t *testing.T, file, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		switch {
		case i >= len(w):
			t.Fatalf("%s:%d: more output than expected: %q", file, i+1, g[i])
		case i >= len(g):
			t.Fatalf("%s:%d: %q is missing", file, i+1, w[i])
		case w[i] != g[i]:
			t.Fatalf("%s:%d: got %q, want %q", file, i+1, g[i], w[i])
		}
	}
}

func runScript(t *testing.T, script string) string {
	t.Helper()
	h := newHost(t)
	var out bytes.Buffer
	inOutput := false
	for n, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		switch {
		case line == "":
			inOutput = false
		case inOutput:
			continue
		case line == "----":
			inOutput = true
			out.WriteString("----\n")
			for _, said := range h.take() {
				fmt.Fprintln(&out, said)
			}
			continue
		case !strings.HasPrefix(line, "#"):
			if err := h.do(strings.Fields(line)); err != nil {
				t.Fatalf("line %d: %q: %v", n+1, line, err)
			}
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}
