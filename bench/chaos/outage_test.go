package chaos

import (
	"testing"
	"time"
)

func TestOutage(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	// log is a number of a caller: begun, accepted and completed so many
	// milliseconds after the fault.
	log := func(caller string, began, ended, finished, attempts int) submission {
		l := submission{Caller: caller, Outcome: accepted, Began: at(began), Ended: at(ended), Attempts: attempts}
		if finished != 0 {
			l.Finished = at(finished)
		}
		return l
	}
	for _, c := range []struct {
		name string
		logs []submission
		want outage
	}{
		{
			"undisturbed",
			[]submission{log("a", -20, -10, -5, 1), log("a", 5, 10, 20, 1), log("a", 30, 40, 50, 1)},
			outage{Submit: 10 * time.Millisecond, Complete: 20 * time.Millisecond},
		},
		{
			"under way at the fault",
			[]submission{log("a", -10, 2600, 2700, 3), log("a", 2710, 2720, 2730, 1)},
			outage{Submit: 2600 * time.Millisecond, Complete: 2700 * time.Millisecond, Refused: 2610 * time.Millisecond},
		},
		{
			"a lucky one first",
			[]submission{log("a", 5, 10, 20, 1), log("a", 20, 3000, 3100, 1), log("a", 2900, 3900, 4000, 1), log("a", 9000, 9900, 9950, 1)},
			outage{Submit: 3900 * time.Millisecond, Complete: 4000 * time.Millisecond},
		},
		{
			"the worst of two callers",
			[]submission{log("a", 5, 10, 20, 1), log("b", -5, 900, 5000, 1)},
			outage{Submit: 900 * time.Millisecond, Complete: 5 * time.Second},
		},
	} {
		if got := outageOf(c.logs, start); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
