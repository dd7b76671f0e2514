package pebble

import (
	"os"
	"path/filepath"
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

// TestRestoredDirectory: a position from after a backup was made is a gap in what comes back
// from it, also when its groups have been used again; one of before the backup is still
// good, and so is one that outlives a start.
func TestRestoredDirectory(t *testing.T) {
	dir, backup := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup")
	s := mustOpen(t, dir, vfs.Default, 0)
	a := activate(t, s, "a")
	write := func(n int) {
		t.Helper()
		for range n {
			mustApply(t, s, a.accept())
		}
	}
	at := func(after fairfactor.Position) fairfactor.EventPage {
		t.Helper()
		page, err := s.Events(t.Context(), after, 1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	reopen := func(dir string) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, dir, vfs.Default, 0)
		a = activate(t, s, "a")
	}
	write(3)
	before := at(fairfactor.Position{}).Next
	write(2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, vfs.Default, 0)
	a = activate(t, s, "a")
	if page := at(before); page.Gap || len(page.Events) != 2 {
		t.Errorf("after a start: %+v", page)
	}
	write(4)
	lost := []fairfactor.Position{at(fairfactor.Position{}).Next}
	reopen(dir)
	write(4)
	lost = append(lost, at(fairfactor.Position{}).Next)
	for _, p := range append(lost, before) {
		if page := at(p); page.Gap {
			t.Errorf("%v is a gap where it is from", p)
		}
	}
	reopen(backup)
	write(50)
	for _, p := range lost {
		if page := at(p); !page.Gap {
			t.Errorf("%v, which is lost, is no gap: %d events", p, len(page.Events))
		}
	}
	if page := at(before); page.Gap || len(page.Events) != 52 {
		t.Errorf("of before: gap %v, %d events", page.Gap, len(page.Events))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
