package pebble

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestClaimWritesNothing: what a claim gave is on the disk once a change used it,
// and then the caller's name is written once.
func TestClaimWritesNothing(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "data", fs, 0)
	a := activate(t, s, "a")
	mustApply(t, s, a.accept())
	written := s.db.Metrics().WAL.BytesIn
	for range 3 {
		a = activate(t, s, "a")
		activate(t, s, "b")
	}
	if now := s.db.Metrics().WAL.BytesIn; now != written {
		t.Errorf("claims wrote %d bytes", now-written)
	}
	if err := s.db.Delete(nameKey(nil, a.claim.Number), pebbledb.NoSync); err != nil {
		t.Fatal(err)
	}
	mustApply(t, s, a.accept())
	if _, ok, err := get(s.db, nameKey(nil, a.claim.Number)); ok || err != nil {
		t.Errorf("the name was written again: %v", err)
	}
	if err := s.db.Set(nameKey(nil, a.claim.Number), seal(nameKey(nil, a.claim.Number), []byte("a")), pebbledb.NoSync); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "data", fs, 0)
	defer s.Close()
	if again := activate(t, s, "a"); again.claim.Epoch != a.claim.Epoch+1 || again.claim.Last != 2 {
		t.Errorf("claim after a start: %+v after %+v", again.claim, a.claim)
	}
	if c := activate(t, s, "c"); c.claim.Number != 2 {
		t.Errorf("number %d: the one of b was never used", c.claim.Number)
	}
}

// TestEpochsOutliveTheMemory: more callers are active than the memory has accounts
// for. No change with an older epoch takes effect, every one of a caller that is
// known and was claimed last does, and no number has two names.
func TestEpochsOutliveTheMemory(t *testing.T) {
	rng := seeded(t)
	s := mustOpen(t, "data", vfs.NewMem(), 64<<10)
	defer s.Close()
	s.accounts = newRecent[string, *account](8)
	s.accounts.dropped = s.evict
	m := &claims{rng: rng, current: map[string]*activation{}, known: map[string]bool{}, names: map[uint64]string{}}
	for range 5000 {
		m.step(t, s)
	}
	for name := range m.known {
		if next := activate(t, s, name); next.claim.Epoch <= m.current[name].claim.Epoch || next.claim.Last != m.current[name].last {
			t.Errorf("%s: claim %+v after %+v, last %d", name, next.claim, m.current[name].claim, m.current[name].last)
		}
	}
}

// claims is what became of claims at random.
type claims struct {
	rng     *rand.Rand
	current map[string]*activation
	old     []*activation
	known   map[string]bool
	names   map[uint64]string // by number
}

func (m *claims) step(t *testing.T, s *Store) {
	name := fmt.Sprint("caller-", m.rng.IntN(40))
	a := m.current[name]
	switch n := m.rng.IntN(10); {
	case a == nil || n < 4:
		if a != nil {
			m.old = append(m.old, a)
		}
		a = activate(t, s, name)
		if had, ok := m.names[a.claim.Number]; ok && had != name {
			t.Fatalf("number %d is that of %s and of %s", a.claim.Number, had, name)
		}
		m.names[a.claim.Number], m.current[name] = name, a
	case n < 7 || len(m.old) == 0:
		errs, err := s.Apply(t.Context(), []fairfactor.Change{a.accept()})
		switch {
		case err != nil:
			t.Fatal(err)
		case errs == nil:
			m.known[name] = true
		case m.known[name] || !errors.Is(errs[0], fairfactor.ErrFenced):
			t.Fatalf("%s: the last activation is refused: %v", name, errs)
		default: // forgotten before it did anything
			a.last--
		}
	default:
		stale := m.old[m.rng.IntN(len(m.old))]
		stale.last += 1000
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{stale.accept()}); err != nil || errs == nil || !errors.Is(errs[0], fairfactor.ErrFenced) {
			t.Fatalf("%s: epoch %d is not the last one: %v, %v", stale.name, stale.claim.Epoch, errs, err)
		}
	}
}
