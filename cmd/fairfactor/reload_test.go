package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHangUpReadsTheLogLevel: SIGHUP does not end a node, but has it read its log level
// again; a level that makes no sense changes nothing.
func TestHangUpReadsTheLogLevel(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "fairfactor.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log-level: warn\n")
	p := serve(t, filepath.Join(dir, "data"), "--config", file)
	hangUp := func(says string) {
		t.Helper()
		seen := strings.Count(p.log.String(), says)
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); strings.Count(p.log.String(), says) == seen; {
			if p.wait(p.submit("caller", "600851475143").ID); time.Now().After(end) {
				t.Fatalf("after 30 s the log does not say %q", says)
			}
		}
	}
	p.wait(p.submit("caller", "15").ID)
	if log := p.log.String(); strings.Contains(log, "level=DEBUG") || strings.Contains(log, "level=INFO") {
		t.Fatalf("at warn: %s", log)
	}
	write("log-level: debug\n")
	hangUp("read again after SIGHUP")
	p.wait(p.submit("caller", "21").ID)
	if log := p.log.String(); !strings.Contains(log, "number=21") {
		t.Errorf("no turn is logged at debug: %s", log)
	}
	write("log-level: loud\n")
	hangUp("stays as it is")
	write("")
	hangUp("log_level=info")
	if code := p.terminate(); code != 0 {
		t.Errorf("status %d after SIGTERM", code)
	}
}
