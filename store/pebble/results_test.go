package pebble

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestDamagedResultIsNotServed: a result whose record is damaged is not known, can
// be learned again, is forgotten like any other, and no count goes wrong.
func TestDamagedResultIsNotServed(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "data"), vfs.Default, 0)
	defer s.Close()
	learn := func(from, to int) {
		for i := from; i < to; i++ {
			k := fairfactor.Known{Number: fmt.Sprint(i), Complete: true, CPU: time.Duration(i) * time.Millisecond, Used: epochTime}
			if err := s.Learn(t.Context(), []fairfactor.Known{k}); err != nil {
				t.Fatal(err)
			}
		}
	}
	learn(10, 20)
	for _, number := range []string{"12", "15"} {
		key := resultKey(nil, fairfactor.KeyOfNumber(number))
		value, closer, err := s.db.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		spoilt := bytes.Clone(value)
		closer.Close()
		spoilt[len(spoilt)/2] ^= 4
		if err := s.db.Set(key, spoilt, pebbledb.Sync); err != nil {
			t.Fatal(err)
		}
	}
	count := func(want uint64, listed int) {
		t.Helper()
		page, err := s.ListKnown(t.Context(), fairfactor.NumberKey{}, 100)
		if s.results.count != want || len(page) != listed || err != nil {
			t.Errorf("count %d, want %d; %d listed, want %d; %v", s.results.count, want, len(page), listed, err)
		}
	}
	if known, err := s.Known(t.Context(), []string{"12", "15", "13"}); err != nil || len(known) != 1 {
		t.Errorf("known: %+v, %v", known, err)
	}
	count(10, 8)
	learn(12, 13)
	if known, err := s.Known(t.Context(), []string{"12"}); err != nil || len(known) != 1 {
		t.Errorf("learned again: %+v, %v", known, err)
	}
	if _, err := s.TrimKnown(t.Context(), 0, 100); err != nil {
		t.Fatal(err)
	}
	count(0, 0)
	learn(10, 12)
	count(2, 2)
}
