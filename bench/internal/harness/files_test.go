package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFileLimitSaysWhatIsMissing asks for more files than any system allows.
func TestFileLimitSaysWhatIsMissing(t *testing.T) {
	if err := RaiseFileLimit(1 << 40); err == nil || !strings.Contains(err.Error(), "ulimit -Hn") {
		t.Errorf("%v", err)
	}
	if err := RaiseFileLimit(64); err != nil {
		t.Errorf("a few files: %v", err)
	}
}

// TestOwnFigures reads what the kernel says of this process.
func TestOwnFigures(t *testing.T) {
	now, err := OwnResident()
	most, mostErr := memoryOf(os.Getpid(), "VmHWM")
	if err != nil || mostErr != nil || now < 1<<20 || most < now {
		t.Errorf("resident %v, at most %v, %v, %v", now, most, err, mostErr)
	}
	if _, err := memoryOf(os.Getpid(), "VmNone"); err == nil {
		t.Error("a line that is not there is read")
	}
	before, err := CPUOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	exact := OwnCPU()
	for OwnCPU()-exact < 50*time.Millisecond {
	}
	after, err := CPUOf(os.Getpid())
	if used := after - before; err != nil || used < 30*time.Millisecond || used > 5*time.Second {
		t.Errorf("50 ms of CPU are read as %v, %v", used, err)
	}
}

// TestSupports asks a program that has one flag.
func TestSupports(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho '      --group-by string   the group'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := &Harness{Program: program}
	for flag, want := range map[string]bool{"--group-by": true, "--group": false, "--known-size": false} {
		if got, err := h.Supports(t.Context(), flag); got != want || err != nil {
			t.Errorf("%s: %v, %v", flag, got, err)
		}
	}
}
