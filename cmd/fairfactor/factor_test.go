package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

// execute runs a command line in this process.
func execute(t testing.TB, in string, args ...string) (status int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(context.Background(), args, streams{in: strings.NewReader(in), out: &stdout, err: &stderr})
	return status, stdout.String(), stderr.String()
}

func decode(t testing.TB, resp *http.Response, v any) {
	t.Helper()
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatal(err)
	}
}

func TestFactorPrintsLikeGNU(t *testing.T) {
	for in, want := range map[string]string{
		"1": "1:\n", "2": "2: 2\n", "0012": "12: 2 2 3\n", "600851475143": "600851475143: 71 839 1471 6857\n",
		"18446744073709551617": "18446744073709551617: 274177 67280421310721\n",
	} {
		if status, out, err := execute(t, "", "factor", in); status != 0 || out != want || err != "" {
			t.Errorf("%s: status %d, %q, %q", in, status, out, err)
		}
	}
}

func TestFactorStreamsInOrder(t *testing.T) {
	var in, want strings.Builder
	for n := 2; n < 3000; n++ {
		fmt.Fprintf(&in, " %d\n", n)
		fmt.Fprintf(&want, "%d:", n)
		for m, p := n, 2; m > 1; {
			if m%p == 0 {
				fmt.Fprintf(&want, " %d", p)
				m /= p
			} else {
				p++
			}
		}
		want.WriteByte('\n')
	}
	if status, out, err := execute(t, in.String(), "factor", "--workers", "3"); status != 0 || out != want.String() || err != "" {
		t.Errorf("status %d, %d bytes of %d, %q", status, len(out), want.Len(), err)
	}
}

func TestFactorGoesOnAfterBadInput(t *testing.T) {
	status, out, err := execute(t, "15 zero 0 -3 21", "factor")
	if status != 1 || out != "15: 3 5\n21: 3 7\n" || strings.Count(err, "\n") != 3 {
		t.Errorf("status %d, %q, %q", status, out, err)
	}
}

func TestFactorJSON(t *testing.T) {
	status, out, _ := execute(t, "", "factor", "--json", "360", "x")
	var got struct {
		Number  string
		Result  map[string]int
		Methods []string
		Proof   map[string]string
		Took    *int64 `json:"took_us"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 1 || got.Number != "360" ||
		!maps.Equal(got.Result, map[string]int{"2": 3, "3": 2, "5": 1}) || !slices.Equal(got.Methods, []string{"trial"}) ||
		!maps.Equal(got.Proof, map[string]string{"2": "deterministic", "3": "deterministic", "5": "deterministic"}) || got.Took == nil {
		t.Errorf("status %d, %q, %v", status, out, err)
	}
}

// TestVersion: the verb and the flag say the same.
func TestVersion(t *testing.T) {
	status, out, _ := execute(t, "", "version")
	if status != 0 || !strings.HasPrefix(out, "fairfactor "+version+" (") {
		t.Errorf("version: status %d, %q", status, out)
	}
	if status, flag, _ := execute(t, "", "--version"); status != 0 || flag != out {
		t.Errorf("--version: status %d, %q, want %q", status, flag, out)
	}
}

func TestVerbsAgainstANode(t *testing.T) {
	p := serve(t, t.TempDir())
	t.Setenv("FAIRFACTOR_URL", p.url)
	status, out, err := execute(t, "", "submit", "--caller", "cli-test", "--wait", "600851475143", "97")
	if status != 0 || out != "600851475143: 71 839 1471 6857\n97: 97\n" {
		t.Fatalf("submit: status %d, %q, %q", status, out, err)
	}
	status, out, err = execute(t, "", "submit", "--caller", "cli-test", "-o", "json", "360", "nonsense")
	var j job
	if e := json.Unmarshal([]byte(out), &j); status != exitSomeFailed || e != nil || j.Status != "pending" || !strings.Contains(err, "nonsense") {
		t.Fatalf("submit: status %d, %q, %q", status, out, err)
	}
	if status, out, err := execute(t, "", "submit", "nonsense", "0"); status != exitError || out != "" || !strings.Contains(err, "nonsense") || !strings.Contains(err, "zero") {
		t.Errorf("submit without a good number: status %d, %q, %q", status, out, err)
	}
	for _, args := range [][]string{{"wait", j.ID}, {"get", j.ID}, {"list", "--caller", "cli-test"}, {"callers"}, {"callers", "cli-test", "--weight", "2"}, {"nodes"}} {
		if status, out, err := execute(t, "", args...); status != 0 || out == "" {
			t.Errorf("%v: status %d, %q, %q", args, status, out, err)
		}
		if status, out, err := execute(t, "", append(args, "-o", "json")...); status != 0 || !json.Valid([]byte(strings.Split(out, "\n")[0])) {
			t.Errorf("%v: status %d, %q, %q", args, status, out, err)
		}
	}
	for _, args := range [][]string{{"cancel", j.ID}, {"retry", j.ID}, {"get", "230432"}, {"callers", "no-one"}} {
		if status, _, err := execute(t, "", args...); status != exitError || err == "" {
			t.Errorf("%v: status %d, %q", args, status, err)
		}
	}
}

func TestVerbsSayWhenThereIsNoNode(t *testing.T) {
	status, _, err := execute(t, "", "get", "--url", "http://127.0.0.1:1", "bmx1rhz2q40000002400000004")
	if status != exitNodeAway || !strings.Contains(err, "fairfactor serve") {
		t.Errorf("status %d, %q", status, err)
	}
}

// endless is an input that never ends and gives nothing, as a keyboard.
type endless struct{ begun chan struct{} }

func (e endless) Read([]byte) (int, error) {
	close(e.begun)
	select {}
}

func TestInterruptEndsTheWaitForInput(t *testing.T) {
	p := serve(t, t.TempDir())
	for _, args := range [][]string{{"factor"}, {"submit", "--url", p.url}} {
		ctx, cancel := context.WithCancel(t.Context())
		in := endless{make(chan struct{})}
		var stdout, stderr bytes.Buffer
		done := make(chan int)
		go func() { done <- run(ctx, args, streams{in: in, out: &stdout, err: &stderr}) }()
		<-in.begun
		cancel()
		select {
		case status := <-done:
			if status != 1 || !strings.Contains(stderr.String(), "interrupted") {
				t.Errorf("%v: status %d, %q", args, status, stderr.String())
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%v still waits", args)
		}
	}
}

// TestSubmitPrintsWhatWasAccepted: when the input breaks off, the jobs that were
// accepted before go on, so their ids are printed.
func TestSubmitPrintsWhatWasAccepted(t *testing.T) {
	p := serve(t, t.TempDir())
	in := strings.Repeat("15 ", 1000) + strings.Repeat("7", 1<<20+1)
	status, out, err := execute(t, in, "submit", "--url", p.url, "-o", "json")
	if status != 1 || strings.Count(out, "\n") != 1000 || !strings.Contains(err, "standard input") {
		t.Errorf("status %d, %d lines, %q", status, strings.Count(out, "\n"), err)
	}
}

// TestFactorCollectsLess: the heap may grow as that of a node, unless GOGC says how
// much.
func TestFactorCollectsLess(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for gogc, want := range map[string]int{"": gcPercent, "100": 100} {
		t.Setenv("GOGC", gogc)
		debug.SetGCPercent(100)
		if status, _, err := execute(t, "", "factor", "15"); status != 0 {
			t.Fatalf("status %d, %q", status, err)
		}
		if got := debug.SetGCPercent(100); got != want {
			t.Errorf("GOGC=%q: the heap may grow by %d %%, want %d", gogc, got, want)
		}
	}
}
