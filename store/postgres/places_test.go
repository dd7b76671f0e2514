package postgres

import (
	"fmt"
	"testing"
)

// TestPlaces: a row is looked for by its number as long as it stays in its block; then at
// its place, and by its number now and then, until room was made in its block.
func TestPlaces(t *testing.T) {
	var p places
	at := func() string { return p.of([]uint64{7})[0] }
	write := func(block, item int) string {
		place := fmt.Sprintf("(%d,%d)", block, item)
		p.set([]int64{7}, []string{place})
		return place
	}
	for item := range 50 {
		if write(1, item+1); at() != noPlace {
			t.Fatalf("looked for at %s, though it stays in its block", at())
		}
	}
	item, numbers := 0, 0
	for n := range 2000 { // a block is full after 50
		item = n%50 + 1
		place := write(2+n/50, item)
		switch at() {
		case place:
		case noPlace:
			numbers++
		default:
			t.Fatalf("looked for at %s, and it is at %s", at(), place)
		}
	}
	if numbers < 2 || numbers > 10 {
		t.Errorf("looked for %d times by its number among 2,000 groups", numbers)
	}
	for n := 0; at() != noPlace; n++ {
		if write(99, item+n); n > longestSpan {
			t.Fatal("never looked for by its number")
		}
	}
	write(99, 2) // there was room
	for range longestSpan {
		if write(99, 3); at() != noPlace {
			t.Fatal("looked for at its place, though there is room in its block")
		}
	}
	if p.of([]uint64{8})[0] != noPlace {
		t.Error("a row that was not written has a place")
	}
}
