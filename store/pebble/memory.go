package pebble

// Bounds of [Options.Memory], in bytes.
const (
	MinMemory     = 16 << 20
	DefaultMemory = 256 << 20
)

// memtables is how many there may be: one that is written, the others waiting for
// their flush.
const memtables = 4

// Shares of [Options.Memory]. Pebble reserves its memtables inside the block
// cache, whether they are full or not, so the cache must be larger than all of
// them by what it is to hold of blocks.
const (
	// A memtable should hold the write and the removal of most short jobs, which
	// then cancel out before they reach the disk; above 32 MB that gains nothing
	// more, measured with 256 callers at once.
	memtableShare = 8 // four of them are half of the memory
	memtableMost  = 32 << 20
	memtableLeast = 1 << 20

	tablesShare = 8 // what is remembered of callers and jobs is an eighth

	callerBytes = 400 // an account, its name twice, a head: about 350 bytes with the maps
	jobBytes    = 160 // the head of a job's record: about 140 bytes with the map
)

// entriesLeast bounds what is remembered from below: a group must fit in, see
// maxGroup.
const entriesLeast = 2*maxGroup + 1<<10

// sizes are what the memory of a store is divided into.
type sizes struct {
	cache    int64  // bytes of the block cache, memtables included
	memtable uint64 // bytes of each
	callers  int    // that are remembered
	jobs     int    // likewise
}

// sizesFor divides the memory; memtable is zero but in tests.
func sizesFor(memory int64, memtable uint64) sizes {
	if memory <= 0 {
		memory = DefaultMemory
	}
	memory = max(memory, MinMemory)
	if memtable == 0 {
		memtable = uint64(min(max(memory/memtableShare, memtableLeast), memtableMost))
	}
	tables := memory / tablesShare
	return sizes{
		cache:    memory - tables,
		memtable: memtable,
		callers:  max(int(tables/2/callerBytes), entriesLeast),
		jobs:     max(int(tables/2/jobBytes), entriesLeast),
	}
}

// Held returns about how many bytes of blocks and memtables the store has on the
// Go heap now.
func (s *Store) Held() int64 {
	m := s.db.Metrics()
	return m.BlockCache.Size + int64(m.MemTable.Size+m.MemTable.ZombieSize)
}
