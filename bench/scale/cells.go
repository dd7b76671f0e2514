package scale

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Cells is what becomes of callers' shares when they are dealt to cells.
type Cells struct {
	Cells   int     `json:"cells"`
	Threads int     `json:"threads"` // of all cells
	Callers int     `json:"callers"`
	Least   float64 `json:"least_s"` // CPU of the caller that had least
	Median  float64 `json:"median_s"`
	Most    float64 `json:"most_s"`
	Fewest  int     `json:"fewest_callers"` // in a cell
	Crowded int     `json:"most_callers"`
}

// Sizes of the cluster that is dealt to cells: small enough for each caller to have
// many turns in the time that is simulated.
const (
	cellThreads = 4
	cellNodes   = 64
	cellCallers = 4096
	cellSpan    = 20 * time.Second
)

// inCells runs the cells one after the other.
func (s *Scale) inCells(ctx context.Context, cells int, seed uint64) (Cells, error) {
	dealt := make([][]string, cells)
	for _, name := range names(cellCallers) {
		at := xxhash.Sum64String(name) % uint64(cells)
		dealt[at] = append(dealt[at], name)
	}
	c := Cells{Cells: cells, Threads: cellNodes * cellThreads, Callers: cellCallers, Fewest: math.MaxInt}
	var used []float64
	for i, callers := range dealt {
		c.Fewest, c.Crowded = min(c.Fewest, len(callers)), max(c.Crowded, len(callers))
		w := newWorld(worldConfig{nodes: cellNodes / cells, threads: cellThreads, callers: callers, turn: s.turn, seed: seed + uint64(i)})
		if err := w.run(ctx, cellSpan); err != nil {
			return c, err
		}
		for i := range w.callers {
			used = append(used, w.callers[i].used.Seconds())
		}
	}
	slices.Sort(used)
	c.Least, c.Median, c.Most = used[0], used[len(used)/2], used[len(used)-1]
	return c, nil
}
