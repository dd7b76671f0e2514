package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// What ps shows of a process has no secrets in it.
func TestSecretsAreNotInArguments(t *testing.T) {
	p := serve(t, t.TempDir(), "--gossip-key", strings.Repeat("5a", 16))
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(line); strings.Contains(text, "5a5a") || !strings.Contains(text, "--gossip-key") {
		t.Errorf("ps shows %q", strings.ReplaceAll(text, "\x00", " "))
	}
}
