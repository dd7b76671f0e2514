package main

import (
	"testing"
	"time"
)

// hardNumber is a product of two primes of 37 and 38 digits: half a minute of CPU.
const hardNumber = "481372184910109445424721106865902946893825278783468771127068422908046627451"

// TestTerminatedNodeSavesWhatItFound: after SIGTERM a long job goes on with all that it had
// used, also what was found since the last checkpoint.
func TestTerminatedNodeSavesWhatItFound(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	dir := t.TempDir()
	p := serve(t, dir)
	j := p.submit("patient", hardNumber)
	var used int64 // microseconds of CPU
	for end := time.Now().Add(time.Minute); used < 2_000_000; {
		_, now, err := p.do("GET", "/compute/"+j.ID+"?wait=1", "", "")
		if err != nil || time.Now().After(end) {
			t.Fatalf("%+v, %v", now, err)
		}
		used = now.CPU
	}
	if code := p.terminate(); code != 0 {
		t.Fatalf("status %d after SIGTERM", code)
	}
	p = serve(t, dir)
	_, now, err := p.do("GET", "/compute/"+j.ID, "", "")
	if err != nil || now.CPU < used*98/100 || now.Deaths != nil {
		t.Errorf("%d us of CPU are left of %d: %+v, %v", now.CPU, used, now, err)
	}
	if _, _, err := p.do("DELETE", "/compute/"+j.ID, "", ""); err != nil {
		t.Error(err)
	}
	t.Logf("%d us before, %d us after", used, now.CPU)
}
