package pebble

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// refusedOpen opens a directory that must be refused with a code and a message
// that has all the given parts.
func refusedOpen(t *testing.T, dir string, fs vfs.FS, code fairfactor.Code, parts ...string) {
	t.Helper()
	s, err := open(dir, Options{Logger: quiet}, fs)
	if err == nil {
		s.Close()
		t.Fatal("the directory was opened")
	}
	if fairfactor.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
	for _, part := range parts {
		if !strings.Contains(fairfactor.MessageOf(err), part) {
			t.Errorf("the message lacks %q: %q", part, fairfactor.MessageOf(err))
		}
	}
}

func TestOneNodeForADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := mustOpen(t, dir, vfs.Default, 0)
	refusedOpen(t, dir, vfs.Default, fairfactor.Conflict, dir, "another node", "--data")
	refusedOpen(t, dir+"/../data", vfs.Default, fairfactor.Conflict, dir, "--data")
	a := activate(t, s, "a") // the one that has it is not disturbed
	mustApply(t, s, a.accept())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, dir, vfs.Default, 0).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOtherLayoutIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	for _, version := range []uint64{layoutVersion + 1, layoutVersion + 100} {
		dir := fmt.Sprint("data", version)
		s := mustOpen(t, dir, fs, 0)
		b := s.db.NewBatch()
		setNumber(b, keyVersion, version)
		if err := s.commit(b); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		refusedOpen(t, dir, fs, fairfactor.Conflict, dir, fmt.Sprintf("layout %d", version), "use that version")
	}
}

func TestForeignDirectoryIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	db, err := pebbledb.Open("data", &pebbledb.Options{FS: fs, Logger: logger{&Store{log: quiet}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("something"), []byte("else"), pebbledb.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refusedOpen(t, "data", fs, fairfactor.Conflict, "data", "something else", "--data")
}

// TestDamagedValues: a value that was changed behind its seal is reported with
// its key, and never served.
func TestDamagedValues(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	a := activate(t, s, "a")
	ch := a.accept()
	ch.Job.Key = "k"
	mustApply(t, s, ch)
	it, err := s.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]byte{}
	for ok := it.First(); ok; ok = it.Next() {
		values[string(it.Key())] = append([]byte(nil), it.Value()...)
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	for kind, read := range map[byte]func() error{
		kindQueued:   func() error { _, err := s.Job(t.Context(), ch.Job.ID); return err },
		kindKey:      func() error { _, err := s.Keyed(t.Context(), a.claim.Number, []string{"k"}, time.Time{}); return err },
		kindAccount:  func() error { _, err := s.Caller(t.Context(), "a"); return err },
		kindAccepted: func() error { _, err := s.List(t.Context(), fairfactor.Query{Limit: 1}); return err },
	} {
		for key, value := range values {
			if key[0] != kind {
				continue
			}
			for at := range value {
				bad := append([]byte(nil), value...)
				bad[at] ^= 0x10
				if err := s.db.Set([]byte(key), bad, pebbledb.NoSync); err != nil {
					t.Fatal(err)
				}
				if err := read(); fairfactor.CodeOf(err) != fairfactor.Internal || !strings.Contains(err.Error(), fmt.Sprintf("%q", key)) {
					t.Errorf("key %q, byte %d: %v", key, at, err)
				}
			}
			if err := s.db.Set([]byte(key), value, pebbledb.NoSync); err != nil {
				t.Fatal(err)
			}
			if err := read(); err != nil {
				t.Errorf("key %q, whole again: %v", key, err)
			}
		}
	}
}

// TestExpiryReclaims: once all jobs are gone, nothing that was written for them
// is left, and the disk gets its space back.
func TestExpiryReclaims(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 256<<10)
	defer s.Close()
	a, b := activate(t, s, "a"), activate(t, s, "b")
	for n := range 100 {
		var accepted, finished []fairfactor.Change
		for i := range 100 {
			w := []*activation{a, b}[i%2]
			ch := w.accept()
			if i%10 == 0 {
				ch.Job.Key = fmt.Sprint("key ", n, i)
			}
			accepted, finished = append(accepted, ch), append(finished, w.finish(*ch.Job))
		}
		mustApply(t, s, accepted...)
		mustApply(t, s, finished...)
	}
	compact := func() uint64 {
		t.Helper()
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
			t.Fatal(err)
		}
		total := s.db.Metrics().Total()
		return uint64(total.TablesSize)
	}
	full := compact()
	end := epochTime.Add(time.Hour)
	if n, err := s.Expire(t.Context(), end, 9_999); n != 9_999 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := s.Expire(t.Context(), end, 9_999); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	left := map[byte]int{}
	it, err := s.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		left[it.Key()[0]]++
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	if left[kindAccount] != 2 || left[kindName] != 2 {
		t.Errorf("callers left: %v", left)
	}
	for _, kind := range []byte{kindQueued, kindCheckpoint, kindPiece, kindEnded, kindRequeued, kindKey, kindAccepted, kindFinished, kindUnfinished, kindCompleted, kindEndedAs, kindEndedOf, kindNumber} {
		if left[kind] != 0 {
			t.Errorf("%d keys of kind %q are left", left[kind], kind)
		}
	}
	if now := compact(); now > full/4 {
		t.Errorf("%d bytes of tables after expiry, %d before", now, full)
	}
}
