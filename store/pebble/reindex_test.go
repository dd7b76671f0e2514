package pebble

import (
	"fmt"
	"slices"
	"testing"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// takeIndexesAway makes a directory what the layout before the indexes was.
func takeIndexesAway(t *testing.T, s *Store) {
	t.Helper()
	b := s.db.NewBatch()
	for _, kind := range []byte{kindUnfinished, kindCompleted, kindEndedAs, kindEndedOf, kindNumber} {
		if err := b.DeleteRange([]byte{kind}, []byte{kind + 1}, nil); err != nil {
			t.Fatal(err)
		}
	}
	b.Delete(keyLag, nil)
	it, err := s.db.NewIter(iterBounds(kindBounds(kindAccepted)))
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		r, err := decodeAccepted(it.Key(), it.Value())
		if err != nil {
			t.Fatal(err)
		}
		b.Set(it.Key(), seal(it.Key(), appendRoll(nil, r.kept, uint64(len(r.keys)), r.list)), nil)
	}
	setNumber(b, keyVersion, layoutIndexed-1)
	if err := s.commit(b); err != nil {
		t.Fatal(err)
	}
}

// dump returns all keys and values of the kinds given, all without any.
func dump(t *testing.T, s *Store, kinds ...byte) (all []string) {
	t.Helper()
	it, err := s.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if len(kinds) == 0 || slices.Contains(kinds, it.Key()[0]) {
			all = append(all, fmt.Sprintf("%q = %q", it.Key(), it.Value()))
		}
	}
	return all
}

// TestReindex: a directory of the layout before gets the indexes that it would have if
// they had been written with its jobs, also when the start that makes them is killed
// after any of its batches.
func TestReindex(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "data", fs, 0)
	callers := []*activation{activate(t, s, "a"), activate(t, s, "b")}
	for n := range 30 {
		var accepted, ended []fairfactor.Change
		for i := range 7 {
			w := callers[(n+i)%2]
			ch := w.accept()
			ch.Job.Submitted = ch.Job.Submitted.Add(time.Duration((n*7919)%13) * time.Second) // a clock that jumps
			accepted = append(accepted, ch)
			end := w.finish(*ch.Job)
			switch (n * i) % 5 {
			case 0:
				continue
			case 1:
				end.Job.State = fairfactor.Failed
			case 2:
				end.Job.State = fairfactor.Cancelled
			}
			ended = append(ended, end)
		}
		mustApply(t, s, accepted...)
		mustApply(t, s, ended...)
	}
	indexes := []byte{kindAccepted, kindUnfinished, kindCompleted, kindEndedAs, kindEndedOf, kindNumber, keyLag[0], keyVersion[0], keyIndexed[0]}
	want := dump(t, s, indexes...)
	takeIndexesAway(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for batches := 0; ; batches++ {
		work := vfs.NewMem()
		if ok, err := vfs.Clone(fs, work, "data", "data"); !ok || err != nil {
			t.Fatal(ok, err)
		}
		done := killedAfter(t, work, batches)
		s := mustOpen(t, "data", work, 0)
		if got := dump(t, s, indexes...); !slices.Equal(got, want) {
			t.Errorf("killed after %d batches: %d keys, want %d", batches, len(got), len(want))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
}

// killedAfter opens a directory as a start does that is killed after so many batches;
// done is whether that were all.
func killedAfter(t *testing.T, fs vfs.FS, batches int) (done bool) {
	t.Helper()
	db, err := pebbledb.Open("data", &pebbledb.Options{FS: fs, Logger: logger{&Store{log: quiet}}, FormatMajorVersion: pebbledb.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	s := &Store{
		db: db, log: quiet, write: pebbledb.Sync, stage: staging{},
		unfinished: newRecent[uint64, uint64](entriesLeast), completed: newRecent[uint64, struct{}](entriesLeast),
	}
	if err := s.loadProgress(); err != nil {
		t.Fatal(err)
	}
	if err := s.upgrade(layoutIndexed - 1); err != nil {
		t.Fatal(err)
	}
	x, next := indexer{s: s, latest: earliestTime}, uint64(1)
	for range batches {
		if next, _, err = x.batch(next, 40); err != nil {
			t.Fatal(err)
		}
		if next == 0 {
			break
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return next == 0
}
