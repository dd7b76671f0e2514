package main

import (
	"testing"
	"time"
)

// TestLaw looks at orders that are fair, that are not, and in which nobody could
// have been fairer.
func TestLaw(t *testing.T) {
	start := time.Unix(1000, 0)
	// order makes a log of hand-outs a millisecond apart, each of which costs one,
	// from the first letters of their callers. All were submitted before.
	order := func(callers string) (log []handedOut) {
		for i, c := range callers {
			log = append(log, handedOut{string(c), uint64(i + 1), start.Add(-time.Second), start.Add(time.Duration(i) * time.Millisecond), time.Millisecond})
		}
		return log
	}
	late := order("aaaaaabb")
	for i := range late {
		if late[i].caller == "b" {
			late[i].submitted = late[i].started
		}
	}
	restarted := order("aaabbb")
	for i := range restarted[3:] {
		restarted[3+i].place += 100_000_000
	}
	for name, c := range map[string]struct {
		log       []handedOut
		largest   time.Duration
		contended int
	}{
		"in turn":         {order("abababab"), time.Millisecond, 7},
		"one first":       {order("aaaabbbb"), 4 * time.Millisecond, 4},
		"three":           {order("abcabccccba"), 4 * time.Millisecond, 10},
		"nobody waited":   {late, 0, 0},
		"a new scheduler": {restarted, 3 * time.Millisecond, 3},
		"nothing":         {nil, 0, 0},
	} {
		if largest, contended := lawOf(c.log); largest != c.largest || contended != c.contended {
			t.Errorf("%s: %v and %d, want %v and %d", name, largest, contended, c.largest, c.contended)
		}
	}
}
