package main

import (
	"strings"
	"testing"
)

// rsa120 is a product of two primes of 60 digits: there are only curves for it.
const rsa120 = "227010481295437363334259960947493668895875336466084780038173258247009162675779735389791151574049166747880487470296548479"

// TestRetryGoesOn: a job fails at its limit of CPU, the node is killed and starts again, and
// a retry goes on with the curves that were run, those that its submission told of included.
func TestRetryGoesOn(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	dir := t.TempDir()
	p := serve(t, dir, "--max-cpu", "400ms")
	status, j, err := p.do("POST", "/compute", "a", `{"number":"`+rsa120+`","ecm":{"2000":20,"999983":2}}`)
	if err != nil || status != 202 {
		t.Fatalf("%d %+v %v", status, j, err)
	}
	first := p.wait(j.ID)
	if first.Status != "failed" || first.ECM["2000"] < 20 || first.ECM["999983"] != 2 {
		t.Fatalf("%+v", first)
	}
	p.kill()
	p = serve(t, dir, "--max-cpu", "400ms")
	if _, again, err := p.do("GET", "/compute/"+j.ID, "", ""); err != nil || again.ECM["2000"] != first.ECM["2000"] {
		t.Errorf("after a crash: %+v, %v", again, err)
	}
	if status, _, err := p.do("POST", "/compute/"+j.ID+"/retry", "", ""); err != nil || status != 202 {
		t.Fatalf("retry: %d %v", status, err)
	}
	second := p.wait(j.ID)
	t.Logf("%v, then %v", first.ECM, second.ECM)
	if second.Status != "failed" || sum(second.ECM) <= sum(first.ECM) || second.ECM["999983"] != 2 {
		t.Errorf("first %v, then %v", first.ECM, second.ECM)
	}
}

func sum(curves map[string]uint64) (all uint64) {
	for _, n := range curves {
		all += n
	}
	return all
}

// TestSubmitKnownWork: the flags say what the API says, and bad ones are refused with a
// reason.
func TestSubmitKnownWork(t *testing.T) {
	p := serve(t, t.TempDir())
	cmd := program("submit", "--url", p.url, "--caller", "a", "--wait", "-o", "json", "--ecm", "50000:200,11000:9", "--known-factor", "2147483647", "--known-factor", "3", "9*(2^31-1)*(2^13-1)")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"result":{"3":2,"8191":1,"2147483647":1}`) || !strings.Contains(string(out), `"ecm":{"11000":9,"50000":200}`) {
		t.Errorf("%v: %s", err, out)
	}
	for text, want := range map[string]string{
		"--ecm 5 77": "is not B1:CURVES", "--ecm 50000:0 77": "between 1 and", "--ecm 50000:1 77 91": "exactly one number",
		"--known-factor 5 77": "does not divide", "--known-factor 77 77": "not prime", "--known-factor 7 --ecm 99:1 77": "between 100 and",
	} {
		out, err := program(append([]string{"submit", "--url", p.url}, strings.Fields(text)...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s", text, err, out)
		}
	}
}
