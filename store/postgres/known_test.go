package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// TestCountOfKnownIsRight: nodes learn the same numbers at once, in any order, while
// others forget: nothing fails, and the count is that of what is there.
func TestCountOfKnownIsRight(t *testing.T) {
	url := pgtest.Database(t)
	a, b := open(t, url), open(t, url)
	defer a.Close()
	defer b.Close()
	var all sync.WaitGroup
	for i := range 4 {
		store := a
		if i%2 == 1 {
			store = b
		}
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		all.Go(func() {
			for range 40 {
				var some []fairfactor.Known
				for range 20 {
					some = append(some, fairfactor.Known{Number: fmt.Sprint(1000 + rng.IntN(200)), Complete: true, CPU: time.Duration(rng.IntN(1e6)), Used: time.Now()})
				}
				if err := store.Learn(t.Context(), some); err != nil {
					t.Error(err)
				}
				if _, err := store.TrimKnown(t.Context(), 100, 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	there, counted := count(t, url, "SELECT count(*) FROM fairfactor.known"), count(t, url, "SELECT sum(n) FROM fairfactor.known_counts")
	if there != counted || there < 50 {
		t.Errorf("%d are there, %d were counted", there, counted)
	}
	if _, err := a.TrimKnown(t.Context(), 30, 1000); err != nil {
		t.Fatal(err)
	}
	if there := count(t, url, "SELECT count(*) FROM fairfactor.known"); there != 30 {
		t.Errorf("%d are left, want 30", there)
	}
}

// TestDamagedKnownIsNotServed: a row that can't be read counts as unknown.
func TestDamagedKnownIsNotServed(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	for _, number := range []string{"1001", "1002", "1003"} {
		k := fairfactor.Known{Number: number, Complete: true, Factors: []fairfactor.Factor{{Prime: "7", Exponent: 1}}, Used: time.Now()}
		if err := s.Learn(t.Context(), []fairfactor.Known{k}); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, url, "UPDATE fairfactor.known SET factors = 'x^y' WHERE number = '1002'")
	exec(t, url, "UPDATE fairfactor.known SET number = '9999' WHERE number = '1003'")
	known, err := s.Known(t.Context(), []string{"1001", "1002", "1003"})
	if err != nil || len(known) != 1 || known[0].Number != "1001" {
		t.Errorf("known: %+v, %v", known, err)
	}
}
