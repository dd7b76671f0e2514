package caller_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestManyLargeNumbers: a caller with hundreds of large numbers asks for the right to run
// only those that are next, so that few messages are repeated; in the end it has asked for
// each.
func TestManyLargeNumbers(t *testing.T) {
	h := newHost(t)
	h.maxQueue, h.learns = 1000, true
	h.activate()
	do := func(line string) {
		t.Helper()
		if err := h.do(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	asked := func() (wants []string) { // since the last time
		for _, line := range h.said {
			if number, ok := strings.CutPrefix(line, "want "); ok && !strings.Contains(line, "over true") {
				wants = append(wants, strings.Fields(strings.Replace(number, ":", " ", 1))[0])
			}
		}
		h.said = nil
		return wants
	}
	const numbers = 300
	line := "submit s"
	for i := range numbers {
		line += fmt.Sprintf(" 1%049d", i)
	}
	do(line)
	do("read")
	do("take")
	do("written")
	do("pull 1 16")
	do("read") // the page, if they are not in memory
	do("pull 1 16")
	first := asked()
	if len(first) == 0 || len(first) > 64 {
		t.Fatalf("asks for %d numbers at once", len(first))
	}
	do("pass 2s")
	if again := asked(); len(again) > 64 {
		t.Errorf("repeats %d wishes in two seconds", len(again))
	}
	seen := map[string]bool{}
	for wants := first; len(wants) > 0; wants = asked() {
		for _, number := range wants {
			if seen[number] = true; number != "" {
				do("learn " + number + " 3") // another caller had it factored: whatever it is, it is known
				do("shared " + number + " known")
			}
		}
		do("read")
		do("pull 1 16")
	}
	if len(seen) != numbers {
		t.Errorf("asked for %d numbers, want %d", len(seen), numbers)
	}
}
