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
// the callers in the word.
func dispatched(word string) (order []client.Job) {
	for i, caller := range word {
		order = append(order, client.Job{ID: fmt.Sprint(i), Caller: string(caller), Turn: uint64(i + 1), Started: at(100 + i)})
	}
	return order
}

func TestOnlyHandOutsWhileAllWait(t *testing.T) {
	order := dispatched("aaabcabcbc")
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
	order := dispatched("aaaaaaab")
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
