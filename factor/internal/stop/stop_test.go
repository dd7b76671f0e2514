package stop

import "testing"

// TestPoller: once told to stop, it asks no more and stays stopped until the next
// start.
func TestPoller(t *testing.T) {
	var p Poller
	if p.Poll() || p.Stopped() {
		t.Error("stopped before it was started")
	}
	asked := 0
	p.Start(func() bool { asked++; return asked == 2 })
	for i, want := range []bool{false, true, true, true} {
		if got := p.Poll(); got != want || p.Stopped() != want {
			t.Errorf("look %d: %v, %v, want %v", i, got, p.Stopped(), want)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	if p.Start(nil); p.Poll() || p.Stopped() {
		t.Error("stopped by the turn before")
	}
}
