// Package benchtest is what the tests of bench share: the service, built once
// for each test process, and command lines that must end with a status.
package benchtest

import (
	"bytes"
	"context"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"fairfactor/bench/internal/harness"
)

// built is the service, compiled at most once for a test process.
var built struct {
	once         sync.Once
	dir, program string
	err          error
}

// Main runs the tests of a package, removes what [Program] built, and returns
// the exit status.
func Main(m *testing.M) int {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	return code
}

// Program returns the path of the service. The package's TestMain must call [Main].
func Program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "fairfactor-bench-test-"); built.err == nil {
			built.program, built.err = harness.Build(context.Background(), built.dir)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.program
}

// Start returns a harness that ends with the test. Its seed is 1.
func Start(t *testing.T) *harness.Harness {
	t.Helper()
	h, err := harness.New(t.Context(), Program(t), 1, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// Run runs a command line within a minute. It must end with the status want.
func Run(t *testing.T, want int, run func(context.Context, []string, io.Writer, io.Writer) int, args ...string) (out, progress string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var o, p bytes.Buffer
	if got := run(ctx, args, &o, &p); got != want {
		t.Fatalf("bench %v: status %d, want %d\n%s\n%s", args, got, want, o.String(), p.String())
	}
	return o.String(), p.String()
}
