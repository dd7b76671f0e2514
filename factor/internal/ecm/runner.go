package ecm

import (
	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// Runner runs curves on one thread. It keeps what depends on bounds only, and
// scratch.
type Runner struct {
	*stop.Poller
	tables  tables
	points  []point128      // of stage 2
	prefix  []arith.Uint128 // products in normalise
	vector  *vector
	trio    *trioSpace
	trio128 *trioSpace128
	poly    polyRoom
}
