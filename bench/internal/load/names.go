package load

import (
	"fmt"
	"math/rand/v2"
)

// maxNames is how many different names there are.
const maxNames = 1_000_000

// ManyNames is a number of callers from which on names carry a random tag, which
// makes them new to the node without asking it for each.
const ManyNames = 1000

// TaggedNames returns n names like client-1f0c93d5-042137, in order. Those of two
// generators differ.
func TaggedNames(rng *rand.Rand, n int) []string {
	names, tag := make([]string, n), rng.Uint32()
	for i := range names {
		names[i] = fmt.Sprintf("client-%08x-%06d", tag, i)
	}
	return names
}

// CallerNames returns n different names like client-042137, in the order drawn,
// without those that are taken; nil means that none is.
func CallerNames(rng *rand.Rand, n int, taken func(string) (bool, error)) (names []string, err error) {
	for seen := map[string]bool{}; len(names) < n; {
		if len(seen) == maxNames {
			return nil, fmt.Errorf("fewer than %d of the names client-000000 to client-999999 are free", n)
		}
		name := fmt.Sprintf("client-%06d", rng.IntN(maxNames))
		if seen[name] {
			continue
		}
		seen[name] = true
		if taken != nil {
			if is, err := taken(name); err != nil {
				return nil, err
			} else if is {
				continue
			}
		}
		names = append(names, name)
	}
	return names, nil
}
