package sim

import (
	"testing"
	"time"

	"fairfactor"
)

// What the model allows, and what it must not.
func TestModel(t *testing.T) {
	submitted := question{verb: submit, state: fairfactor.Pending}
	saw := func(s fairfactor.State) question { return question{verb: get, state: s} }
	refused := func(v verb) question { return question{verb: v, code: fairfactor.Conflict} }
	all := func(v verb) question { return question{verb: v} }
	tests := map[string]struct {
		history []question
		ok      bool
	}{
		"a job that ends":               {[]question{submitted, saw(fairfactor.Running), saw(fairfactor.Completed)}, true},
		"an end that is taken back":     {[]question{submitted, saw(fairfactor.Completed), saw(fairfactor.Running)}, false},
		"two ends":                      {[]question{submitted, saw(fairfactor.Completed), saw(fairfactor.Cancelled)}, false},
		"a job that was lost":           {[]question{submitted, {verb: get, code: fairfactor.NotFound}}, false},
		"a job before its submission":   {[]question{saw(fairfactor.Pending), submitted}, false},
		"cancel":                        {[]question{submitted, {verb: cancel}, saw(fairfactor.Cancelled)}, true},
		"cancel without effect":         {[]question{submitted, {verb: cancel}, saw(fairfactor.Completed)}, false},
		"a conflict before the end":     {[]question{submitted, refused(cancel), saw(fairfactor.Running)}, false},
		"a conflict after the end":      {[]question{submitted, refused(cancel), saw(fairfactor.Failed)}, true},
		"cancelled twice":               {[]question{submitted, {verb: cancel}, {verb: cancel}}, false},
		"cancelled, and asked again":    {[]question{submitted, {verb: cancel}, {verb: cancel, again: true}}, true},
		"retry":                         {[]question{submitted, saw(fairfactor.Failed), {verb: retry}, saw(fairfactor.Completed)}, true},
		"retry of a job that completed": {[]question{submitted, saw(fairfactor.Completed), {verb: retry}}, false},
		"a failed job is not retried":   {[]question{submitted, saw(fairfactor.Failed), refused(retry)}, false},
		"all cancelled":                 {[]question{submitted, all(cancelAll), saw(fairfactor.Cancelled), refused(cancel)}, true},
		"ended before all cancelled":    {[]question{submitted, all(cancelAll), refused(cancel), saw(fairfactor.Completed)}, true},
		"not all cancelled":             {[]question{submitted, all(cancelAll), saw(fairfactor.Running)}, false},
		"cancelled after all were":      {[]question{submitted, all(cancelAll), {verb: cancel}}, false},
		"all cancelled but the last":    {[]question{all(cancelAll), submitted}, false},
		"all retried":                   {[]question{submitted, saw(fairfactor.Failed), all(retryAll), saw(fairfactor.Running), saw(fairfactor.Completed)}, true},
		"not all retried":               {[]question{submitted, saw(fairfactor.Failed), all(retryAll), refused(cancel), saw(fairfactor.Cancelled)}, false},
		"a completed one retried":       {[]question{submitted, saw(fairfactor.Completed), all(retryAll), saw(fairfactor.Running)}, false},
		"cancelled and retried":         {[]question{submitted, all(cancelAll), all(retryAll), saw(fairfactor.Cancelled), saw(fairfactor.Cancelled)}, true},
		"an answer that was lost":       {[]question{submitted, {verb: cancel, unknown: true}, saw(fairfactor.Cancelled)}, true},
	}
	for name, test := range tests {
		s, ok := absent, true
		for _, q := range test.history {
			if ok {
				ok, s = step(s, q)
			}
		}
		if ok != test.ok {
			t.Errorf("%s: the model says %v", name, ok)
		}
	}
}

// A clock that is set moves no deadline.
func TestTime(t *testing.T) {
	before := at(time.Second, time.Second)
	after := at(3*time.Second, 3*time.Second-time.Hour)
	if d := after.Sub(before); d != 2*time.Second {
		t.Errorf("%v have passed", d)
	}
	if shown := after.Round(0).Sub(before.Round(0)); shown != 2*time.Second-time.Hour {
		t.Errorf("the clock shows that %v have passed", shown)
	}
	if !before.Round(0).Equal(epoch.Add(time.Second)) {
		t.Errorf("the clock shows %v", before)
	}
}
