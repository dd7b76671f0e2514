//go:build oom && linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memoryGroup makes a control group whose processes may take so many bytes together, and
// returns its file of processes. The system kills what takes more.
func memoryGroup(t *testing.T, most int64) string {
	t.Helper()
	root, limit := "/sys/fs/cgroup/memory", "memory.limit_in_bytes" // version 1
	if controllers, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil && strings.Contains(string(controllers), "memory") {
		root, limit = "/sys/fs/cgroup", "memory.max"
	}
	dir, err := os.MkdirTemp(root, "fairfactor-test-")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, limit), []byte(strconv.FormatInt(most, 10)), 0)
	}
	if err != nil {
		t.Fatalf("this test makes a control group with a limit of memory: run it as root, where %s can be written: %v", root, err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil { // the processes have ended
			t.Error(err)
		}
	})
	return filepath.Join(dir, "cgroup.procs")
}

// TestOutOfMemory: a node in a control group is killed by the system when a job takes more
// memory than there is. If the node is told that it has more, the third death quarantines the
// job, and those of others end. If it keeps to what there is, it does not die: the job fails
// and says why.
func TestOutOfMemory(t *testing.T) {
	t.Setenv(poisonous, "none")
	t.Setenv(greedy, longer)
	for _, row := range []struct {
		what, memory string
		deaths       int
	}{{"told more than there is", "1TiB", 3}, {"the default", "", 0}} {
		t.Run(row.what, func(t *testing.T) {
			procs := memoryGroup(t, 256<<20)
			t.Setenv(inCgroup, procs)
			dir := t.TempDir()
			var flags []string
			if row.memory != "" {
				flags = []string{"--work-memory", row.memory}
			}
			s := supervise(t, func() (*process, error) { return launch(t, dir, flags...) })
			nodes := []*supervised{s}
			var jobs []job
			for i := range 20 {
				jobs = append(jobs, send(t, nodes, fmt.Sprint("good-", i%4), fmt.Sprint(600851475143+i)))
			}
			bad := send(t, nodes, "bad", longer)
			jobs = append(jobs, send(t, nodes, "bad", "600851475143"))
			if row.deaths > 0 {
				checkQuarantine(t, nodes, bad, row.deaths)
			} else if e := endedAt(t, nodes, bad.ID); e.Status != "failed" || e.Quarantined || !strings.Contains(e.Error, "--work-memory") {
				t.Errorf("the job that takes too much: %+v", e)
			}
			checkOthers(t, nodes, jobs)
			if _, deaths := s.node(); deaths != row.deaths {
				t.Errorf("the node died %d times, want %d", deaths, row.deaths)
			}
			s.stop()
		})
	}
}
