package http

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"fairfactor"
)

// TestJobKeepsItsProofs: a client has of a job's primes what the node has.
func TestJobKeepsItsProofs(t *testing.T) {
	want := fairfactor.Job{
		ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}, Caller: "a", Number: "7", Order: 1, State: fairfactor.Completed,
		Factors: []fairfactor.Factor{
			{Prime: "7", Exponent: 2},
			{Prime: "3317044064679887385962123", Exponent: 1, Proof: fairfactor.MinusOne},
			{Prime: "33170440646798873859621230", Exponent: 1, Probable: true},
			{Prime: "331704406467988738596212300", Exponent: 3, Proof: fairfactor.APRCL},
		},
	}
	text := AppendJob(nil, &want)
	if !strings.Contains(string(text), `"proofs":{"3317044064679887385962123":"n-1","331704406467988738596212300":"apr-cl"}`) {
		t.Errorf("%s", text)
	}
	var answer jobAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	if got, err := answer.job(); err != nil || !slices.Equal(got.Factors, want.Factors) {
		t.Errorf("%+v, %v", got.Factors, err)
	}
	want.Factors = want.Factors[:1]
	if text := AppendJob(nil, &want); strings.Contains(string(text), "proofs") {
		t.Errorf("%s", text)
	}
}
