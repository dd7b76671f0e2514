package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	"fairfactor/store/postgres/pgtest"
)

// queueSize is how many jobs BenchmarkEmptyQueue cancels:
// go test ./cmd/fairfactor -run x -bench EmptyQueue -benchtime 1x -args -queue 1000000.
var queueSize = flag.Int("queue", 100_000, "jobs in BenchmarkEmptyQueue")

// fillQueue has a caller with so many jobs that wait.
func fillQueue(t testing.TB, c *httpd.Client, caller string, n int) {
	t.Helper()
	subs := make([]fairfactor.Submission, 0, 5000)
	for left := n; left > 0; left -= len(subs) {
		subs = subs[:0]
		for range min(left, cap(subs)) {
			subs = append(subs, fairfactor.Submission{Number: "1000003"})
		}
		receipts, err := c.Submit(t.Context(), caller, subs, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range receipts {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
}

func clientTo(t testing.TB, url string) *httpd.Client {
	t.Helper()
	c, err := httpd.NewClient(url)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cancelled lists a caller's jobs and counts those that are cancelled.
func cancelled(t testing.TB, c *httpd.Client, caller string) (n, others int) {
	t.Helper()
	for q := (fairfactor.Query{Caller: caller, Limit: fairfactor.MaxPage}); ; {
		page, err := c.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Jobs {
			if page.Jobs[i].State == fairfactor.Cancelled {
				n++
			} else {
				others++
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return n, others
		}
	}
}

// TestKillDuringOperation kills a node that cancels a queue, again and again, and each
// new one goes on: all jobs that waited are cancelled in the end, and counted once.
func TestKillDuringOperation(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	const jobs = 30_000
	dir := t.TempDir()
	p := serve(t, dir, "--max-queue", "1000000")
	c := clientTo(t, p.url)
	p.submit("alice", "15")
	if _, err := c.SetPaused(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	fillQueue(t, c, "alice", jobs)
	op, err := c.CancelAll(t.Context(), fairfactor.Query{Caller: "alice", Number: "1000003"})
	if err != nil || op.Matched == 0 || op.Matched > jobs || !op.Uncounted {
		t.Fatalf("%+v, %v", op, err)
	}
	kills := 0
	for last := uint64(0); ; {
		now, err := c.Operation(t.Context(), op.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !now.Finished.IsZero() {
			op = now
			break
		}
		if now.Done > last && kills < 4 {
			last = now.Done
			kills++
			p.kill()
			p = serve(t, dir, "--max-queue", "1000000")
			c = clientTo(t, p.url)
		}
		time.Sleep(time.Millisecond)
	}
	if kills == 0 {
		t.Error("the node was never killed in the middle")
	}
	if op.Done != jobs || op.Skipped != 0 || op.Matched != jobs || op.Uncounted {
		t.Errorf("%+v: want %d after %d kills", op, jobs, kills)
	}
	if n, _ := cancelled(t, c, "alice"); n != jobs {
		t.Errorf("%d jobs are cancelled, want %d", n, jobs)
	}
}

// TestManyOnTheCommandLine empties a queue, pauses and resumes.
func TestManyOnTheCommandLine(t *testing.T) {
	p := serve(t, t.TempDir())
	c := clientTo(t, p.url)
	run := func(wantStatus int, args ...string) (string, string) {
		t.Helper()
		cmd := program(append(args, "--url", p.url)...)
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run()
		if status := cmd.ProcessState.ExitCode(); status != wantStatus {
			t.Errorf("%q: status %d, want %d: %s", args, status, wantStatus, errs.String())
		}
		return out.String(), errs.String()
	}
	p.submit("alice", "15")
	if out, _ := run(0, "pause", "alice"); !strings.Contains(out, "paused") {
		t.Errorf("pause: %q", out)
	}
	fillQueue(t, c, "alice", 100)
	if out, errs := run(0, "cancel", "--caller", "alice", "--status", "pending"); !strings.HasPrefix(out, "100 jobs cancelled") || !strings.Contains(errs, "of 100 jobs") {
		t.Errorf("cancel: %q, %q", out, errs)
	}
	if out, _ := run(0, "retry", "--status", "failed"); !strings.HasPrefix(out, "0 jobs") {
		t.Errorf("retry: %q", out)
	}
	if out, _ := run(0, "resume", "alice"); strings.Contains(out, "paused") {
		t.Errorf("resume: %q", out)
	}
	for _, args := range [][]string{{"cancel"}, {"cancel", "--status", "pending"}, {"retry", "--caller", "alice"}, {"cancel", "--caller", "alice", "--status", "failed"}} {
		if _, errs := run(2, args...); errs == "" {
			t.Errorf("%q: no message", args)
		}
	}
}

// BenchmarkEmptyQueue cancels a long queue on a node of its own while another caller is
// served. others-p99-ms is how long that one's small jobs take, alone-p99-ms before.
func BenchmarkEmptyQueue(b *testing.B) {
	b.Run("embedded", func(b *testing.B) {
		for b.Loop() {
			emptyQueue(b)
		}
	})
	b.Run("postgres", func(b *testing.B) {
		url := pgtest.Start(b, "max_wal_size=4GB").Database(b)
		for b.Loop() {
			emptyQueue(b, "--store", url)
		}
	})
}

func emptyQueue(b *testing.B, flags ...string) {
	b.StopTimer()
	p := serve(b, b.TempDir(), append(flags, "--max-queue", "10000000")...)
	defer p.kill()
	c := clientTo(b, p.url)
	if _, err := c.Submit(b.Context(), "alice", []fairfactor.Submission{{Number: "15"}}, nil); err != nil {
		b.Fatal(err)
	}
	if _, err := c.SetPaused(b.Context(), "alice", true); err != nil {
		b.Fatal(err)
	}
	fillQueue(b, c, "alice", *queueSize)
	alone := served(b, c, func(n int) bool { return n < 200 })
	before := cpuOf(b, p.cmd.Process.Pid)
	b.StartTimer()
	op, err := c.CancelAll(b.Context(), fairfactor.Query{Caller: "alice"})
	if err != nil {
		b.Fatal(err)
	}
	meanwhile := served(b, c, func(int) bool {
		op, err = c.Operation(b.Context(), op.ID)
		return err == nil && op.Finished.IsZero()
	})
	b.StopTimer()
	if err != nil || op.Done < uint64(*queueSize) {
		b.Fatalf("%+v, %v", op, err)
	}
	b.ReportMetric(op.Finished.Sub(op.Created).Seconds(), "s/queue")
	b.ReportMetric((cpuOf(b, p.cmd.Process.Pid) - before).Seconds(), "cpu-s/queue")
	for name, times := range map[string][]time.Duration{"alone": alone, "others": meanwhile} {
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, name+"-p50-ms")
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, name+"-p99-ms")
	}
	b.StartTimer()
}

// served has small jobs of another caller done, one after the other, and returns how
// long each took, sorted.
func served(b *testing.B, c *httpd.Client, more func(n int) bool) (times []time.Duration) {
	for n := 0; more(n); n++ {
		begun := time.Now()
		receipts, err := c.Submit(b.Context(), "bob", []fairfactor.Submission{{Number: "1000003", Wait: true}}, nil)
		if err == nil {
			err = receipts[0].Err
		}
		if err == nil {
			_, err = c.Wait(b.Context(), receipts[0].Job.ID)
		}
		if err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	return times
}

// cpuOf is the processor time that a process has used, as Linux counts it: in
// hundredths of a second.
func cpuOf(b *testing.B, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("processor time is read from /proc")
	}
	var user, system int64
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
