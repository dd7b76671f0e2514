package pebble

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// said is what a node said of a job, as far as it does not change at the next start.
type said struct {
	ID        string         `json:"request_id"`
	Caller    string         `json:"caller_id"`
	Number    string         `json:"number"`
	Status    string         `json:"status"`
	Result    map[string]int `json:"result"`
	Submitted time.Time      `json:"submitted_at"`
	Started   time.Time      `json:"started_at"`
	Finished  time.Time      `json:"finished_at"`
	Attempts  int            `json:"attempts"`
	Turn      uint64         `json:"turn"`
	CPU       int64          `json:"cpu_us"`
	Deadline  time.Time      `json:"deadline"`
}

// TestEarlierLayouts opens the directories in testdata, each written by a node of that
// layout that was killed then, and compares each job with what that node said of
// it, kept in a file of the same name: looked up, listed, found by its number and state,
// and completed if it was not.
func TestEarlierLayouts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "layout*.json"))
	if err != nil || len(files) < layoutVersion-1 { // the first has a test of its own
		t.Fatalf("%q, %v: each layout needs a directory, see testdata/layout.sh", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var page struct{ Jobs []said }
			if err := json.Unmarshal(raw, &page); err != nil || len(page.Jobs) < 10 {
				t.Fatalf("%d jobs, %v", len(page.Jobs), err)
			}
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(strings.TrimSuffix(file, ".json"))); err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, dir, vfs.Default, 0)
			if version, err := s.number(keyVersion); version != layoutVersion || err != nil {
				t.Errorf("layout %d, %v", version, err)
			}
			for round := range 2 { // then as the present layout
				for i := range page.Jobs {
					if want := &page.Jobs[i]; round == 0 || want.ended() {
						want.compare(t, s)
					}
				}
				if list, err := s.List(t.Context(), fairfactor.Query{Limit: 100}); err != nil || len(list.Jobs) != len(page.Jobs) {
					t.Errorf("%d jobs are listed, want %d: %v", len(list.Jobs), len(page.Jobs), err)
				}
				if round == 0 {
					finishEach(t, s, page.Jobs)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, dir, vfs.Default, 0)
			}
			s.Close()
		})
	}
}

func (w *said) ended() bool { return w.Status != "pending" && w.Status != "running" }

// compare holds a job in a store against what was said of it.
func (w *said) compare(t *testing.T, s *Store) {
	t.Helper()
	id, err := fairfactor.ParseID(w.ID)
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Job(t.Context(), id)
	if err != nil {
		t.Fatalf("job %s: %v", w.ID, err)
	}
	got := said{
		ID: j.ID.String(), Caller: j.Caller, Number: j.Number, Status: j.State.String(), Submitted: j.Submitted, Started: w.Started,
		Finished: j.Finished, Attempts: w.Attempts, Turn: w.Turn, CPU: w.CPU, Deadline: j.Deadline,
	}
	for _, f := range j.Factors {
		if got.Result == nil {
			got.Result = map[string]int{}
		}
		got.Result[f.Prime] = f.Exponent
	}
	want := *w
	if w.ended() {
		got.Started, got.Attempts, got.Turn, got.CPU = j.Started, j.Attempts, j.Turn, j.CPU.Microseconds()
	} else {
		want.Status, want.Result, got.Result = "pending", nil, nil // what runs is in memory
	}
	if !maps.Equal(got.Result, want.Result) && w.Status == "completed" {
		t.Errorf("job %s: factors %v, want %v", w.ID, got.Result, want.Result)
	}
	got.Result, want.Result = nil, nil
	if a, b := text(t, got), text(t, want); a != b {
		t.Errorf("job %s:\n got %s\nwant %s", w.ID, a, b)
	}
	page, err := s.List(t.Context(), fairfactor.Query{Number: w.Number, States: fairfactor.In(j.State), Caller: w.Caller, Limit: 10})
	if err != nil || len(page.Jobs) != 1 || page.Jobs[0].ID != id {
		t.Errorf("job %s is not found by number, state and caller: %+v, %v", w.ID, page.Jobs, err)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// finishEach completes all jobs that have not ended.
func finishEach(t *testing.T, s *Store, all []said) {
	t.Helper()
	left := 0
	for i := range all {
		if !all[i].ended() {
			left++
		}
	}
	list, err := s.Backlogged(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		a := activate(t, s, b.Name)
		waiting, err := s.Backlog(t.Context(), a.claim.Number, 0, 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range waiting {
			mustApply(t, s, a.finish(w.Job))
			left--
		}
	}
	if left != 0 {
		t.Errorf("%d jobs of those that had not ended are in no backlog", left)
	}
}
