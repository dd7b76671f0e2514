package pebble

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// owing has callbacks of so many hosts owed a delivery, due an hour after epochTime.
func owing(t testing.TB, s *Store, hosts int) {
	a := activate(t, s, "a")
	for i := range hosts {
		ch := a.accept()
		ch.Job.Callback = &fairfactor.Callback{URL: fmt.Sprintf("http://host-%d.example/", i)}
		end := a.finish(*ch.Job)
		end.Job.Finished = epochTime.Add(time.Hour)
		mustApply(t, s, ch)
		mustApply(t, s, end)
	}
}

// TestAgenda: hosts come out in the order in which they are due, each once, not before
// their time, and after a restart too.
func TestAgenda(t *testing.T) {
	var a agenda
	for i := range 100 {
		a.put(fmt.Sprint("host", i*37%100), epochTime.Add(time.Duration(i*37%100)*time.Second))
	}
	a.put("host50", epochTime.Add(time.Hour)) // it is in earlier
	a.put("host60", epochTime.Add(5*time.Second))
	got := ""
	for _, x := range a.take(epochTime.Add(8*time.Second), 1000) {
		got += " " + x.host
	}
	if got != " host0 host1 host2 host3 host4 host5 host60 host6 host7 host8" && got != " host0 host1 host2 host3 host4 host60 host5 host6 host7 host8" {
		t.Errorf("due:%s", got)
	}
	if left := a.take(epochTime.Add(time.Hour), 3); len(left) != 3 || left[0].host != "host9" || len(a.hosts) != 87 || len(a.at) != 87 {
		t.Errorf("%d, %d left", len(left), len(a.hosts))
	}

	fs := vfs.NewMem()
	s := mustOpen(t, "data", fs, 0)
	owing(t, s, 20)
	s.Close()
	s = mustOpen(t, "data", fs, 0)
	defer s.Close()
	for wait, want := range map[time.Duration]int{0: 0, 2 * time.Hour: 20} {
		list, err := s.ClaimDeliveries(t.Context(), epochTime.Add(wait), time.Minute, nil, 10, 100)
		if err != nil || len(list) != want {
			t.Errorf("after %v: %d claimed, %v", wait, len(list), err)
		}
	}
}

// BenchmarkClaimNothing is a claim while deliveries to many hosts wait for a later attempt.
func BenchmarkClaimNothing(b *testing.B) {
	for _, hosts := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			s := unsynced(b, b.TempDir())
			defer s.Close()
			owing(b, s, hosts)
			for b.Loop() {
				if list, err := s.ClaimDeliveries(b.Context(), epochTime, time.Minute, nil, 10, 100); err != nil || len(list) > 0 {
					b.Fatal(len(list), err)
				}
			}
		})
	}
}
