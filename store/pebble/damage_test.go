package pebble

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestDamage flips one bit of one file of a data directory, again and again.
// Either the store says that it is damaged, at its start or when the damage is
// read, or every answer is right.
func TestDamage(t *testing.T) {
	rng := seeded(t)
	for name, clean := range map[string]bool{"stopped": true, "killed": false} {
		t.Run(name, func(t *testing.T) {
			d := newDamage(t, clean)
			refused := 0
			for range 30 {
				if d.once(t, rng) {
					refused++
				}
			}
			if refused == 0 {
				t.Error("no damage was ever noticed")
			}
		})
	}
}

// damage is what was stored in a directory, and its files as they were.
type damage struct {
	files map[string][]byte
	names []string // of those that hold something
	jobs  []fairfactor.Job
	last  map[fairfactor.ID]bool // jobs of the last group
}

// newDamage fills a directory, and stops the store or takes a copy while it is
// open.
func newDamage(t testing.TB, clean bool) *damage {
	d := &damage{files: map[string][]byte{}, last: map[fairfactor.ID]bool{}}
	live := filepath.Join(t.TempDir(), "data")
	s := mustOpen(t, live, vfs.Default, 64<<10)
	a := activate(t, s, "a")
	for n := range 60 {
		var accepted, finished []fairfactor.Change
		for range 20 {
			accepted = append(accepted, a.accept())
		}
		mustApply(t, s, accepted...)
		for i, ch := range accepted {
			if i%2 == 0 {
				ch = a.finish(*ch.Job)
				finished = append(finished, ch)
			}
			d.jobs = append(d.jobs, *ch.Job)
			d.last[ch.Job.ID] = n == 59
		}
		mustApply(t, s, finished...)
	}
	if clean {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		d.copy(t, live)
		return d
	}
	d.copy(t, live)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

// copy takes over the files of a directory.
func (d *damage) copy(t testing.TB, from string) {
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		d.files[e.Name()] = raw
		if len(raw) > 0 {
			d.names = append(d.names, e.Name())
		}
	}
}

// with returns a file system in memory that holds the directory with one file
// replaced.
func (d *damage) with(t *testing.T, name string, raw []byte) vfs.FS {
	fs := vfs.NewMem()
	if err := fs.MkdirAll("data", 0o750); err != nil {
		t.Fatal(err)
	}
	for n, content := range d.files {
		if n == name {
			content = raw
		}
		f, err := fs.Create(fs.PathJoin("data", n), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(slices.Clone(content)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

// manifest returns the name of Pebble's list of tables.
func (d *damage) manifest() string {
	i := slices.IndexFunc(d.names, func(name string) bool { return strings.HasPrefix(name, "MANIFEST-") })
	return d.names[i]
}

// once damages a copy, reads everything, and reports whether the damage was
// noticed.
func (d *damage) once(t *testing.T, rng *rand.Rand) (noticed bool) {
	file := d.names[rng.IntN(len(d.names))]
	if rng.IntN(3) == 0 {
		file = d.manifest()
	}
	raw := slices.Clone(d.files[file])
	at := rng.IntN(len(raw))
	raw[at] ^= 1 << rng.IntN(8)
	return d.look(t, file, at, raw, rng.IntN(20), 1+rng.IntN(40))
}

// look opens a copy in which a file is damaged from a byte on, reads some of its jobs and
// their list, and reports whether the damage was noticed.
func (d *damage) look(t *testing.T, file string, at int, raw []byte, first, step int) (noticed bool) {
	t.Helper()
	s, err := open("data", Options{Logger: quiet, Fatal: func(error) {}}, d.with(t, file, raw))
	if err != nil {
		if !strings.Contains(fairfactor.MessageOf(err), "data directory data ") {
			t.Errorf("%s at %d of %d: the message does not name the directory: %v", file, at, len(raw), err)
		}
		return true
	}
	defer s.Close()
	for i := first; i < len(d.jobs); i += step {
		want := d.jobs[i]
		got, err := s.Job(t.Context(), want.ID)
		switch {
		case fairfactor.CodeOf(err) == fairfactor.Internal:
			noticed = true
		case err != nil || !reflect.DeepEqual(got, want):
			// The end of a log that was damaged looks like one that was torn when
			// the machine stopped.
			if d.last[want.ID] && strings.HasSuffix(file, ".log") {
				continue
			}
			t.Fatalf("%s at %d of %d:\n got %+v, %v\nwant %+v", file, at, len(raw), got, err, want)
		}
	}
	if page, err := s.List(t.Context(), fairfactor.Query{Caller: "a", Limit: fairfactor.MaxPage}); err == nil && !noticed {
		d.sameList(t, page.Jobs, file, at)
	}
	return noticed
}

// sameList compares a page of the newest jobs with what was stored. Those of the
// last group may be missing where a log was damaged.
func (d *damage) sameList(t *testing.T, listed []fairfactor.Job, file string, at int) {
	t.Helper()
	end := len(d.jobs)
	for end > 0 && (len(listed) == 0 || d.jobs[end-1].ID != listed[0].ID) {
		end--
		if j := d.jobs[end]; !d.last[j.ID] || !strings.HasSuffix(file, ".log") {
			t.Fatalf("%s at %d of %d: the list has %d jobs and not\n%+v", file, at, len(d.files[file]), len(listed), j)
		}
	}
	for i, got := range listed {
		if j := d.jobs[end-1-i]; !d.last[j.ID] && !reflect.DeepEqual(got, j) {
			t.Fatalf("%s at %d of %d: listed\n got %+v\nwant %+v", file, at, len(d.files[file]), got, j)
		}
	}
}

// TestDamagedTableIsNotSkipped damages each part of each table: a list may fail,
// but not go on without the jobs that can't be read.
func TestDamagedTableIsNotSkipped(t *testing.T) {
	d := newDamage(t, true) // half of the jobs have ended, so the others alone fill a page of half of all
	tables, refused := 0, 0
	for _, file := range d.names {
		if !strings.HasSuffix(file, ".sst") {
			continue
		}
		tables++
		for at := 100; at < len(d.files[file]); at += 500 {
			raw := slices.Clone(d.files[file])
			raw[at] ^= 1
			s, err := open("data", Options{Logger: quiet, Fatal: func(error) {}}, d.with(t, file, raw))
			if err != nil {
				refused++
				continue
			}
			page, err := s.List(t.Context(), fairfactor.Query{Caller: "a", Limit: len(d.jobs) / 2})
			if err == nil {
				d.sameList(t, page.Jobs, file, at)
			} else {
				refused++
			}
			s.Close()
		}
	}
	if tables == 0 || refused == 0 {
		t.Errorf("%d tables, damage was noticed %d times", tables, refused)
	}
}
