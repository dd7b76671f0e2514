package main

import (
	"bytes"
	"testing"

	"fairfactor"
)

// TestWhatWasFoundIsPrinted: a job that ended without its answer shows the primes
// that are known.
func TestWhatWasFoundIsPrinted(t *testing.T) {
	job := fairfactor.Job{
		ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}, Caller: "a", Number: "12", State: fairfactor.Failed,
		Factors: []fairfactor.Factor{{Prime: "2", Exponent: 2}}, Reason: "the limit is used up",
	}
	for _, c := range []struct {
		json bool
		want string
	}{
		{false, "12: failed the limit is used up; found 2 2\n"},
		{true, `"result":null,"found":{"2":2},`},
	} {
		var out bytes.Buffer
		printer{out: &out, json: c.json}.ended(job)
		if !bytes.Contains(out.Bytes(), []byte(c.want)) {
			t.Errorf("json %v: %q lacks %q", c.json, out.String(), c.want)
		}
	}
}
