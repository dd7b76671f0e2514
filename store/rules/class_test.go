package rules_test

import (
	"math/rand/v2"
	"testing"

	"fairfactor/store/rules"
)

// TestClass walks amounts at random and holds each class to its bounds, and to how
// rarely it changes.
func TestClass(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, step := range []int{1, 2, 40, 100_000} {
		class, n, moved := uint8(0), uint64(0), uint64(0)
		for range 200_000 {
			was := n
			if d := uint64(rng.IntN(step) + 1); rng.IntN(2) == 0 {
				n += d
			} else {
				n -= min(d, n)
			}
			moved += max(n, was) - min(n, was)
			next := rules.Class(class, n)
			if n >= rules.ClassEnd(next) || next > 0 && n < rules.ClassEnd(next)/4 {
				t.Fatalf("%d is in class %d", n, next)
			}
			if next != class {
				if least := min(rules.ClassEnd(next), rules.ClassEnd(class)) / 16; moved < least {
					t.Fatalf("from class %d to %d after %d", class, next, moved)
				}
				class, moved = next, 0
			}
		}
	}
	if c := rules.Class(0, 1<<40); c != 37 || rules.Class(c, 0) != 0 {
		t.Errorf("class %d", c)
	}
}
