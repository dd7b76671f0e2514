package pebble

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"fairfactor"
)

// soon is far more than what has to happen takes, and far less than for ever.
const soon = 30 * time.Second

// brokenDisk is a disk on which some files can't be written while broken is set.
type brokenDisk struct {
	broken atomic.Bool
	suffix string // of the files
	err    error
	tries  atomic.Int64
}

func (d *brokenDisk) fs(on vfs.FS) vfs.FS {
	return errorfs.Wrap(on, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !d.broken.Load() || op.Kind != errorfs.OpFileWrite || !strings.Contains(op.Path, d.suffix) {
			return nil
		}
		d.tries.Add(1)
		return d.err
	}))
}

// lines is a log that may be written and read at once.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// killed returns the disk of a store that was killed with jobs in its log only, and
// the last of them.
func killed(t *testing.T) (*vfs.MemFS, fairfactor.ID) {
	disk := vfs.NewCrashableMem()
	s := mustOpen(t, "data", disk, 0)
	a := activate(t, s, "a")
	var last fairfactor.Change
	for range 300 {
		last = a.accept()
		mustApply(t, s, last)
	}
	copied := disk.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return copied, last.Job.ID
}

// within fails the test if something takes for ever.
func within[T any](t *testing.T, what string, do func() T) T {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- do() }()
	select {
	case got := <-done:
		return got
	case <-time.After(soon):
		t.Fatalf("%s takes for ever", what)
		panic("unreachable")
	}
}

// TestStartOnABrokenDisk: a start that can't write what it needs says why and ends,
// without much in the log. Once the disk is well, the next one has everything.
func TestStartOnABrokenDisk(t *testing.T) {
	for name, c := range map[string]struct {
		suffix, says string
		err          error
	}{
		"full, tables":       {".sst", "the disk of the data directory data is full: make room", syscall.ENOSPC},
		"failing, tables":    {".sst", "the data directory data can't be opened", syscall.EIO},
		"full, table list":   {"MANIFEST", "the disk of the data directory data is full: make room", syscall.ENOSPC},
		"full, log":          {".log", "the disk of the data directory data is full: make room", syscall.ENOSPC},
		"over quota, tables": {".sst", "is full", syscall.EDQUOT},
	} {
		t.Run(name, func(t *testing.T) {
			disk, id := killed(t)
			d, log := &brokenDisk{suffix: c.suffix, err: c.err}, &lines{}
			d.broken.Store(true)
			fs := d.fs(disk)
			err := within(t, "the start", func() error {
				s, err := open("data", Options{Logger: slog.New(slog.NewTextHandler(log, nil)), Fatal: func(err error) { t.Errorf("fatal: %v", err) }}, fs)
				if err == nil {
					s.Close()
				}
				return err
			})
			if fairfactor.CodeOf(err) != fairfactor.Unavailable || !strings.Contains(fairfactor.MessageOf(err), c.says) || !errors.Is(err, c.err) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if text := log.String(); strings.Count(text, "\n") > 3 || strings.Contains(text, "stack trace") {
				t.Errorf("the log:\n%s", text)
			}
			d.broken.Store(false)
			s := mustOpen(t, "data", disk.CrashClone(vfs.CrashCloneCfg{}), 0)
			if _, err := s.Job(t.Context(), id); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStopOnAFullDisk: a stop that can't write its tables ends all the same, and
// loses nothing.
func TestStopOnAFullDisk(t *testing.T) {
	disk := vfs.NewCrashableMem()
	d := &brokenDisk{suffix: ".sst", err: syscall.ENOSPC}
	s := mustOpen(t, "data", d.fs(disk), 0)
	a := activate(t, s, "a")
	ch := a.accept()
	mustApply(t, s, ch)
	d.broken.Store(true)
	err := within(t, "the stop", s.Close)
	if fairfactor.CodeOf(err) != fairfactor.Unavailable || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(fairfactor.MessageOf(err), "is in its log") {
		t.Errorf("close: %v", err)
	}
	again := mustOpen(t, "data", disk.CrashClone(vfs.CrashCloneCfg{}), 0)
	defer again.Close()
	if _, err := again.Job(t.Context(), ch.Job.ID); err != nil {
		t.Error(err)
	}
	d.broken.Store(false) // lets what is left of the store go on
}

// TestTroubleIsPaced: the pause between tables that fail grows to a bound and ends
// with one that does not; the log has a line now and then, with what it left out.
func TestTroubleIsPaced(t *testing.T) {
	tr := trouble{told: make(chan error, 1)}
	start := epochTime
	lines, unsaid := 0, 0
	for i := range 100 {
		n, say := tr.failed(errDisk, start.Add(time.Duration(i)*time.Second))
		if say {
			lines++
			unsaid += n
		}
		if want := min(firstPause<<min(i, 20), longPause); tr.pause != want {
			t.Fatalf("pause %v after %d failures, want %v", tr.pause, i+1, want)
		}
	}
	if lines != 10 || unsaid != 90-9 {
		t.Errorf("%d lines, which leave out %d", lines, unsaid)
	}
	if err := <-tr.told; err != errDisk {
		t.Errorf("told %v", err)
	}
	if tr.worked(); tr.pause != 0 {
		t.Errorf("pause %v after a success", tr.pause)
	}
}
