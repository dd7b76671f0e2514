package chaos

import (
	"bytes"
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/forgetful"
	"fairfactor/bench/internal/report"
)

// TestPowerCuts cuts the power of a real node a few times; `make powercuts` does
// it hundreds of times.
func TestPowerCuts(t *testing.T) {
	if err := forgetful.MayMount(); err != nil {
		t.Skip(err)
	}
	var said bytes.Buffer
	h := benchtest.Start(t)
	h.Progress = &said
	p := &powerCuts{cuts: 6, callers: 4, longest: 300 * time.Millisecond, sync: 2 * time.Millisecond}
	rows, err := p.measure(t.Context(), h)
	if err == nil {
		err = report.Finish(&said, "", h.Seed, rows, nil)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
}
