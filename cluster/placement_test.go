package cluster

import (
	"fmt"
	"testing"

	"github.com/oklog/ulid/v2"
)

// Callers are spread over the members within 20 % of even, and a member that goes
// moves its own callers only.
func TestCallersAreBalanced(t *testing.T) {
	const callers = 10_000
	for _, nodes := range []int{3, 5, 10} {
		var v View
		for range nodes { // made at the same moment, so that they differ in the last bytes only
			v.Members = append(v.Members, Member{ID: ulid.Make().String()})
		}
		for _, kind := range []string{"caller-%d", "%d", "team-a/build-%08d"} {
			p, smaller := newPlacement(v), newPlacement(v.without(v.Members[0].ID))
			count := make([]int, nodes)
			moved := 0
			for i := range callers {
				h := identityHash("caller", fmt.Sprintf(kind, i))
				at := p.owner(h)
				count[at]++
				if at != 0 && smaller.view.Members[smaller.owner(h)].ID != v.Members[at].ID {
					moved++
				}
			}
			for i, n := range count {
				if even := callers / nodes; n < even*8/10 || n > even*12/10 {
					t.Errorf("%d nodes, callers like %q: member %d has %d of %d", nodes, kind, i, n, callers)
				}
			}
			if moved > 0 {
				t.Errorf("%d callers moved between members that stayed", moved)
			}
		}
	}
}
