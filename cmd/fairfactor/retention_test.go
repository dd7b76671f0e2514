package main

import (
	"testing"
	"time"
)

func TestJobClock(t *testing.T) {
	start := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		newest, clock time.Time
		ahead         time.Duration
	}{
		"a busy node":                  {start.Add(-time.Second), start.Add(time.Hour), 0},
		"off over night":               {start.Add(-20 * time.Hour), start, 0},
		"off for a week":               {start.Add(-7 * day), start, 6 * day},
		"off for a week, up for two":   {start.Add(-7 * day), start.Add(14 * day), 6 * day},
		"a clock behind the last jobs": {start.Add(day), start, 0},
		"a store that does not tell":   {time.Time{}, start.Add(700 * day), 0},
	} {
		now, ahead := jobClock{newest: c.newest, start: start}.now(c.clock)
		if ahead != c.ahead || !now.Equal(c.clock.Add(-c.ahead)) {
			t.Errorf("%s: %v, ahead by %v, want %v", name, now, ahead, c.ahead)
		}
	}
}
