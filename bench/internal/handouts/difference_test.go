package handouts

import (
	"testing"
	"time"
)

// TestLargestDifference looks at orders that are fair, that are not, and that
// could not have been fairer.
func TestLargestDifference(t *testing.T) {
	start := time.Unix(1000, 0)
	// order makes a log of hand-outs a millisecond apart, each costing one,
	// from the first letters of their callers. All were submitted before.
	order := func(callers string) (log []HandOut) {
		for i, c := range callers {
			log = append(log, HandOut{string(c), uint64(i + 1), start.Add(-time.Second), start.Add(time.Duration(i) * time.Millisecond), time.Millisecond})
		}
		return log
	}
	late := order("aaaaaabb")
	for i := range late {
		if late[i].Caller == "b" {
			late[i].Submitted = late[i].Started
		}
	}
	restarted := order("aaabbb")
	for i := range restarted[3:] {
		restarted[3+i].Place += 100_000_000
	}
	for name, c := range map[string]struct {
		log       []HandOut
		largest   time.Duration
		contended int
	}{
		"in turn":         {order("abababab"), time.Millisecond, 7},
		"one first":       {order("aaaabbbb"), 4 * time.Millisecond, 4},
		"three":           {order("abcabccccba"), 4 * time.Millisecond, 10},
		"no other waited": {late, 0, 0},
		"a new scheduler": {restarted, 3 * time.Millisecond, 3},
		"nothing":         {nil, 0, 0},
	} {
		if largest, contended := LargestDifference(c.log); largest != c.largest || contended != c.contended {
			t.Errorf("%s: %v and %d, want %v and %d", name, largest, contended, c.largest, c.contended)
		}
	}
}
