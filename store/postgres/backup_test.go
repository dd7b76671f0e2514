package postgres_test

import (
	"path/filepath"
	"slices"
	"testing"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// A dump that was made while a node wrote is restored as the operator's manual
// says: what was accepted before is there, what came later is not, and the next
// activation goes on.
func TestBackup(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	p := claim(t, s, "alice")
	ended, waits := p.next(), p.next()
	commit := func(changes ...fairfactor.Change) {
		t.Helper()
		if errs, err := s.Apply(t.Context(), changes); err != nil || slices.ContainsFunc(errs, func(e error) bool { return e != nil }) {
			t.Fatal(errs, err)
		}
	}
	commit(ended, waits)
	commit(p.done(ended))
	dump := filepath.Join(t.TempDir(), "fairfactor.dump")
	pgtest.Tool(t, "pg_dump", "-d", url, "-Fc", "-f", dump)
	late := p.next()
	commit(late)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	pgtest.Tool(t, "pg_restore", "-d", url, "--clean", "--if-exists", dump)

	s = open(t, url)
	defer s.Close()
	if n := written(t, s, "alice"); n != 2 {
		t.Errorf("%d jobs are there, want 2", n)
	}
	for _, job := range []struct {
		of   fairfactor.Change
		want fairfactor.State
	}{{ended, fairfactor.Completed}, {waits, fairfactor.Pending}, {late, 0}} {
		got, err := s.Job(t.Context(), job.of.Job.ID)
		if got.State != job.want || (err != nil) != (job.want == 0) {
			t.Errorf("job %v is %v, want %v (%v)", job.of.Job.ID, got.State, job.want, err)
		}
	}
	p = claim(t, s, "alice")
	commit(p.next(), p.done(waits))
	if n := written(t, s, "alice"); n != 3 {
		t.Errorf("%d jobs are there, want 3", n)
	}
}
