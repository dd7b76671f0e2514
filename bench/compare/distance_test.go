package compare

import (
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/store/postgres/pgtest"
)

// TestDistance measures each way to the database for a moment.
func TestDistance(t *testing.T) {
	pgtest.Need(t)
	d := &distance{way: 5 * time.Millisecond, loss: 0.02, conns: 10, round: 100 * time.Millisecond, jobs: 60, lone: 2, callers: 3}
	rows, err := d.measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 3*11, "not ready")
}
