package fairfactor_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"fairfactor"
)

// TestDeathsAreForgiven: those from before a job got on count no more, and few are kept.
func TestDeathsAreForgiven(t *testing.T) {
	var d *fairfactor.Deaths
	if d.Count() != 0 || d.Has("a") || d.Last() != "" || d.Suspect(0) {
		t.Error("no deaths are some")
	}
	d = d.With("a", 10*time.Second).With("b", 69*time.Second)
	if !slices.Equal(d.Processes, []string{"a", "b"}) || !d.Has("a") || d.Last() != "b" || !d.Suspect(128*time.Second) {
		t.Errorf("two deaths in a minute: %+v", d)
	}
	if again := d.Again("a"); again.Last() != "a" || again.Count() != 2 || again.CPU != d.CPU || d.Last() != "b" || d.Again("b") != d || d.Again("c") != d {
		t.Errorf("a death that is told again: %+v, of %+v", again, d)
	}
	if d.Suspect(129 * time.Second) {
		t.Error("a job that used a minute more is under suspicion")
	}
	if d = d.With("c", 129*time.Second); !slices.Equal(d.Processes, []string{"c"}) {
		t.Errorf("a death after a minute: %+v", d)
	}
	for i := range 2 * fairfactor.MaxDeaths {
		d = d.With(strconv.Itoa(i), 129*time.Second)
	}
	if d.Count() != fairfactor.MaxDeaths || d.Last() != "31" {
		t.Errorf("many deaths: %+v", d)
	}
	job := fairfactor.Job{State: fairfactor.Failed, Deaths: d}
	if !job.Quarantined() {
		t.Error("a job that failed with deaths is not quarantined")
	}
	if job.Deaths = nil; job.Quarantined() {
		t.Error("a job that failed without deaths is quarantined")
	}
}
