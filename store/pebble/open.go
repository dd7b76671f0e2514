package pebble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// layoutVersion is the value of the key v. Earlier layouts are read too: an account
// of the first has no group, and the first two lack what finds jobs by their state, number or
// time, which is added when they are opened. The third lacks the classes of callers, no
// job of the fourth has deaths, and accounts of the fifth do not say how many jobs are stored.
const (
	layoutVersion = 6
	layoutIndexed = 3 // the first that finds jobs by their state, number or time
	layoutRanked  = 4 // the first with the classes of callers
	layoutCounted = 6 // the first that counts accounts, and finished jobs of each
)

// Options of a store; the zero value is the default.
type Options struct {
	Logger *slog.Logger // default [slog.Default]
	// NoSync leaves the moment of writing to the operating system: what was
	// accepted survives the end of the process, but not of the machine.
	NoSync bool
	// Fatal is called at most once, when the log can't be written or synced.
	// What is on the disk is unknown then, and only a new start tells; so it
	// should end the process, and by default does. If it returns, the store
	// refuses all changes and still answers reads.
	Fatal func(error)

	// Memory bounds what the store keeps in memory, in bytes, default
	// [DefaultMemory]: the block cache, the memtables, and what is remembered of
	// callers and jobs. Less than [MinMemory] counts as MinMemory.
	Memory int64

	// Now is the clock, default [time.Now]. It says since when an account is idle whose
	// settings were taken back; see [Store.Forget].
	Now func() time.Time

	memtable uint64 // bytes, default a part of Memory: small ones make tests flush and compact
}

// Store is a data directory that is open.
type Store struct {
	dir    string
	db     *pebbledb.DB
	lock   *pebbledb.Lock
	log    *slog.Logger
	write  *pebbledb.WriteOptions
	now    func() time.Time
	fatal  func(error)
	failed atomic.Bool // the log failed: see Options.Fatal
	opened atomic.Bool // Open is over

	mu         sync.Mutex                // guards the fields below, and puts batches in order
	accounts   *recent[string, *account] // by caller's name
	next       uint64                    // number of the next new caller
	epochs     uint64                    // those of new accounts are above
	kept       uint64                    // accounts
	bound      uint64                    // of them, zero for none
	forgotten  uint64                    // accounts that this process has forgotten
	rewritten  uint64                    // how often accounts changed on the disk without being in memory
	firstIdle  []byte                    // no idle account has a key below
	group      uint64                    // last group
	dispatched uint64                    // highest dispatch number that was stored
	epoch      uint64                    // of the scheduler
	groups     map[string]int            // weights of groups of callers, those that are not 1
	backlogged numberSet                 // callers that have unfinished jobs
	known      *recent[jobKey, brief]    // jobs that were changed or handed out last, as they are
	changes    uint64                    // uses of known since the start, see [Store.paged]
	events     events                    // what the journal holds
	firstRoll  []byte                    // no roll of finished jobs has a key below
	results    results                   // what is known of numbers
	deadly     deadly                    // has a mutex of its own for readers
	deliveries deliveries
	stage      staging                   // buffers of the group that is being built
	times      times                     // of submission
	unfinished *recent[uint64, uint64]   // jobs of a group, see index.go
	completed  *recent[uint64, struct{}] // groups that are known to have a job which completed

	unlisted error    // why nothing can say which callers are backlogged; set by Open
	newest   int64    // see [Store.Newest]; set by Open
	flights  flights  // has its own mutex
	trouble  trouble  // likewise
	reported reported // likewise

	cold  sync.Mutex              // guards the fields below
	names *recent[uint64, string] // of callers, by number
	heads *recent[uint64, uint64] // see account.head: later ones that readers found
}

var _ fairfactor.Store = (*Store)(nil)

// Open opens the data directory dir, which is made if it is missing. Only one
// process can have it open.
func Open(dir string, opts Options) (*Store, error) { return open(dir, opts, vfs.Default) }

func open(dir string, opts Options, fs vfs.FS) (*Store, error) {
	size := sizesFor(opts.Memory, opts.memtable)
	s := &Store{
		log: opts.Logger, now: opts.Now, fatal: opts.Fatal, write: pebbledb.Sync,
		accounts:   newRecent[string, *account](size.callers),
		deliveries: deliveries{owed: make(chan struct{}, 1)},
		known:      newRecent[jobKey, brief](size.jobs),
		names:      newRecent[uint64, string](size.callers),
		heads:      newRecent[uint64, uint64](size.callers),
		unfinished: newRecent[uint64, uint64](entriesLeast),
		completed:  newRecent[uint64, struct{}](entriesLeast),
		firstRoll:  []byte{kindFinished},
		firstIdle:  []byte{kindIdle},
	}
	s.accounts.dropped = s.evict
	s.trouble.told = make(chan error, 1)
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.fatal == nil {
		s.fatal = func(error) { os.Exit(1) }
	}
	if opts.NoSync {
		s.write = pebbledb.NoSync
	}
	dir = filepath.Clean(dir)
	s.dir = dir
	if err := fs.MkdirAll(dir, 0o750); err != nil {
		return nil, fairfactor.Wrap(fairfactor.Unavailable, err, fmt.Sprintf("the data directory %s can't be created: choose another one with --data", dir))
	}
	var err error
	if s.lock, err = pebbledb.LockDirectory(dir, fs); err != nil {
		if path := new(os.PathError); errors.As(err, &path) {
			return nil, fairfactor.Wrap(fairfactor.Unavailable, err, fmt.Sprintf("the data directory %s can't be written", dir))
		}
		return nil, fairfactor.Wrap(fairfactor.Conflict, err, fmt.Sprintf(
			"another node is using the data directory %s: stop that node, or give this one its own directory with --data", dir))
	}
	if err = checkEnds(dir, fs); err != nil {
		s.lock.Close()
		return nil, s.openError(dir, err)
	}
	cache := pebbledb.NewCache(size.cache)
	defer cache.Unref()
	if err = s.openDB(dir, s.options(fs, cache, size)); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		err = s.loadError(dir, err)
		s.db.Close()
		s.lock.Close()
		return nil, err
	}
	s.opened.Store(true)
	return s, nil
}

// loadError says what to do about a directory that Pebble can open but we
// can't read.
func (s *Store) loadError(dir string, err error) error {
	if s.failed.Load() {
		return s.openError(dir, <-s.trouble.told)
	}
	if fairfactor.CodeOf(err) == fairfactor.Internal {
		return damagedDirectory(dir, err)
	}
	return err
}

func damagedDirectory(dir string, err error) error {
	return fairfactor.Wrap(fairfactor.Internal, err, fmt.Sprintf(
		"the data directory %s is damaged: restore it from a backup, or start with an empty one", dir))
}

// options returns Pebble's settings.
func (s *Store) options(fs vfs.FS, cache *pebbledb.Cache, size sizes) *pebbledb.Options {
	o := &pebbledb.Options{
		FS:                          pacedFS{fs, &s.trouble},
		Lock:                        s.lock,
		FormatMajorVersion:          pebbledb.FormatNewest,
		Cache:                       cache,
		MemTableSize:                size.memtable,
		MemTableStopWritesThreshold: memtables,
		MaxOpenFiles:                500,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		Logger:                      logger{s},
		EventListener: &pebbledb.EventListener{
			BackgroundError: s.background,
			FlushEnd: func(info pebbledb.FlushInfo) {
				if info.Err == nil {
					s.trouble.worked()
				}
			},
			// What was read is refused; the node goes on serving the rest.
			DataCorruption: func(info pebbledb.DataCorruptionInfo) {
				s.log.Error("data directory is damaged", "err", info.Details, "path", info.Path)
			},
		},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].BlockSize = 8 << 10
	}
	o.TargetFileSizes[0] = 8 << 20
	return o
}

// load checks the version of the layout and reads what is kept in memory.
func (s *Store) load() error {
	version, err := s.number(keyVersion)
	if err != nil {
		return err
	}
	switch version {
	case layoutVersion:
	case 0:
		err = s.initialise()
	default:
		if version < layoutVersion {
			err = s.upgrade(version)
			break
		}
		err = fairfactor.Errorf(fairfactor.Conflict,
			"the data directory %s was written by another fairfactor (layout %d, this one knows %d): use that version", s.dir, version, layoutVersion)
	}
	if err != nil {
		return err
	}
	if s.epoch, err = s.number(keyScheduler); err != nil {
		return err
	}
	if s.next, err = s.nextCaller(); err != nil {
		return err
	}
	if s.kept, err = s.number(keyAccounts); err != nil {
		return err
	}
	for _, load := range []func() error{s.loadProgress, s.reindex, s.loadTimes, s.loadGroups, s.loadBacklogged, s.loadNewest, s.loadEvents, s.loadLines, s.loadResults, s.loadDeadly, s.probe} {
		if err := load(); err != nil {
			return err
		}
	}
	return nil
}

// nextCaller returns the number after the last caller's, and after those of all accounts
// that were forgotten.
func (s *Store) nextCaller() (uint64, error) {
	gone, err := s.number(keyNumbers)
	if err != nil {
		return 0, err
	}
	it, err := s.db.NewIter(iterBounds(kindBounds(kindName)))
	if err != nil {
		return 0, readError(err)
	}
	defer it.Close()
	if it.Last() {
		return max(get40(it.Key()[1:]), gone) + 1, nil
	}
	return gone + 1, readError(it.Error())
}

// initialise marks an empty directory as ours.
func (s *Store) initialise() error {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	if it.First() {
		return fairfactor.Errorf(fairfactor.Conflict, "the data directory %s holds something else: give this node its own directory with --data", s.dir)
	}
	if err := it.Error(); err != nil {
		return readError(err)
	}
	return s.stamp(layoutVersion)
}

// stamp says which layout the directory has.
func (s *Store) stamp(version uint64) error {
	b := s.db.NewBatch()
	setNumber(b, keyVersion, version)
	return s.commit(b)
}

// Close writes what is in the log to tables, so that the next start has none to
// read, and releases the directory. If the tables can't be written, it leaves
// everything as it is to the end of the process: what was acknowledged is in the
// log.
func (s *Store) Close() error {
	var err error
	if !s.failed.Load() {
		err = s.flush()
	}
	if unflushed := (errUnflushed{}); errors.As(err, &unflushed) {
		return fairfactor.Wrap(fairfactor.Unavailable, err, "the data directory can't be closed: what was acknowledged is in its log, which the next start reads")
	}
	if e := s.db.Close(); err == nil {
		err = e
	}
	if e := s.lock.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fairfactor.Wrap(fairfactor.Unavailable, err, "the data directory can't be closed")
	}
	return nil
}

// live returns an error if ctx has ended.
func live(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fairfactor.Wrap(fairfactor.Canceled, err, "the caller went away")
	}
	return nil
}

// readError turns an error of Pebble's reading side into one of ours.
func readError(err error) error {
	switch {
	case err == nil:
		return nil
	case pebbledb.IsCorruptionError(err):
		return fairfactor.Wrap(fairfactor.Internal, err, "the data directory is damaged")
	}
	return fairfactor.Wrap(fairfactor.Unavailable, err, "the data directory can't be read")
}
