package handouts

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// handedOut returns jobs with places from 1, handed out a millisecond apart to the
// callers in the word, and answered at these milliseconds, in turn.
func handedOut(word string, answers ...int) (order []Job) {
	for i, caller := range word {
		order = append(order, Job{Caller: string(caller), Place: uint64(i + 1), Started: at(100 + i), Answered: at(answers[i%len(answers)])})
	}
	return order
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
		got := Summarize(handedOut(c.word, c.answers...), 0)
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
	if got := Summarize(handedOut("aaaaab", 0, 0, 0, 0, 0, 95), 7*time.Millisecond); got.LongestRun != 2 {
		t.Errorf("with a grace of 7 ms: %+v, want a run of 2", got)
	}
}

// summarizeSlowly looks at every caller for every hand-out.
func summarizeSlowly(order []Job, grace time.Duration) Summary {
	s := Summary{PerCaller: map[string]int{}}
	run, last := 0, ""
	for i, j := range order {
		s.PerCaller[j.Caller]++
		heads := map[string]time.Time{}
		for _, later := range order[i+1:] {
			if _, seen := heads[later.Caller]; !seen {
				heads[later.Caller] = later.Answered
			}
		}
		contended := false
		for caller, answered := range heads {
			contended = contended || caller != j.Caller && answered.Add(grace).Before(j.Started)
		}
		if !contended {
			run, last = 0, ""
			continue
		}
		s.Contended++
		if j.Caller != last {
			run, last = 0, j.Caller
		}
		run++
		s.LongestRun = max(s.LongestRun, run)
	}
	return s
}

// TestSummaryMatchesItsSlowTwin compares random orders.
func TestSummaryMatchesItsSlowTwin(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		word := make([]byte, rng.IntN(60))
		answers := []int{0}
		for i := range word {
			word[i] = 'a' + byte(rng.IntN(1+rng.IntN(8)))
			answers = append(answers, 40+rng.IntN(100))
		}
		order := handedOut(string(word), answers...)
		grace := time.Duration(rng.IntN(20)) * time.Millisecond
		if got, want := Summarize(order, grace), summarizeSlowly(order, grace); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s, %v: %+v, want %+v", word, answers, got, want)
		}
	}
}
