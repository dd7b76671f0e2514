package pebble

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"fairfactor"
)

// errDisk is what a broken disk says.
var errDisk = errors.New("input/output error")

// TestFailedLogIsFatal: when the log can't be written or synced, nothing more
// is acknowledged, by anybody, and the node is told once.
func TestFailedLogIsFatal(t *testing.T) {
	kinds := map[string][]errorfs.OpKind{
		"sync":  {errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo},
		"write": {errorfs.OpFileWrite},
	}
	for name, kinds := range kinds {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				failLog(t, kinds)
			}
		})
	}
}

func failLog(t *testing.T, kinds []errorfs.OpKind) {
	var broken atomic.Bool
	disk := vfs.NewCrashableMem()
	fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		for _, kind := range kinds {
			if broken.Load() && op.Kind == kind && strings.HasSuffix(op.Path, ".log") {
				return errDisk
			}
		}
		return nil
	}))
	var fatal atomic.Int32
	s, err := open("data", Options{Logger: quiet, Fatal: func(err error) {
		if fairfactor.CodeOf(err) != fairfactor.Unavailable {
			t.Errorf("fatal: %v", err)
		}
		fatal.Add(1)
	}}, fs)
	if err != nil {
		t.Fatal(err)
	}
	a := activate(t, s, "a")
	safe := a.accept()
	mustApply(t, s, safe)
	var others []*activation
	for _, name := range []string{"b", "c", "d", "e"} {
		others = append(others, activate(t, s, name))
	}
	broken.Store(true)
	var writers sync.WaitGroup
	for _, o := range others {
		writers.Go(func() {
			for range 20 {
				if _, err := s.Apply(t.Context(), []fairfactor.Change{o.accept()}); fairfactor.CodeOf(err) != fairfactor.Unavailable {
					t.Errorf("a write to a broken log: %v", err)
				}
			}
		})
	}
	writers.Wait()
	broken.Store(false) // a disk that works again changes nothing
	if _, err := s.Apply(t.Context(), []fairfactor.Change{a.accept()}); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("a write after the log failed: %v", err)
	}
	if _, err := s.ClaimCaller(t.Context(), "a", ""); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("a claim after the log failed: %v", err)
	}
	if _, err := s.ClaimScheduler(t.Context()); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("a claim of the scheduler after the log failed: %v", err)
	}
	if _, err := s.Expire(t.Context(), epochTime, 1); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("expiry after the log failed: %v", err)
	}
	if got, err := s.Job(t.Context(), safe.Job.ID); err != nil || got.Number != safe.Job.Number {
		t.Errorf("a read after the log failed: %+v, %v", got, err)
	}
	if n := fatal.Load(); n != 1 {
		t.Errorf("fatal was called %d times", n)
	}
	s.Close() // may fail, must not hang
	r := mustOpen(t, "data", disk.CrashClone(vfs.CrashCloneCfg{}), 0)
	if got, err := r.Job(t.Context(), safe.Job.ID); err != nil || got.Number != safe.Job.Number {
		t.Errorf("an acknowledged job after the new start: %+v, %v", got, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
