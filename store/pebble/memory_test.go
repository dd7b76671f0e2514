package pebble

import (
	"strings"
	"sync/atomic"
	"testing"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestSizes: whatever the memory is, all memtables and a good part of blocks fit
// in, and a group fits in what is remembered.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		memory   int64
		cache    int64
		memtable uint64
	}{
		{0, 224 << 20, 32 << 20},
		{1, 14 << 20, 2 << 20},
		{MinMemory, 14 << 20, 2 << 20},
		{128 << 20, 112 << 20, 16 << 20},
		{DefaultMemory, 224 << 20, 32 << 20},
		{1 << 30, 896 << 20, 32 << 20},
		{64 << 30, 56 << 30, 32 << 20},
	} {
		got := sizesFor(c.memory, 0)
		if got.cache != c.cache || got.memtable != c.memtable {
			t.Errorf("%d bytes: cache %d, memtable %d, want %d, %d", c.memory, got.cache, got.memtable, c.cache, c.memtable)
		}
		if left := got.cache - memtables*int64(got.memtable); left < got.cache/3 {
			t.Errorf("%d bytes: %d of the cache are left besides the memtables", c.memory, left)
		}
		if maxGroup >= got.callers/2 || maxGroup >= got.jobs/2 {
			t.Errorf("%d bytes: a group does not fit in %d callers and %d jobs", c.memory, got.callers, got.jobs)
		}
	}
}

// TestBlocksAreCachedBesidesFullMemtables: with as many memtables as there may be,
// the block cache still holds what was read. Flushes are held up so that none goes.
func TestBlocksAreCachedBesidesFullMemtables(t *testing.T) {
	fs := &heldFS{FS: vfs.NewMem(), held: make(chan struct{})}
	s, err := open("data", Options{Logger: quiet, Memory: MinMemory, Fatal: func(err error) { t.Errorf("fatal: %v", err) }}, fs)
	if err != nil {
		t.Fatal(err)
	}
	a := activate(t, s, "a")
	var jobs []fairfactor.Job
	for range 4 {
		var group []fairfactor.Change
		for range 1000 {
			group = append(group, a.accept())
		}
		mustApply(t, s, group...)
		for _, ch := range group {
			jobs = append(jobs, *ch.Job)
		}
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	fs.hold.Store(true)
	fillMemtables(t, s)
	read := func() (missed int64) {
		before := s.db.Metrics().BlockCache.Misses
		for _, j := range jobs {
			if _, err := s.Job(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
		}
		return s.db.Metrics().BlockCache.Misses - before
	}
	first, second := read(), read()
	m := s.db.Metrics()
	if m.MemTable.Count < memtables {
		t.Errorf("only %d memtables are full", m.MemTable.Count)
	}
	if first == 0 || second != 0 || m.BlockCache.Size == 0 {
		t.Errorf("%d blocks were missed the first time, %d the second; %d bytes are cached", first, second, m.BlockCache.Size)
	}
	close(fs.held)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// fillMemtables writes until there are as many memtables as there may be.
func fillMemtables(t *testing.T, s *Store) {
	t.Helper()
	value := make([]byte, 64<<10)
	for s.db.Metrics().MemTable.Count < memtables {
		for range 8 {
			if err := s.db.Set([]byte{'z'}, value, pebbledb.NoSync); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// heldFS keeps tables from being made until held is closed, if hold is set.
type heldFS struct {
	vfs.FS
	hold atomic.Bool
	held chan struct{}
}

func (f *heldFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if f.hold.Load() && strings.HasSuffix(name, ".sst") {
		<-f.held
	}
	return f.FS.Create(name, category)
}
