package handouts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fairfactor/bench/internal/client"
)

func TestRotation(t *testing.T) {
	for _, c := range []struct {
		order        string
		callers      int
		breaks, lead int
	}{
		{"abcabcabc", 3, 0, 1},
		{"cabcabca", 3, 0, 1},
		{"", 3, 0, 0},
		{"a", 1, 0, 0},
		{"abcacb", 3, 2, 1},         // every round is whole, but not in the same order
		{"aabbcc", 3, 4, 2},         // each twice in a row
		{"abcaaabc", 3, 4, 3},       // a burst of one
		{"ababab", 3, 4, 3},         // one gets nothing at all
		{"abcabcacbacb", 3, 2, 1},   // the order changes once
		{"abcdabcdabdcab", 4, 2, 1}, // two neighbours change places
	} {
		got := RotationOf(strings.Split(c.order, "")[:len(c.order)], c.callers)
		if got.HandOuts != len(c.order) || got.Breaks != c.breaks || got.Lead != c.lead {
			t.Errorf("%s of %d callers: %+v, want %d breaks and a lead of %d", c.order, c.callers, got, c.breaks, c.lead)
		}
	}
}

// at is a moment, in milliseconds.
func at(ms int) time.Time { return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond) }

// dispatched returns jobs with places from 1, handed out a millisecond apart to
// the callers in the word, and when each was answered.
func dispatched(word string, answers ...int) (order []client.Job, answered map[string]time.Time) {
	answered = map[string]time.Time{}
	for i, caller := range word {
		id := fmt.Sprint(i)
		order = append(order, client.Job{ID: id, Caller: string(caller), Turn: uint64(i + 1), Started: at(100 + i)})
		answered[id] = at(answers[i%len(answers)])
	}
	return order, answered
}

func TestLongestRunCountsOnlyWhileOthersWait(t *testing.T) {
	for _, c := range []struct {
		name, word     string
		answers        []int
		run, contended int
	}{
		{"all waited from the start", "abcabcabc", []int{0}, 1, 8},
		{"one was served first", "aaabbb", []int{0}, 3, 3},
		{"the other was not there yet", "aaabbb", []int{0, 0, 0, 103, 103, 103}, 0, 0},
		{"the other came during the run", "aaaaab", []int{0, 0, 0, 0, 0, 101}, 3, 3},
		{"no other caller", "aaaa", []int{0}, 0, 0},
	} {
		order, answered := dispatched(c.word, c.answers...)
		got := Summarize(order, answered, 0)
		if got.LongestRun != c.run || got.Contended != c.contended {
			t.Errorf("%s: %+v, want a run of %d, %d contended", c.name, got, c.run, c.contended)
		}
		total := 0
		for _, n := range got.PerCaller {
			total += n
		}
		if total != len(c.word) {
			t.Errorf("%s: %d hand-outs counted of %d", c.name, total, len(c.word))
		}
	}
	order, answered := dispatched("aaaaab", 0, 0, 0, 0, 0, 95)
	if got := Summarize(order, answered, 7*time.Millisecond); got.LongestRun != 2 {
		t.Errorf("with a grace of 7 ms: %+v, want a run of 2", got)
	}
}

func TestOnlyHandOutsWhileAllWait(t *testing.T) {
	order, _ := dispatched("aaabcabcbc", 0)
	for _, c := range []struct {
		from int
		want string
	}{{0, "aaabcabcbc"[:6]}, {101, "abca"}, {200, ""}} {
		if got := strings.Join(WhileAllWait(order, at(c.from)), ""); got != c.want {
			t.Errorf("from %d ms: %q, want %q", c.from, got, c.want)
		}
	}
}

func TestTurnsBetween(t *testing.T) {
	order, _ := dispatched("aaaaaaab", 0)
	for _, c := range []struct{ answered, want int }{{50, 7}, {100, 6}, {103, 3}, {106, 0}, {107, 0}, {500, 0}} {
		if got := TurnsBetween(order, at(c.answered), 8); got != c.want {
			t.Errorf("answered at %d ms, place 8: %d turns between, want %d", c.answered, got, c.want)
		}
	}
}

func TestInOrderLeavesOutWhatWasNotHandedOut(t *testing.T) {
	got := InOrder(map[string]client.Job{"x": {ID: "x", Turn: 9}, "y": {ID: "y"}, "z": {ID: "z", Turn: 2}})
	if len(got) != 2 || got[0].ID != "z" || got[1].ID != "x" {
		t.Errorf("%+v", got)
	}
}
