package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairfactor/factor"
)

// What factor --certificate prints, verify takes, as lines and as objects.
func TestCertificatesAreVerified(t *testing.T) {
	const numbers = "1 97 2^137-1 18446744073709551629^2*3 10^40+121 600851475143"
	for _, flags := range []string{"", "-h", "--json", "--json --divisors", "--workers 1"} {
		args := append([]string{"factor", "--certificate"}, strings.Fields(flags)...)
		status, out, err := execute(t, strings.ReplaceAll(numbers, " ", "\n"), args...)
		if status != 0 || err != "" {
			t.Fatalf("%s: status %d, %q", flags, status, err)
		}
		status, verified, err := execute(t, out, "verify")
		if status != 0 || err != "" || strings.Count(verified, ": factored\n") != 6 || strings.Count(verified, ": prime\n") != 10 {
			t.Errorf("%s: status %d, %q, %q of %s", flags, status, verified, err, out)
		}
		for _, want := range []string{"97: prime", "97: factored", "1: factored", "18446744073709551629: prime", "10000000000000000000000000000000000000121: factored"} {
			if !strings.Contains("\n"+verified, "\n"+want+"\n") {
				t.Errorf("%s: no %s in %s", flags, want, verified)
			}
		}
	}
	status, out, _ := execute(t, "", "factor", "--certificate", "55340232221128654887")
	if want := "55340232221128654887: 3 18446744073709551629\n3\n[18446744073709551629, [2, 658812288346769701]]\n"; status != 0 || out != want {
		t.Errorf("status %d, %s", status, out)
	}
	var answer struct{ Certificates map[string]string }
	_, out, _ = execute(t, "", "factor", "--json", "--certificate", "55340232221128654887")
	if err := json.Unmarshal([]byte(out), &answer); err != nil || answer.Certificates["18446744073709551629"] != "[18446744073709551629, [2, 658812288346769701]]" {
		t.Errorf("%s: %v", out, err)
	}
}

// A prime that is too long for a certificate is factored all the same, and told of.
func TestUncertified(t *testing.T) {
	for _, flag := range []string{"--certificate", "--certificate --json"} {
		status, out, err := execute(t, "", append([]string{"factor", "2^1279-1"}, strings.Fields(flag)...)...)
		if status != exitError || !strings.Contains(err, "it has 386 digits") || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: status %d, %q, %q", flag, status, out, err)
		}
	}
	for _, args := range []string{"--certificate --phi 5", "--certificate --divisors 5"} {
		if status, _, err := execute(t, "", append([]string{"factor"}, strings.Fields(args)...)...); status != exitUsage || !strings.Contains(err, "add --json") {
			t.Errorf("%s: status %d, %q", args, status, err)
		}
	}
}

// An interrupt while certificates are made leaves the factors, which are complete.
func TestCertificatesInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	const p = "10000000000000000000000000000000000000121"
	a := answer{word: p, number: p, primes: []factor.Prime{{P: p, Exponent: 1, Proven: true}}}
	a.err = certify(ctx, factor.NewRunner(), &a)
	want := p + ": interrupted before all certificates were made; found " + p
	if got := reason(a); got != want || !errors.Is(a.err, errInterrupted) || a.remaining == nil || a.certificates != nil {
		t.Errorf("%s, want %s; %v", got, want, a)
	}
}

func TestVerify(t *testing.T) {
	const good = "[18446744073709551629, [2, 658812288346769701]]"
	for _, test := range []struct {
		in, out, why string
		status       int
	}{
		{"", "", "nothing to verify", exitError},
		{"# a comment\n\n", "", "nothing to verify", exitError},
		{good, "18446744073709551629: prime\n", "", exitDone},
		{"  " + good + "\r\n7\n", "18446744073709551629: prime\n7: prime\n", "", exitDone},
		{"15\n", "", "-:1: a certificate does not hold: 15 is not a prime below 2^64", exitError},
		{"7\n15\n", "7: prime\n", "-:2: ", exitSomeFailed},
		{"x\n", "", "-:1: not a certificate of primality", exitError},
		{strings.Replace(good, "9701", "9703", 1), "", "does not hold", exitError},
		{"12: 2 2 3\n", "12: factored\n", "", exitDone},
		{"12: 2^2 3\n", "12: factored\n", "", exitDone},
		{"12: 2 3\n", "", "do not multiply", exitError},
		{"12: 3 2 2\n", "", "do not multiply", exitError},
		{"12: 3 4\n", "", "4 has no certificate", exitError},
		{"x: 3 4\n", "", "-:1: ", exitError},
		{"18446744073709551629: 18446744073709551629\n" + good, "18446744073709551629: prime\n18446744073709551629: factored\n", "", exitDone},
		{"18446744073709551629: 18446744073709551629\n", "", "-:1: 18446744073709551629 has no certificate", exitError},
		// A certificate is about the line before it.
		{good + "\n18446744073709551629: 18446744073709551629\n", "18446744073709551629: prime\n", "-:2: ", exitSomeFailed},
		{"18446744073709551629: 18446744073709551629\n7: 7\n" + good, "18446744073709551629: prime\n7: factored\n", "-:1: ", exitSomeFailed},
		{`{"number":"12","result":{"3":1,"2":2}}`, "12: factored\n", "", exitDone},
		{`{"number":"12","result":{"3":1,"4":1}}`, "", "4 has no certificate", exitError},
		{`{"number":"12","result":{"3":1},"remaining":["4"]}`, "", "12 is not factored completely", exitError},
		{`{"number":"3","result":{"3":1},"certificates":{"3":"4"}}`, "", "4 is not a prime", exitError},
		{`{"number":12}`, "", "not an object", exitError},
	} {
		status, out, err := execute(t, test.in, "verify")
		if status != test.status || out != test.out || !strings.Contains(err, test.why) || (err == "") != (test.why == "") {
			t.Errorf("%q: status %d, %q, %q", test.in, status, out, err)
		}
	}
	name := filepath.Join(t.TempDir(), "certificates")
	if err := os.WriteFile(name, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, err := execute(t, "5", "verify", name, "-"); status != 0 || out != "18446744073709551629: prime\n5: prime\n" {
		t.Errorf("status %d, %q, %q", status, out, err)
	}
	if status, _, err := execute(t, "", "verify", name+"x"); status != exitUsage || !strings.Contains(err, "can't read") {
		t.Errorf("status %d, %q", status, err)
	}
}
