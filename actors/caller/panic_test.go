package caller_test

import (
	"slices"
	"strings"
	"testing"

	"fairfactor/actors/caller"
)

// fragile is a host that breaks when one who asked gets an answer.
type fragile struct {
	*host
	whom string
}

func (f fragile) Answer(to caller.Asker, answer any) {
	if to == f.whom {
		panic("as told")
	}
	f.host.Answer(to, answer)
}

// TestPanicBetweenResults: an answer that makes an activation panic costs that answer only. Those
// behind it in the same group are given when the activation ends, and no place is lost of those
// that jobs take on their way to the store.
func TestPanicBetweenResults(t *testing.T) {
	h := newHost(t)
	h.room.Limit = 4
	do := func(line string) {
		t.Helper()
		if err := h.do(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // one place lost in each round would be three
		h.caller = caller.New(fragile{h, "second"}, caller.Config{Name: "alice", MaxQueue: 1000, MaxDeaths: 3, Idle: h.idle, Grace: h.patience, Counters: &h.counts, Room: &h.room})
		h.steps, h.reads = nil, nil
		for _, line := range []string{"submit first 15", "submit second 21", "submit third 33", "submit fourth 35", "read", "take"} {
			do(line)
		}
		h.take()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the answer does not panic")
				}
			}()
			do("written")
		}()
		h.caller.Stop()
		said := h.take()
		for _, name := range []string{"first", "third", "fourth"} {
			if !slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, name+": job ") }) {
				t.Errorf("%s has no answer: %q", name, said)
			}
		}
	}
}
