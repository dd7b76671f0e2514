package main

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// TestExitStatuses runs the program for each status that scripts rely on.
func TestExitStatuses(t *testing.T) {
	p := serve(t, t.TempDir(), "--workers", "1")
	done := p.wait(p.submit("a", "15").ID).ID
	long := p.submit("a", hard(rand.New(rand.NewPCG(1, 2)), 140)).ID
	cancelled := p.submit("b", hard(rand.New(rand.NewPCG(1, 3)), 140)).ID
	if status, _, err := p.do("DELETE", "/compute/"+cancelled, "", ""); status != 200 {
		t.Fatalf("DELETE: %d %v", status, err)
	}
	const unknown, nowhere = "bmx1rhz2q40000002400000004", "http://127.0.0.1:1"
	for _, c := range []struct {
		want int
		args string
	}{
		{exitDone, "factor 15"},
		{exitDone, "submit --url URL --caller c --wait --timeout 1m 15"},
		{exitDone, "wait --url URL " + done},
		{exitDone, "ready --url URL"},
		{exitDone, "list --url URL"},
		{exitError, "factor 15 x"},
		{exitError, "factor --file /nowhere/numbers"},
		{exitError, "submit --url URL --caller c x"},
		{exitError, "get --url URL " + unknown},
		{exitError, "cancel --url URL " + done},
		{exitError, "retry --url URL " + done},
		{exitError, "callers --url URL no-such-caller"},
		{exitUsage, "nonsense"},
		{exitUsage, "--nonsense"},
		{exitUsage, "get --url URL"},
		{exitUsage, "factor --workers 0 15"},
		{exitUsage, "factor --workers many 15"},
		{exitUsage, "serve --workers 0"},
		{exitUsage, "serve --config /nowhere/fairfactor.yaml"},
		{exitUsage, "list --url URL --status odd"},
		{exitUsage, "list --url URL --limit -5"},
		{exitUsage, "list --url URL -o yaml"},
		{exitUsage, "list --url nowhere://x"},
		{exitUsage, "callers --url URL a --weight 0"},
		{exitUsage, "callers --url URL --group g"},
		{exitUsage, "callers --url URL --sort odd"},
		{exitUsage, "groups --url URL g"},
		{exitUsage, "submit --url URL --timeout -1s 15"},
		{exitUsage, "submit --url URL --caller /// 15"},
		{exitSomeFailed, "submit --url URL --caller c 15 x"},
		{exitSomeFailed, "submit --url URL --caller c --wait 15 x"},
		{exitSomeFailed, "wait --url URL " + done + " " + cancelled},
		{exitSomeFailed, "wait --url URL " + done + " " + unknown},
		{exitSomeFailed, "get --url URL " + unknown + " " + done},
		{exitSomeFailed, "cancel --url URL " + unknown + " " + long},
		{exitSomeFailed, "callers --url URL a no-such-caller"},
		{exitTimedOut, "ready --timeout 150ms --url " + nowhere},
		{exitNodeAway, "ready --url " + nowhere},
		{exitNodeAway, "submit 15 --caller c --url " + nowhere},
		{exitNodeAway, "get --url " + nowhere + " " + done},
		{exitNodeAway, "top --url " + nowhere},
	} {
		checkExit(t, c.want, strings.ReplaceAll(c.args, "URL", p.url))
	}
	long = p.submit("a", hard(rand.New(rand.NewPCG(1, 4)), 140)).ID
	for _, args := range []string{
		"submit --caller a --wait --timeout 100ms --url " + p.url + " " + hard(rand.New(rand.NewPCG(1, 5)), 140),
		"wait --timeout 100ms --url " + p.url + " " + long,
	} {
		if out := checkExit(t, exitTimedOut, args); !strings.Contains(out, "1 job goes on at the node") {
			t.Errorf("%s: %q", args, out)
		}
	}
	// What has ended is printed, also if a job before it has not.
	if out := checkExit(t, exitTimedOut, "wait --timeout 100ms --url "+p.url+" "+long+" "+done); !strings.Contains(out, "15: 3 5\n") {
		t.Errorf("a job that has ended is missing: %q", out)
	}
}

// checkExit runs the program and returns what it prints.
func checkExit(t *testing.T, want int, args string) string {
	t.Helper()
	out, err := program(strings.Fields(args)...).CombinedOutput()
	status := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		status = failed.ExitCode()
	}
	if status != want || status != 0 && len(out) == 0 {
		t.Errorf("%s: exit status %d, want %d: %.500s", args, status, want, out)
	}
	return string(out)
}

// TestHelpListsStatuses: each command of its own says how it can end, the program
// lists all.
func TestHelpListsStatuses(t *testing.T) {
	_, out, _ := execute(t, "", "--help")
	for _, status := range []string{statusDone, statusError, statusUsage, statusSomeFailed, statusTimedOut, statusNodeAway} {
		if !strings.Contains(out, "\n    "+status+"\n") {
			t.Errorf("the help lacks %q:\n%s", status, out)
		}
	}
	for _, cmd := range newRoot(streams{}).Commands() {
		if cmd.Name() == "version" {
			continue
		}
		if status, out, _ := execute(t, "", cmd.Name(), "--help"); status != 0 || !strings.Contains(out, "Exit status:\n\n    0  ") || !strings.Contains(out, "\n    2  usage") {
			t.Errorf("the help of %s has no exit statuses:\n%s", cmd.Name(), out)
		}
	}
}

// TestNearestFlag: a typo is answered with what was probably meant.
func TestNearestFlag(t *testing.T) {
	status, _, err := execute(t, "", "serve", "--wokers", "2")
	if status != exitUsage || !strings.Contains(err, "--workers") || !strings.Contains(err, `"fairfactor serve --help"`) {
		t.Errorf("status %d, %q", status, err)
	}
	for word, want := range map[string]string{"statsu": "status", "limt": "limit", "": "url", "x": "url"} {
		if got := nearest(word, []string{"status", "limit", "url"}); got != want {
			t.Errorf("nearest to %q: %q, want %q", word, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance of %q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
