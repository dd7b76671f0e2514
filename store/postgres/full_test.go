package postgres_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// TestServersDiskIsFull: while the disk of the server is full, changes are refused as
// unavailable with a time to come again, and what was said of each job is true. When there
// is room, the store goes on; a server that has ended has to be started.
func TestServersDiskIsFull(t *testing.T) {
	disk, err := os.MkdirTemp("", "pgtest-disk-") // others may look into it, unlike that of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(disk) })
	mountMemory(t, disk, "160m")
	t.Setenv("TMPDIR", disk)
	server := pgtest.Start(t, "fsync=off", "max_wal_size=32MB", "min_wal_size=32MB")
	s := open(t, server.Database(t))
	defer s.Close()
	w := claim(t, s, "a")
	filler := filepath.Join(disk, "filler")
	accepted := 0
	apply := func() error {
		t.Helper()
		ch := w.next()
		errs, err := s.Apply(context.Background(), []fairfactor.Change{ch})
		if errs != nil {
			t.Fatal(errs)
		}
		if err == nil {
			accepted++
		}
		return err
	}
	if err := apply(); err != nil {
		t.Fatal(err)
	}
	fillDisk(t, filler)
	var full error
	for n := 0; full == nil; n++ { // what was allocated before may be used
		if full = apply(); n > 20_000 {
			t.Fatal("the disk is full, and 20,000 jobs are accepted")
		}
	}
	var e *fairfactor.Error
	if !errors.As(full, &e) || e.Code != fairfactor.Unavailable || e.Retry == 0 {
		t.Errorf("on a full disk: %v", full)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if server.Ended() {
		server.Restart(t)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		err := apply()
		if err == nil {
			break
		}
		if fairfactor.CodeOf(err) != fairfactor.Unavailable || time.Now().After(deadline) {
			t.Fatalf("with room again: %v", err)
		}
	}
	if c, err := s.Caller(t.Context(), "a"); err != nil || c.Queued != uint64(accepted) {
		t.Errorf("%d jobs are there, %d were accepted: %v", c.Queued, accepted, err)
	}
}

// fillDisk writes to a file until there is no room.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 4 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
}

// TestNoConnectionIsLeft: all connections of the server are taken by others, while a store
// has none: it answers unavailable, and goes on when there is one.
func TestNoConnectionIsLeft(t *testing.T) {
	server := pgtest.Start(t, "fsync=off", "max_connections=12", "superuser_reserved_connections=0")
	direct := server.Database(t)
	p, url := behind(t, direct)
	s := open(t, url)
	defer s.Close()
	w := claim(t, s, "a")
	p.cut()
	var others []*pgx.Conn
	for len(others) < 50 {
		c, err := pgx.Connect(t.Context(), direct)
		if err != nil {
			break
		}
		others = append(others, c)
	}
	p.heal()
	ch := w.next()
	_, err := s.Apply(t.Context(), []fairfactor.Change{ch})
	var e *fairfactor.Error
	if !errors.As(err, &e) || e.Code != fairfactor.Unavailable || e.Retry == 0 {
		t.Errorf("without a connection: %v", err)
	}
	if err := s.Ready(t.Context()); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("ready without a connection: %v", err)
	}
	for _, c := range others {
		c.Close(t.Context())
	}
	for deadline := time.Now().Add(time.Minute); ; {
		errs, err := s.Apply(t.Context(), []fairfactor.Change{ch})
		if err == nil {
			if errs != nil {
				t.Error(errs)
			}
			return
		}
		if fairfactor.CodeOf(err) != fairfactor.Unavailable || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
