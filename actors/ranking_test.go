package actors_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fairfactor"
	"fairfactor/store/memory"
)

// TestRankedCallers: those with the most come first, all others follow by name, and in
// pages of any size each is there once.
func TestRankedCallers(t *testing.T) {
	store := memory.New()
	var names []string
	for i := range fairfactor.MaxRanked + 40 { // more than are ranked, most with one job
		name := fmt.Sprintf("c%04d", i)
		jobs := 1
		if i%100 == 7 {
			jobs = 3 + i/100
		}
		leave(t, store, name, slices.Repeat([]string{"15"}, jobs)...)
		names = append(names, name)
	}
	for _, name := range names {
		claim, err := store.ClaimCaller(t.Context(), name, "")
		if err != nil {
			t.Fatal(err)
		}
		if errs, err := store.Apply(t.Context(), []fairfactor.Change{{Op: fairfactor.Pause, Caller: name, Number: claim.Number, Epoch: claim.Epoch, Paused: true}}); err != nil || errs != nil {
			t.Fatal(errs, err)
		}
	}
	n := siteOn(t, store, 2, nil).nodes[1]
	wantFirst := []string{"c1007", "c0907", "c0807", "c0707", "c0607", "c0507", "c0407", "c0307", "c0207", "c0107", "c0007", "c0000", "c0001"}
	for _, limit := range []int{7, 500, 1000} {
		var got []string
		for q := (fairfactor.CallerQuery{Order: fairfactor.ByQueued, Limit: limit}); ; {
			page, err := n.RankedCallers(t.Context(), q)
			if err != nil || len(page.Callers) == 0 || len(page.Callers) < limit && page.Next != "" {
				t.Fatalf("%+v: %d callers, %v", q, len(page.Callers), err)
			}
			for i := range page.Callers {
				got = append(got, page.Callers[i].Name)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got[:len(wantFirst)], wantFirst) {
			t.Errorf("pages of %d begin with %v", limit, got[:len(wantFirst)])
		}
		if slices.Sort(got); !slices.Equal(got, names) {
			t.Errorf("pages of %d have %d callers, want %d, each once", limit, len(got), len(names))
		}
	}
	few, err := n.RankedCallers(t.Context(), fairfactor.CallerQuery{Order: fairfactor.ByQueued, Prefix: "c090", Limit: 3})
	if err != nil || len(few.Callers) != 3 || few.Callers[0].Name != "c0907" || few.Callers[1].Name != "c0900" || !strings.HasPrefix(few.Next, "1/") {
		t.Errorf("with a prefix: %+v, %v", few, err)
	}
	if rest, err := n.RankedCallers(t.Context(), fairfactor.CallerQuery{Order: fairfactor.ByQueued, Prefix: "c090", Limit: 100, After: few.Next}); err != nil || len(rest.Callers) != 7 || rest.Next != "" {
		t.Errorf("the rest of them: %+v, %v", rest, err)
	}
	for _, q := range []fairfactor.CallerQuery{{Order: fairfactor.ByCPU, Limit: 1, After: "x"}, {Order: fairfactor.ByCPU, Limit: 1, After: "-1/x"}, {Order: fairfactor.ByCPU}, {Order: fairfactor.ByCPU, Limit: fairfactor.MaxPage + 1}} {
		if page, err := n.RankedCallers(t.Context(), q); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%+v: %+v, %v", q, page, err)
		}
	}
}

// TestRankedByRunning: what runs is known by the nodes, not by the store.
func TestRankedByRunning(t *testing.T) {
	s := newSite(t, 2, nil)
	n := s.nodes[0]
	for _, name := range []string{"a", "b", "z"} {
		s.completed(n, s.submit(n, name, "15")...)
	}
	s.submit(n, "m", hard(seeded(t)))
	var page fairfactor.CallerPage
	s.eventually("the one that runs comes first", func() bool {
		var err error
		page, err = n.RankedCallers(t.Context(), fairfactor.CallerQuery{Order: fairfactor.ByRunning, Limit: 3})
		return err == nil && len(page.Callers) == 3 && page.Callers[0].Name == "m" && page.Callers[0].Running == 1
	})
	if page.Callers[1].Name != "a" || page.Callers[2].Name != "b" || page.Next != "/m" {
		t.Errorf("%+v", page)
	}
	rest, err := n.RankedCallers(t.Context(), fairfactor.CallerQuery{Order: fairfactor.ByRunning, Limit: 3, After: page.Next})
	if err != nil || len(rest.Callers) != 1 || rest.Callers[0].Name != "z" || rest.Next != "" {
		t.Errorf("the others: %+v, %v", rest, err)
	}
}
