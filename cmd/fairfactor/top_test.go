package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"

	"fairfactor"
)

// busy is a picture of a service with much to show.
func busy(nodes, workers, callers int) *picture {
	p := &picture{at: time.Date(2031, 5, 6, 17, 8, 9, 0, time.UTC)}
	p.fairness = fairfactor.Fairness{Lag: 12345678, Bound: 104 * time.Millisecond, MaxLag: 87654321, Jain: 0.987, Active: callers}
	for n := range nodes {
		node := fairfactor.Node{Name: fmt.Sprintf("node-with-a-long-name-%d", n), State: "alive"}
		for range workers {
			node.Workers = append(node.Workers, fairfactor.Worker{Caller: strings.Repeat("c", 40), Number: strings.Repeat("7", 100), Since: p.at.Add(-123456789)})
		}
		p.nodes = append(p.nodes, node)
	}
	for c := range callers {
		p.callers = append(p.callers, fairfactor.Caller{
			Name: fmt.Sprintf("caller-%d", c), Group: "group", Weight: 1, Queued: uint64(1000 * c), Running: 3, Completed: uint64(1_000_000 - c), Failed: 7, CPU: 12345678901, Oldest: p.at.Add(-time.Hour),
		})
	}
	return p
}

// TestPictureFits: a picture takes no more than the terminal has, and uses what it
// has.
func TestPictureFits(t *testing.T) {
	for _, size := range [][2]int{{60, 15}, {80, 24}, {200, 50}, {60, 10}} {
		for _, p := range []*picture{busy(3, 8, 100), busy(1, 2, 3), busy(1, 1, 0), busy(0, 0, 1)} {
			for order := range rateSorts {
				var out bytes.Buffer
				p.draw(&out, frame{width: size[0], height: size[1], url: "http://127.0.0.1:5555", order: order}, nil)
				lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
				if len(lines) > size[1] || len(p.callers) == 100 && len(lines) < size[1] {
					t.Errorf("%v: %d lines:\n%s", size, len(lines), out.String())
				}
				for _, line := range lines {
					if n := utf8.RuneCountInString(line); n > size[0] {
						t.Errorf("%v: %d characters: %q", size, n, line)
					}
				}
				for _, want := range []string{"queued", "lag", "violations", "QUEUED", "JOBS/S", "CPU/S", "q quit", "by " + rateSorts[order].key} {
					if !strings.Contains(out.String(), want) {
						t.Errorf("%v lacks %s:\n%s", size, want, out.String())
					}
				}
			}
		}
	}
}

// TestPictureSorts: by each key, the busiest first; rates come from two pictures.
func TestPictureSorts(t *testing.T) {
	before := busy(0, 0, 3)
	now := busy(0, 0, 3)
	now.at = before.at.Add(2 * time.Second)
	now.callers[1].Completed += 10
	now.callers[2].CPU += time.Second
	for order, want := range map[string]string{"cpu": "2", "queued": "2", "jobs": "1", "completed": "1", "name": "0"} {
		rates := now.rates(before)
		k := slices.Index(rateKeys(), order)
		slices.SortStableFunc(rates, rateSorts[k].compare)
		if rates[0].Name != "caller-"+want {
			t.Errorf("by %s: %s is first, want caller-%s", order, rates[0].Name, want)
		}
	}
	now.nodes = []fairfactor.Node{{Name: "n", Workers: []fairfactor.Worker{{Caller: "c", Since: now.at.Add(time.Second)}}}}
	if row := now.workers().rows[0]; row[4] != "0s" {
		t.Errorf("a turn that began after the picture runs for %s", row[4])
	}
	rates := now.rates(before)
	if rates[1].jobs != 5 || rates[2].cpu != 0.5 {
		t.Errorf("%v jobs/s, %v CPU/s", rates[1].jobs, rates[2].cpu)
	}
}

// TestTopWithoutATerminal prints as many pictures as it is told to.
func TestTopWithoutATerminal(t *testing.T) {
	p := serve(t, t.TempDir())
	p.wait(p.submit("a", "15").ID)
	t.Setenv("FAIRFACTOR_URL", p.url)
	for args, want := range map[string]int{"top": 1, "top --count 2 --every 100ms": 2} {
		status, out, err := execute(t, "", strings.Fields(args)...)
		if status != 0 || strings.Count(out, "violations ") != want || !strings.Contains(out, p.url) || strings.Contains(out, "\x1b") {
			t.Errorf("%s: status %d, %q, %q", args, status, out, err)
		}
	}
	for _, args := range []string{"top -o json", "top --every 1ms", "top --sort odd"} {
		if status, _, err := execute(t, "", strings.Fields(args)...); status != exitUsage || err == "" {
			t.Errorf("%s: status %d, %q", args, status, err)
		}
	}
}

// TestTopOnATerminal presses keys: s sorts, q quits.
func TestTopOnATerminal(t *testing.T) {
	p := serve(t, t.TempDir())
	cmd := program("top", "--url", p.url, "--every", "1h")
	control, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 60, Rows: 15})
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	shown := ""
	await := func(want string) {
		t.Helper()
		_ = control.SetReadDeadline(time.Now().Add(30 * time.Second)) // not all systems have it
		chunk := make([]byte, 4096)
		for !strings.Contains(shown, want) {
			n, err := control.Read(chunk)
			if shown += string(chunk[:n]); err != nil {
				t.Fatalf("no %q in %q: %v", want, shown, err)
			}
		}
		shown = ""
	}
	press := func(key string) {
		if _, err := control.Write([]byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	await("now by cpu")
	press("s")
	await("now by queued")
	press("S")
	await("now by running")
	press("q")
	if err := cmd.Wait(); err != nil {
		t.Errorf("q: %v", err)
	}
}
