package forgetful

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// file makes a file in the root with synced content and a synced name.
func file(t *testing.T, d *Disk, name string, content []byte) *node {
	t.Helper()
	d.mu.Lock()
	n, errno := d.create(d.root, name, false)
	d.mu.Unlock()
	if errno != 0 {
		t.Fatal(errno)
	}
	n.open++
	check(t, d.write(n, content, 0), d.sync(n), d.sync(d.root))
	return n
}

func check(t *testing.T, all ...syscall.Errno) {
	t.Helper()
	for _, errno := range all {
		if errno != 0 {
			t.Fatal(errno)
		}
	}
}

// cut cuts the power, and returns what is left of each file in the root.
func cut(d *Disk) map[string][]byte {
	d.Cut()
	d.On()
	left := map[string][]byte{}
	for name, n := range d.root.names {
		left[name] = n.data
	}
	return left
}

// TestSyncedStays: what was synced is there, and of what was written later each sector
// is as it was or as it became.
func TestSyncedStays(t *testing.T) {
	const sectors = 40
	old, now := bytes.Repeat([]byte{1}, sectors*SectorSize), bytes.Repeat([]byte{2}, sectors*SectorSize)
	torn := false
	for seed := range uint64(50) {
		d := New(seed, 0, 0)
		file(t, d, "synced", old)
		check(t, d.write(file(t, d, "written", old), now, 0))
		left := cut(d)
		if !bytes.Equal(left["synced"], old) || len(left["written"]) != len(old) {
			t.Fatalf("seed %d: %d and %d bytes are left", seed, len(left["synced"]), len(left["written"]))
		}
		became := 0
		for s := range sectors {
			switch got := sector(left["written"], s); {
			case bytes.Equal(got, sector(now, s)):
				became++
			case !bytes.Equal(got, sector(old, s)):
				t.Fatalf("seed %d: sector %d is neither old nor new", seed, s)
			}
		}
		torn = torn || became > 0 && became < sectors
		if again := cut(d); !bytes.Equal(again["written"], left["written"]) {
			t.Fatalf("seed %d: another cut changes what is on the disk", seed)
		}
	}
	if !torn {
		t.Error("no file was ever torn")
	}
}

// TestGrowing: a file that grew has a size in between, with zeros where data is missing.
func TestGrowing(t *testing.T) {
	sizes := map[int]bool{}
	for seed := range uint64(60) {
		d := New(seed, 0, 0)
		n := file(t, d, "f", []byte("head"))
		check(t, d.write(n, bytes.Repeat([]byte{7}, 5000), 4))
		left := cut(d)["f"]
		if sizes[len(left)] = true; len(left) < 4 || len(left) > 5004 || string(left[:4]) != "head" {
			t.Fatalf("seed %d: %d bytes, %q", seed, len(left), left[:min(4, len(left))])
		}
		for i, b := range left[4:] {
			if b != 7 && b != 0 {
				t.Fatalf("seed %d: byte %d is %d", seed, i, b)
			}
		}
	}
	if len(sizes) < 5 || !sizes[4] || !sizes[5004] {
		t.Errorf("sizes %v", slices.Sorted(maps.Keys(sizes)))
	}
}

// TestNames: names reach the disk with their folder's sync or, in their order, by chance.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(60) {
		d := New(seed, 0, 0)
		file(t, d, "current", []byte("1"))
		d.mu.Lock()
		n, errno := d.create(d.root, "next", false)
		d.mu.Unlock()
		check(t, errno, d.write(n, []byte("2"), 0), d.sync(n), d.rename(d.root, "next", "current"), d.remove(d.root, "current", false))
		if len(d.root.names) != 0 {
			t.Fatal("the name is still seen")
		}
		left, text := cut(d), ""
		for _, name := range slices.Sorted(maps.Keys(left)) {
			text += name + string(left[name]) + " "
		}
		seen[text] = true
	}
	want := []string{"", "current1 ", "current1 next2 ", "current2 "}
	if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, want) {
		t.Errorf("after cuts: %q, want %q", got, want)
	}
}

// TestFailedSync: after a sync that failed, no later one makes the same bytes durable.
func TestFailedSync(t *testing.T) {
	lost, kept := 0, 0
	for seed := range uint64(40) {
		d := New(seed, 0, 0)
		n := file(t, d, "f", []byte("old"))
		d.Set(Fault{Call: Sync, After: 1, Once: true, Error: syscall.EIO})
		check(t, d.write(n, []byte("new"), 0))
		if errno := d.sync(n); errno != syscall.EIO {
			t.Fatal(errno)
		}
		check(t, d.sync(n))
		switch left := string(cut(d)["f"]); left {
		case "old":
			lost++
		case "new":
			kept++
		default:
			t.Fatalf("%q is left", left)
		}
	}
	if lost == 0 || kept == 0 {
		t.Errorf("%d lost, %d kept", lost, kept)
	}
}

// TestFull: a write that finds no room changes nothing, and removing makes room when the
// file is closed.
func TestFull(t *testing.T) {
	d := New(1, 1000, 0)
	n := file(t, d, "f", make([]byte, 900))
	if errno := d.write(n, make([]byte, 200), 900); errno != syscall.ENOSPC || len(n.data) != 900 {
		t.Fatal(errno, len(n.data))
	}
	check(t, d.write(n, make([]byte, 900), 0), d.remove(d.root, "f", false))
	if d.used != 900 {
		t.Errorf("%d bytes are used by a file that is open", d.used)
	}
	d.release(n)
	if d.used != 0 || d.Stats().Refused != 1 {
		t.Errorf("%d bytes are used, %+v", d.used, d.Stats())
	}
}

// TestSyncIsCutOff: a cut during a sync leaves some of what it was to write, and the
// sync fails.
func TestSyncIsCutOff(t *testing.T) {
	d := New(3, 0, 50*time.Millisecond)
	n := file(t, d, "f", make([]byte, 100*SectorSize))
	check(t, d.write(n, bytes.Repeat([]byte{1}, 100*SectorSize), 0))
	before, done := d.Stats().Syncs, make(chan syscall.Errno)
	go func() { done <- d.sync(n) }()
	for d.Stats().Syncs == before {
		runtime.Gosched()
	}
	left := cut(d)["f"]
	if errno := <-done; errno != syscall.EIO || len(left) != 100*SectorSize {
		t.Errorf("%v, %d bytes", errno, len(left))
	}
}

// TestMount does to a mounted disk what processes do, cuts its power while files are
// open, and looks at it again.
func TestMount(t *testing.T) {
	if err := MayMount(); err != nil {
		t.Skip(err)
	}
	d, folder := New(1, 1<<20, 0), t.TempDir()
	unmount, err := d.Mount(folder)
	if err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(folder, "in")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	rng, content := rand.New(rand.NewPCG(1, 1)), make([]byte, 300_000)
	for i := range content {
		content[i] = byte(rng.Uint32())
	}
	f, err := os.Create(filepath.Join(in, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	syncAll := func() {
		t.Helper()
		for _, name := range []string{in, folder} {
			dir, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(f.Sync(), os.Rename(filepath.Join(in, "a"), filepath.Join(in, "b"))); err != nil {
		t.Fatal(err)
	}
	syncAll()
	d.Fill(10)
	if _, err := f.Write(content); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	d.Cut()
	if _, err := f.Write([]byte("x")); !errors.Is(err, syscall.EIO) {
		t.Errorf("without power: %v", err)
	}
	f.Close()
	if err := unmount(); err != nil {
		t.Fatal(err)
	}
	d.Resize(0)
	d.On()
	if unmount, err = d.Mount(folder); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(in)
	if err != nil || len(entries) != 1 || entries[0].Name() != "b" {
		t.Errorf("%v, %v", entries, err)
	}
	if got, err := os.ReadFile(filepath.Join(in, "b")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := os.Truncate(filepath.Join(in, "b"), 7); err != nil {
		t.Error(err)
	}
	if err := errors.Join(os.Remove(filepath.Join(in, "b")), os.Remove(in), unmount()); err != nil {
		t.Error(err)
	}
}
