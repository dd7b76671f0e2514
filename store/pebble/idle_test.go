package pebble

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"fairfactor"
)

// idleCallers makes callers whose only job is deleted, and returns their numbers by name.
func idleCallers(t *testing.T, s *Store, names ...string) map[string]uint64 {
	t.Helper()
	numbers := map[string]uint64{}
	for _, name := range names {
		a := activate(t, s, name)
		numbers[name] = a.claim.Number
		ch := a.finish(*a.accept().Job)
		ch.Op = fairfactor.AcceptEnded
		mustApply(t, s, ch)
	}
	if n, err := s.Expire(t.Context(), epochTime.Add(time.Hour), 1000); n != len(names) || err != nil {
		t.Fatalf("%d jobs expired, %v", n, err)
	}
	return numbers
}

// checkIdle holds the index of idle accounts, and the counts, against the accounts.
func checkIdle(t *testing.T, s *Store) (names []string) {
	t.Helper()
	keys := map[string]bool{}
	it, err := s.db.NewIter(iterBounds(kindBounds(kindIdle)))
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		keys[string(it.Key())] = true
	}
	callers, err := s.Callers(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range callers {
		a, ok, err := readAccount(s.db, c.Name)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		key := string(idleKey(nil, a.idle, a.Number))
		if a.rests() != keys[key] || a.rests() != (a.idle != 0) {
			t.Errorf("%+v: in the index %v", a, keys[key])
		}
		if name, ok, err := s.name(a.Number); !ok || name != c.Name || err != nil {
			t.Errorf("the name of %d is %q, %v, %v", a.Number, name, ok, err)
		}
		delete(keys, key)
		names = append(names, c.Name)
	}
	if len(keys) > 0 {
		t.Errorf("%d keys name no idle account", len(keys))
	}
	it, err = s.db.NewIter(iterBounds(kindBounds(kindName)))
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	if a, err := s.Accounts(t.Context()); n != len(names) || a.Kept != uint64(n) || err != nil {
		t.Errorf("%d accounts with %d names, and %d are counted, %v", len(names), n, a.Kept, err)
	}
	return names
}

// TestCrashWhileForgetting: the machine stops in the middle of forgetting, and loses a
// random part of what was not synced. An account is there with all of it then, or gone with
// all of it, and no number is given twice.
func TestCrashWhileForgetting(t *testing.T) {
	rng := seeded(t)
	for range 20 {
		fs := vfs.NewCrashableMem()
		s := mustOpen(t, "data", fs, 64<<10)
		var names []string
		for i := range 40 {
			names = append(names, fmt.Sprintf("c%02d", i))
		}
		given := idleCallers(t, s, names...)
		stays := activate(t, s, "stays")
		mustApply(t, s, stays.accept()) // synced, and all before it
		for range rng.IntN(8) {
			if _, err := s.Forget(t.Context(), epochTime.Add(time.Hour), rng.IntN(10)); err != nil {
				t.Fatal(err)
			}
			if rng.IntN(3) == 0 {
				mustApply(t, s, stays.accept())
			}
		}
		checkIdle(t, s)
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		r := mustOpen(t, "data", crashed, 64<<10)
		left := checkIdle(t, r)
		for _, name := range append(names, "stays", "new") {
			was, number := given[name], activate(t, r, name).claim.Number
			if name == "stays" {
				was = stays.claim.Number
			}
			if kept := slices.Contains(left, name); kept != (was == number) {
				t.Errorf("%s had the number %d, and has %d; its account is kept: %v", name, was, number, kept)
			}
			if other := slices.Sorted(maps.Values(given)); number != was && slices.Contains(other, number) {
				t.Errorf("the number %d of %s was given before", number, name)
			}
		}
		if _, err := r.Forget(t.Context(), epochTime.Add(time.Hour), 100); err != nil {
			t.Error(err)
		}
		if left := checkIdle(t, r); !slices.Equal(left, []string{"stays"}) {
			t.Errorf("left: %q", left)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBoundWithinAGroup: of the new callers in one group, as many are taken as there is room
// for; the account that made room is gone for what comes behind in the group.
func TestBoundWithinAGroup(t *testing.T) {
	s := mustOpen(t, t.TempDir(), vfs.Default, 0)
	defer s.Close()
	idleCallers(t, s, "idle")
	old := activate(t, s, "late")
	ended := old.finish(*old.accept().Job)
	ended.Op = fairfactor.AcceptEnded
	mustApply(t, s, ended)
	stale := fairfactor.Change{Op: fairfactor.Weigh, Caller: "idle", Number: 1, Epoch: 1, Weight: 2}
	s.BoundAccounts(2)
	a, b := activate(t, s, "a"), activate(t, s, "b")
	errs, err := s.Apply(t.Context(), []fairfactor.Change{a.accept(), stale, b.accept(), a.accept(), old.accept()})
	if err != nil || errs == nil {
		t.Fatal(errs, err)
	}
	for i, want := range []error{nil, fairfactor.ErrFenced, fairfactor.ErrTooManyCallers, nil, nil} {
		if !errors.Is(errs[i], want) {
			t.Errorf("change %d: %v, want %v", i, errs[i], want)
		}
	}
	if names := checkIdle(t, s); !slices.Equal(names, []string{"a", "late"}) {
		t.Errorf("callers: %q", names)
	}
}

// TestClaimedAccountStays: at the bound an account does not go that an activation has
// claimed, whose first job may be on the way.
func TestClaimedAccountStays(t *testing.T) {
	s := mustOpen(t, t.TempDir(), vfs.Default, 0)
	defer s.Close()
	idleCallers(t, s, "back", "gone")
	s.BoundAccounts(2)
	back := activate(t, s, "back")
	mustApply(t, s, activate(t, s, "new").accept())
	mustApply(t, s, back.accept())
	if names := checkIdle(t, s); !slices.Equal(names, []string{"back", "new"}) {
		t.Errorf("callers: %q", names)
	}
	if _, err := s.ClaimCaller(t.Context(), "other", ""); !errors.Is(err, fairfactor.ErrTooManyCallers) {
		t.Errorf("one more: %v", err)
	}
}

// TestSettingsEndIdleness: an account whose settings were taken back is idle since then, by
// the clock of the store.
func TestSettingsEndIdleness(t *testing.T) {
	now := epochTime
	s, err := open(t.TempDir(), Options{Logger: quiet, Now: func() time.Time { return now }}, vfs.Default)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := activate(t, s, "a")
	weigh := func(weight int, at time.Duration) {
		now = epochTime.Add(at)
		mustApply(t, s, fairfactor.Change{Op: fairfactor.Weigh, Caller: "a", Number: a.claim.Number, Epoch: a.claim.Epoch, Weight: weight})
	}
	weigh(1, 0)
	weigh(2, time.Hour)
	weigh(1, 2*time.Hour)
	weigh(1, 3*time.Hour)
	checkIdle(t, s)
	if n, err := s.Forget(t.Context(), epochTime.Add(3*time.Hour), 10); n != 0 || err != nil {
		t.Errorf("%d forgotten before the last setting, %v", n, err)
	}
	if n, err := s.Forget(t.Context(), epochTime.Add(3*time.Hour+time.Second), 10); n != 1 || err != nil {
		t.Errorf("%d forgotten after it, %v", n, err)
	}
	checkIdle(t, s)
}

// TestExpireThatFailsCountsNothing: when the account of one caller can't be read, the jobs of
// all stay, and so does what the accounts in memory say of them.
func TestExpireThatFailsCountsNothing(t *testing.T) {
	var broken atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && (op.Kind == errorfs.OpFileRead || op.Kind == errorfs.OpFileReadAt) {
			return errDisk
		}
		return nil
	}))
	s := mustOpen(t, "data", fs, 0)
	const callers = 4000 // so that one in the middle is in a block that no one has read
	var changes []fairfactor.Change
	for i := range callers {
		a := activate(t, s, fmt.Sprintf("caller-%06d", i))
		ch := a.finish(*a.accept().Job)
		ch.Op = fairfactor.AcceptEnded
		changes = append(changes, ch)
	}
	mustApply(t, s, changes...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "data", fs, 0)
	defer s.Close()
	first := activate(t, s, "caller-000000")
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts.get(first.name)
	if !ok || a.stored != 1 {
		t.Fatalf("%+v, %v", a, ok)
	}
	e := expiry{s: s, batch: s.db.NewBatch(), of: map[uint64]*leaving{}}
	defer e.batch.Close()
	e.left(first.claim.Number, 1)
	e.left(callers/2, 1)
	broken.Store(true)
	err := e.discount()
	broken.Store(false)
	if fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Fatalf("an account was read from a broken disk: %v", err)
	}
	if a.stored != 1 || a.rests() || a.idle != 0 {
		t.Errorf("%d jobs stored, idle since %d", a.stored, a.idle)
	}
	if err := e.discount(); err != nil || a.stored != 0 || !a.rests() {
		t.Errorf("%v: %d jobs stored", err, a.stored)
	}
}
