package main

import (
	"strings"
	"testing"
)

// TestWhatIsChangedIsTyped: variables that are set for other commands, and flags whose
// value is missing, select no jobs and change no callers.
func TestWhatIsChangedIsTyped(t *testing.T) {
	p := serve(t, t.TempDir())
	c := clientTo(t, p.url)
	if _, err := c.SetPaused(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	fillQueue(t, c, "alice", 3)
	id := p.submit("alice", "15").ID
	for name, value := range map[string]string{"CALLER": "alice", "STATUS": "pending", "URL": p.url} {
		t.Setenv("FAIRFACTOR_"+name, value)
	}
	for _, args := range [][]string{
		{"cancel"},
		{"retry"},
		{"cancel", "--caller", "alice", "--number", ""},
		{"cancel", "--caller", "alice", "--since="},
		{"cancel", "--caller", "alice", "--status", ""},
		{"retry", "--status", "failed", "--caller", ""},
	} {
		if status, out, errs := execute(t, "", args...); status != exitUsage || errs == "" {
			t.Errorf("%q: status %d, %s%s", args, status, out, errs)
		}
	}
	if n, _ := cancelled(t, c, "alice"); n != 0 {
		t.Errorf("%d jobs are cancelled", n)
	}
	if status, _, errs := execute(t, "", "cancel", id); status != exitDone {
		t.Errorf("cancel of one: status %d, %s", status, errs)
	}
	if n, others := cancelled(t, c, "alice"); n != 1 || others != 3 {
		t.Errorf("%d jobs are cancelled and %d are not, want 1 and 3", n, others)
	}
	if status, _, errs := execute(t, "", "callers", "alice"); status != exitDone {
		t.Errorf("callers: status %d, %s", status, errs)
	}
	if alice, err := c.Caller(t.Context(), "alice"); err != nil || alice.Weight != 1 {
		t.Errorf("the environment changed the weight: %+v, %v", alice, err)
	}
	if _, out, _ := execute(t, "", "cancel", "--help"); strings.Contains(out, "FAIRFACTOR_CALLER") {
		t.Errorf("the help names a variable that does nothing: %s", out)
	}
}
