package pebble

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// Pebble writes tables in the background, and when it fails it tries again at
// once, for ever: on a full disk it burns a processor, fills the log, and neither
// its Open nor its Flush returns. The types here slow it down, say what is wrong
// now and then, and wake who waits.

// Bounds of the time until the next table is written after one that failed, and
// between two lines of the log about it.
const (
	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
	reportGap  = 10 * time.Second
)

// trouble is what went wrong in the background.
type trouble struct {
	told chan error // holds the last error until someone takes it

	mu       sync.Mutex    // guards the fields below
	pause    time.Duration // before the next table, zero while all is well
	reported time.Time     // when the log last had a line about it
	unsaid   int           // errors since then
}

// failed notes an error, and reports how many were not logged before it if it
// should be logged now.
func (t *trouble) failed(err error, now time.Time) (unsaid int, say bool) {
	t.mu.Lock()
	t.pause = min(max(2*t.pause, firstPause), longPause)
	if say = t.reported.IsZero() || now.Sub(t.reported) >= reportGap; say {
		unsaid, t.unsaid, t.reported = t.unsaid, 0, now
	} else {
		t.unsaid++
	}
	t.mu.Unlock()
	select {
	case <-t.told:
	default:
	}
	select {
	case t.told <- err:
	default: // another one was quicker
	}
	return unsaid, say
}

// worked notes that a table was written.
func (t *trouble) worked() {
	t.mu.Lock()
	t.pause = 0
	t.mu.Unlock()
}

// wait holds up the next table if the last one failed.
func (t *trouble) wait() {
	t.mu.Lock()
	pause := t.pause
	t.mu.Unlock()
	if pause > 0 {
		time.Sleep(pause)
	}
}

// pacedFS is a file system on which tables are not written again and again without
// a pause when that fails.
type pacedFS struct {
	vfs.FS
	trouble *trouble
}

func (f pacedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasSuffix(name, ".sst") {
		f.trouble.wait()
	}
	return f.FS.Create(name, category)
}

// background is told what Pebble could not do in the background.
func (s *Store) background(err error) {
	if unsaid, say := s.trouble.failed(err, time.Now()); say {
		// As text: with its details it has a stack trace.
		s.log.Error("store background work failed", "err", err.Error(), "unreported", unsaid)
	}
}

// openDB opens Pebble. It gives up when Pebble can't write the tables that it needs
// to begin with, or its list of them. What Pebble goes on doing then ends when it
// succeeds or with the process; it keeps the lock of the directory until then.
func (s *Store) openDB(dir string, o *pebbledb.Options) error {
	type outcome struct {
		db  *pebbledb.DB
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		db, err := pebbledb.Open(dir, o)
		done <- outcome{db, err}
	}()
	select {
	case got := <-done:
		if s.db = got.db; got.err != nil {
			s.lock.Close()
			return s.openError(dir, got.err)
		}
		return nil
	case err := <-s.trouble.told:
		go func() {
			if late := <-done; late.err == nil {
				late.db.Close()
			}
			s.lock.Close()
		}()
		return s.openError(dir, err)
	}
}

// probe finds out whether the log can be written.
func (s *Store) probe() error {
	if err := s.db.LogData(nil, pebbledb.Sync); err != nil {
		s.die(err)
	}
	return s.refusal()
}

// flush writes what is in the log to tables, unless that fails. It probes the log
// first: Pebble panics if it has to flush and can't write its log.
func (s *Store) flush() error {
	if err := s.probe(); err != nil {
		return err
	}
	select {
	case <-s.trouble.told: // an earlier one
	default:
	}
	done := make(chan error, 1)
	go func() { done <- s.db.Flush() }()
	select {
	case err := <-done:
		return err
	case err := <-s.trouble.told:
		return errUnflushed{err}
	}
}

// errUnflushed is the error of a flush that Pebble goes on trying, so that it can't
// be closed.
type errUnflushed struct{ error }

func (e errUnflushed) Unwrap() error { return e.error }

// openError turns Pebble's reason for not opening into a sentence.
func (s *Store) openError(dir string, err error) error {
	switch {
	case pebbledb.IsCorruptionError(err):
		return damagedDirectory(dir, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fairfactor.Wrap(fairfactor.Unavailable, err, fmt.Sprintf("the disk of the data directory %s is full: make room and start the node again", dir))
	}
	return fairfactor.Wrap(fairfactor.Unavailable, err, fmt.Sprintf("the data directory %s can't be opened", dir))
}
