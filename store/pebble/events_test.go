package pebble

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// eventsAfter reads a page of events.
func eventsAfter(t *testing.T, s *Store, after fairfactor.Position) fairfactor.EventPage {
	t.Helper()
	page, err := s.Events(t.Context(), after, 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestEventsAreDurable: a group that is not on the disk yet is no event, though
// readers of the directory could see it; nor does it wake a reader.
func TestEventsAreDurable(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	a := activate(t, s, "a")
	begin := eventsAfter(t, s, fairfactor.Position{}).Next
	changed := s.Changed()
	wait, err := s.Start([]fairfactor.Change{a.accept()})
	if err != nil {
		t.Fatal(err)
	}
	if page := eventsAfter(t, s, begin); len(page.Events) != 0 || page.Next != begin {
		t.Errorf("before the sync: %+v", page)
	}
	select {
	case <-changed:
		t.Error("a reader was woken before the sync")
	default:
	}
	if _, err := wait(); err != nil {
		t.Fatal(err)
	}
	<-changed
	if page := eventsAfter(t, s, begin); len(page.Events) != 1 {
		t.Errorf("after the sync: %+v", page)
	}
}

// TestOldEventsAreTrimmed: what is above the bound goes, from the oldest on; a reader
// has not read it is told, also after a new start, and no one else is.
func TestOldEventsAreTrimmed(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "data", fs, 0)
	a := activate(t, s, "a")
	begin := eventsAfter(t, s, fairfactor.Position{}).Next
	s.events.kept = 7
	for range 10 {
		mustApply(t, s, a.accept(), a.accept())
	}
	all := eventsAfter(t, s, begin)
	if len(all.Events) != 20 || all.Gap {
		t.Fatalf("%d events, gap %v", len(all.Events), all.Gap)
	}
	s.group = 2*trimEvery - 1
	mustApply(t, s, a.accept())
	check := func() {
		t.Helper()
		page := eventsAfter(t, s, begin)
		if !page.Gap || len(page.Events) != 7 || page.Events[0].Job.ID != all.Events[14].Job.ID {
			t.Fatalf("after trimming: gap %v, %d events", page.Gap, len(page.Events))
		}
		if page := eventsAfter(t, s, all.Events[13].After); !page.Gap {
			t.Error("inside what was removed, at its end, no gap is told")
		}
		if page := eventsAfter(t, s, all.Events[14].After); page.Gap || len(page.Events) != 6 {
			t.Errorf("behind what was removed: gap %v, %d events", page.Gap, len(page.Events))
		}
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "data", fs, 0)
	defer s.Close()
	check()
}
