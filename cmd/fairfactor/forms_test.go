package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"fairfactor/factor"
)

// TestFormsOfFactor: what is printed of a number in each form.
func TestFormsOfFactor(t *testing.T) {
	for args, want := range map[string]string{
		"-h 248832 97 1":                  "248832: 2^10 3^5\n97: 97\n1:\n",
		"--exponents 16":                  "16: 2^4\n",
		"--divisors 28 1 7":               "28: 1 2 4 7 14 28\n1: 1\n7: 1 7\n",
		"--sigma 28 1 8128":               "28: 56\n1: 1\n8128: 16256\n",
		"--phi 36 1 97 2^67-1":            "36: 12\n1: 1\n97: 96\n147573952589676412927: 147573951827644447920\n",
		"36":                              "36: 2 2 3 3\n",
		"0036":                            "36: 2 2 3 3\n",
		"--divisors 18446744073709551557": "18446744073709551557: 1 18446744073709551557\n",
	} {
		if status, out, err := execute(t, "", append([]string{"factor"}, strings.Fields(args)...)...); status != 0 || out != want || err != "" {
			t.Errorf("%s: status %d, %q, %q", args, status, out, err)
		}
	}
	status, out, err := execute(t, "12 0 x 15\n7", "factor", "--phi")
	if status != exitError || out != "12: 4\n15: 8\n7: 6\n" || strings.Count(err, "\n") < 2 {
		t.Errorf("status %d, %q, %q", status, out, err)
	}
	var answer struct {
		Divisors   []string
		Sigma, Phi string
	}
	status, out, _ = execute(t, "", "factor", "--json", "--divisors", "--sigma", "--phi", "12")
	if e := json.Unmarshal([]byte(out), &answer); status != 0 || e != nil || fmt.Sprint(answer) != "{[1 2 3 4 6 12] 28 4}" {
		t.Errorf("status %d, %v, %s", status, e, out)
	}
	if status, out, err = execute(t, "", "factor", "--divisors", "100!", "6"); status != exitError || out != "6: 1 2 3 6\n" || !strings.Contains(err, "39001250856960000 divisors") {
		t.Errorf("status %d, %q, %q", status, out, err)
	}
	for _, args := range []string{"--divisors --phi 5", "--json -h 5", "-h --sigma 5"} {
		if status, _, err := execute(t, "", append([]string{"factor"}, strings.Fields(args)...)...); status != exitUsage || err == "" {
			t.Errorf("%s: status %d, %q", args, status, err)
		}
	}
	if status, out, _ := execute(t, "", "factor", "--help"); status != 0 || !strings.Contains(out, "-h, --exponents") {
		t.Errorf("--help: status %d, %s", status, out)
	}
}

// TestFormsAgainstCounting: divisors, their sum and the totient of small numbers are what
// counting gives.
func TestFormsAgainstCounting(t *testing.T) {
	r := factor.NewRunner()
	for n := 1; n <= 2000; n++ {
		var divisors []string
		sum, coprime := 0, 0
		for d := 1; d <= n; d++ {
			if n%d == 0 {
				divisors, sum = append(divisors, fmt.Sprint(d)), sum+d
			}
			if new(big.Int).GCD(nil, nil, big.NewInt(int64(n)), big.NewInt(int64(d))).Int64() == 1 {
				coprime++
			}
		}
		first, err := r.RunFirst(fmt.Sprint(n), nil)
		if err != nil {
			t.Fatal(err)
		}
		primes, _, err := factor.Decode(fmt.Sprint(n), first)
		if err != nil {
			t.Fatal(err)
		}
		if got := divisorsOf(primes); !slices.Equal(got, divisors) || sigmaOf(primes) != fmt.Sprint(sum) || phiOf(primes) != fmt.Sprint(coprime) {
			t.Fatalf("%d: %v, %s, %s, want %v, %d, %d", n, got, sigmaOf(primes), phiOf(primes), divisors, sum, coprime)
		}
	}
}
