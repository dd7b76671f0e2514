package caller_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs the scripts in testdata. A script is a list of steps; a step is
// some commands, a line of dashes, and what the commands print: what the caller asks
// of its host, and what is on its way to the store. Lines that start with # tell the
// story. With -rewrite the output is written again.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		h := newHost(t)
		datadriven.RunTest(t, path, func(t *testing.T, step *datadriven.TestData) string {
			for line := range strings.Lines(step.FullCmd() + "\n" + step.Input) {
				if err := h.do(strings.Fields(line)); err != nil {
					step.Fatalf(t, "%q: %v", line, err)
				}
			}
			return strings.Join(h.take(), "\n")
		})
	})
}
