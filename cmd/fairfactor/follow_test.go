package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// following is a list --follow in a process of its own.
type following struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	err   bytes.Buffer
}

func follow(t *testing.T, p *process, args ...string) *following {
	t.Helper()
	f := &following{t: t, cmd: program(append([]string{"list", "--follow", "--url", p.url}, args...)...), lines: make(chan string, 1000)}
	f.cmd.Stderr = &f.err
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.cmd.Process.Kill() }) // it has ended, unless the test failed
	go func() {
		defer close(f.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			f.lines <- scanner.Text()
		}
	}()
	return f
}

// line returns the next line that does not say that a job runs, which a quick job leaves out.
func (f *following) line() string {
	f.t.Helper()
	for {
		select {
		case line, ok := <-f.lines:
			if !ok {
				f.t.Fatalf("the list ended: %s", f.err.String())
			}
			if !strings.Contains(line, "running") {
				return line
			}
		case <-time.After(time.Minute):
			f.t.Fatalf("no line within a minute: %s", f.err.String())
		}
	}
}

// job expects a line of JSON about a job.
func (f *following) job(id, state string) {
	f.t.Helper()
	line := f.line()
	var j job
	if err := json.Unmarshal([]byte(line), &j); err != nil || j.ID != id || string(j.Status) != state {
		f.t.Fatalf("%v, %s: want job %s to be %s", err, line, id, state)
	}
}

// interrupt ends it as Ctrl-C does.
func (f *following) interrupt() {
	f.t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		f.t.Fatal(err)
	}
	for line := range f.lines {
		f.t.Errorf("one more line: %s", line)
	}
	if err := f.cmd.Wait(); err != nil || f.err.Len() > 0 {
		f.t.Errorf("%v, %q", err, f.err.String())
	}
}

// TestListFollows: the jobs that are there, then a line for each change of those that
// suit the filters, over the death of the node.
func TestListFollows(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	p := serve(t, dir, "--http", address)
	var there []string
	for range 3 {
		there = append(there, p.wait(p.submit("a", "91").ID).ID)
	}
	p.wait(p.submit("b", "91").ID)
	f := follow(t, p, "--caller", "a", "-o", "json", "--limit", "2")
	f.job(there[1], "completed")
	f.job(there[2], "completed")
	failed := follow(t, p, "--status", "cancelled,failed", "--limit", "0")
	if names := failed.line(); !strings.HasPrefix(names, "REQUEST ID") {
		t.Errorf("%q", names)
	}
	p.wait(p.submit("b", "77").ID)
	for range 2 {
		id := p.submit("a", "77").ID
		f.job(id, "pending")
		f.job(id, "completed")
		p.kill()
		p = serve(t, dir, "--http", address)
	}
	number := "1" + strings.Repeat("0", 120) + "7"
	long := p.submit("a", number).ID
	f.job(long, "pending")
	if status, _, err := p.do("DELETE", "/compute/"+long, "", ""); status != 200 {
		t.Fatalf("DELETE: %d %v", status, err)
	}
	f.job(long, "cancelled")
	if line := failed.line(); !strings.HasPrefix(line, fmt.Sprintf("%s  %-16s  cancelled  %s", long, "a", number)) {
		t.Errorf("%q", line)
	}
	f.interrupt()
	failed.interrupt()
	if code := p.terminate(); code != 0 {
		t.Errorf("the node ended with %d", code)
	}
	checkExit(t, exitNodeAway, "list --follow --url "+p.url)
	checkExit(t, exitUsage, "list --follow --limit -1")
	checkExit(t, exitUsage, "list --limit 0")
}

// TestPositionsAndTimes: --since is a time, --after a position, and each says so of the
// other.
func TestPositionsAndTimes(t *testing.T) {
	t.Setenv("FAIRFACTOR_SINCE", "90m")
	t.Setenv("FAIRFACTOR_URL", "http://127.0.0.1:1")
	checkExit(t, exitNodeAway, "events")
	checkExit(t, exitNodeAway, "list")
	if out := checkExit(t, exitUsage, "events --since 90m"); !strings.Contains(out, "--after") {
		t.Errorf("%s", out)
	}
	if out := checkExit(t, exitUsage, "events --after 90m"); !strings.Contains(out, "--after: \"90m\" is not a position") {
		t.Errorf("%s", out)
	}
	t.Setenv("FAIRFACTOR_SINCE", "1-42-7")
	for _, verb := range []string{"list", "export"} {
		if out := checkExit(t, exitUsage, verb); !strings.Contains(out, "fairfactor events --after") {
			t.Errorf("%s: %s", verb, out)
		}
	}
}

// TestFollowerLeavesOutWhatIsListed: an event of a change that the list shows already is
// no second line, until the events are past it.
func TestFollowerLeavesOutWhatIsListed(t *testing.T) {
	var out bytes.Buffer
	id := fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}
	f := &follower{p: printer{out: &out, json: true}, listed: map[fairfactor.ID]fairfactor.State{id: fairfactor.Running}}
	for _, state := range []fairfactor.State{fairfactor.Pending, fairfactor.Running, fairfactor.Failed} {
		if err := f.told(&httpd.Told{Name: state.String(), Job: fairfactor.Job{ID: id, State: state}, Data: []byte(state.String())}); err != nil {
			t.Fatal(err)
		}
	}
	f.listed = nil
	if err := f.told(&httpd.Told{Name: "accepted", Job: fairfactor.Job{ID: id, State: fairfactor.Pending}, Data: []byte("again")}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "failed\nagain\n" {
		t.Errorf("%q", out.String())
	}
}
