package pebble

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestPreviousLayoutOpens opens testdata/layout1, which the release before groups
// of callers wrote: six jobs of "a" (1 completed, 2 failed and queued again as 7, 3
// with a checkpoint and a piece), one completed job of "b:2", whose weight is 5.
func TestPreviousLayoutOpens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "layout1"))); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, dir, vfs.Default, 0)
	if version, err := s.number(keyVersion); version != layoutVersion || err != nil {
		t.Errorf("layout %d, %v: an older program would open what it can't read", version, err)
	}
	a := activate(t, s, "a")
	want := fairfactor.Caller{
		Name: "a", Weight: 1, Queued: 5, Completed: 1, CPU: time.Second + 2*time.Millisecond, Turns: 9,
		Oldest: epochTime.Add(2 * time.Microsecond),
	}
	if a.claim.Epoch != 2 || a.claim.Last != 7 || a.claim.Caller != want {
		t.Errorf("claim: %+v, want %+v", a.claim, want)
	}
	if b, err := s.Caller(t.Context(), "b:2"); err != nil || b.Weight != 5 || b.Completed != 1 {
		t.Errorf("b: %+v, %v", b, err)
	}
	if list, err := s.Backlogged(t.Context(), 0, 10); err != nil || !reflect.DeepEqual(list, []fairfactor.Backlogged{{Number: 1, Name: "a", Weight: 1, Queued: 5}}) {
		t.Errorf("backlogged: %+v, %v", list, err)
	}
	found, err := s.Keyed(t.Context(), 1, []string{"key"}, epochTime)
	if err != nil || found["key"].ID.Seq != 1 {
		t.Errorf("key: %v, %v", found, err)
	}
	if piece, err := s.Piece(t.Context(), 1, 3, 3); err != nil || string(piece) != "relations" {
		t.Errorf("piece: %q, %v", piece, err)
	}
	page, err := s.List(t.Context(), fairfactor.Query{States: fairfactor.In(fairfactor.Pending), Since: epochTime, Limit: 10})
	if err != nil || len(page.Jobs) != 5 {
		t.Errorf("pending: %+v, %v", page, err)
	}
	finishAll(t, s, a)
	done, err := s.Caller(t.Context(), "a")
	if err != nil || done.Queued != 0 || done.Completed != 6 || done.Failed != 0 || !done.Oldest.IsZero() {
		t.Errorf("in the end: %+v, %v", done, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, vfs.Default, 0)
	defer s.Close()
	if again, err := s.Caller(t.Context(), "a"); err != nil || again != done {
		t.Errorf("opened again: %+v, %v", again, err)
	}
	if n, err := s.Expire(t.Context(), epochTime.Add(time.Hour), 100); n != 7 || err != nil {
		t.Errorf("%d expired, %v", n, err)
	}
	if n, err := s.Forget(t.Context(), epochTime.Add(time.Hour), 100); n != 2 || err != nil {
		t.Errorf("%d forgotten, %v, want a and one that only claimed", n, err)
	}
	if n, err := s.Accounts(t.Context()); err != nil || n.Kept != 1 {
		t.Errorf("accounts: %+v, %v", n, err)
	}
	if b, err := s.Caller(t.Context(), "b:2"); err != nil || b.Weight != 5 {
		t.Errorf("b: %+v, %v", b, err)
	}
}

// TestLayoutWithoutClasses: the callers of a directory of layout 3 are put into their
// classes, also if a start was killed while it did so.
func TestLayoutWithoutClasses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := mustOpen(t, dir, vfs.Default, 0)
	for i, n := range []int{100, 3, 20} {
		a := activate(t, s, []string{"a", "b", "c"}[i])
		for range n {
			if errs, err := s.Apply(t.Context(), []fairfactor.Change{a.accept()}); errs != nil || err != nil {
				t.Fatal(errs, err)
			}
		}
	}
	want, err := s.Foremost(t.Context(), fairfactor.ByQueued, 10)
	if err != nil || len(want) != 3 || want[0].Name != "a" || want[1].Name != "c" {
		t.Fatalf("%+v, %v", want, err)
	}
	for killed := range 2 {
		b := s.db.NewBatch()
		for _, name := range []string{"a", "c"}[killed:] {
			a, _, err := readAccount(s.db, name)
			if err != nil {
				t.Fatal(err)
			}
			b.Delete(rankKey(nil, fairfactor.ByQueued, a.ranks.queued, a.Number), nil)
			a.ranks = ranks{}
			b.Set(accountKey(nil, name), seal(accountKey(nil, name), a.append(nil)), nil)
		}
		setNumber(b, keyVersion, layoutRanked-1)
		if err := s.commit(b); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, dir, vfs.Default, 0)
		got, err := s.Foremost(t.Context(), fairfactor.ByQueued, 10)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		if at := ranksOf(t, s); at != 2 {
			t.Errorf("%d callers are in classes, want 2", at)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// ranksOf counts the keys of classes.
func ranksOf(t *testing.T, s *Store) (n int) {
	t.Helper()
	it, err := s.db.NewIter(iterBounds(kindBounds(kindRank)))
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n
}

// finishAll ends the jobs in the backlog of "a", which must be those that the
// directory was written with.
func finishAll(t *testing.T, s *Store, a *activation) {
	t.Helper()
	backlog, err := s.Backlog(t.Context(), a.claim.Number, 0, 10, nil)
	if err != nil || len(backlog) != 5 {
		t.Fatalf("backlog: %+v, %v", backlog, err)
	}
	orders := []uint64{3, 4, 5, 6, 7}
	for i, w := range backlog {
		if w.Job.Order != orders[i] || (w.Job.Order == 3) != (string(w.Checkpoint) == "half way") {
			t.Errorf("backlog: %+v", w)
		}
		mustApply(t, s, a.finish(w.Job))
	}
	if last := backlog[4].Job; last.ID.Seq != 2 || last.Reason != "too hard" {
		t.Errorf("queued again: %+v", last)
	}
}

// TestLayoutWithoutDeathsOpens: a directory of the layout before deaths has the present one
// once it was opened, so that a program of that time refuses it.
func TestLayoutWithoutDeathsOpens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := mustOpen(t, dir, vfs.Default, 0)
	a := activate(t, s, "a")
	accept := a.accept()
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{accept}); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	if err := s.stamp(4); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, vfs.Default, 0)
	defer s.Close()
	if version, err := s.number(keyVersion); version != layoutVersion || err != nil {
		t.Errorf("layout %d, %v, want %d", version, err, layoutVersion)
	}
	if got, err := s.Job(t.Context(), accept.Job.ID); err != nil || !reflect.DeepEqual(got, *accept.Job) {
		t.Errorf("job: %+v, %v, want %+v", got, err, *accept.Job)
	}
}
