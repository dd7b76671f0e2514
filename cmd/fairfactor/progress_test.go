package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"fairfactor/factor"
)

// long is 3 times rest, the product of two primes of 50 digits.
const (
	long = "6869630909726537712615516205518343535230722408720708437976776798340953570267467995206252711372693931"
	rest = "2289876969908845904205172068506114511743574136240236145992258932780317856755822665068750903790897977"
)

// TestInterruptSaysWhatWasFound ends the work on a number when its small prime is
// known.
func TestInterruptSaysWhatWasFound(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := &solver{workers: 2, form: form{json: asJSON}}
		given := 0
		next := func() ([]string, error) {
			if given++; given == 1 {
				return []string{long}, nil
			}
			for !strings.Contains(s.long.line(), "found 3") {
				runtime.Gosched()
			}
			cancel()
			return nil, errInterrupted
		}
		var out, said bytes.Buffer
		err := s.solveAll(ctx, next, streams{out: &out, err: &said})
		if err == nil || !strings.Contains(said.String(), long+": interrupted; found 3; composite remains: "+rest+"\n") {
			t.Errorf("%v: %s", err, said.String())
		}
		if !asJSON {
			if out.Len() > 0 {
				t.Errorf("printed %s", out.String())
			}
			continue
		}
		var got struct {
			Number, Error      string
			Result             map[string]int
			Methods, Remaining []string
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Number != long || got.Error != "interrupted" ||
			got.Result["3"] != 1 || len(got.Methods) != 1 || len(got.Remaining) != 1 || got.Remaining[0] != rest {
			t.Errorf("%v: %s", err, out.String())
		}
	}
}

// TestInterruptCountsTheUntouched: of numbers that were not begun there is
// nothing to say but how many.
func TestInterruptCountsTheUntouched(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	order := make(chan pending, 3)
	s := &solver{workers: 1}
	for range 3 {
		p := pending{[]string{long}, make(chan []answer, 1)}
		p.done <- []answer{s.solve(ctx, factor.NewRunner(), long)}
		order <- p
	}
	close(order)
	var out, said bytes.Buffer
	if failed := s.printAll(order, streams{out: &out, err: &said}); !failed || out.Len() > 0 ||
		said.String() != "fairfactor: interrupted before anything was found of 3 more\n" {
		t.Errorf("failed %v, %q, %q", failed, out.String(), said.String())
	}
}

// TestLinesAreErased writes lines at given times.
func TestLinesAreErased(t *testing.T) {
	var g progress
	now, looked, done := make(chan time.Time), make(chan struct{}), make(chan []answer)
	read, write := io.Pipe()
	go func() {
		defer write.Close()
		g.write(done, now, func() { looked <- struct{}{} }, inPlace, write)
	}()
	now <- time.Time{} // no number: nothing is written
	<-looked
	m, _ := factor.New(long)
	g.begin(long, factor.NewDriver(m), 1)
	for range 2 {
		now <- time.Time{}
		line := make([]byte, 200)
		k, err := read.Read(line)
		if s := string(line[:k]); err != nil || !strings.HasPrefix(s, "\r\x1b[?7l"+long[:6]+"...") || !strings.HasSuffix(s, "\x1b[K\x1b[?7h") {
			t.Errorf("%q, %v", s, err)
		}
		<-looked
	}
	go func() { done <- nil }()
	if last, err := io.ReadAll(read); err != nil || string(last) != "\r\x1b[K" {
		t.Errorf("in the end %q, %v", last, err)
	}
}

func TestDescribe(t *testing.T) {
	p := factor.Progress{Phase: "quadratic sieve", Percent: 25, Found: []factor.Prime{{P: "3", Exponent: 2}, {P: "7", Exponent: 1}}}
	for left, want := range map[time.Duration]string{
		0:                      "time left unknown",
		300 * time.Millisecond: "1 s left",
		30 * time.Second:       "30 s left",
		30 * time.Minute:       "30 min left",
		10 * time.Hour:         "10 h left",
		240 * time.Hour:        "10 days left",
		1 << 62:                "years left",
	} {
		want = "123456...6789 (24 digits): 25 %, " + want + ", quadratic sieve, found 3 3 7"
		if got := describe("123456789012345678906789", p, left); got != want {
			t.Errorf("%v: %s\nwant %s", left, got, want)
		}
	}
}

// TestPace: the time left is told by the prediction at first, then by what was
// gained since the number that remains is the one it is.
func TestPace(t *testing.T) {
	var f pace
	for _, c := range []struct {
		remaining string
		percent   float64
		elapsed   time.Duration
		want      time.Duration
	}{
		{"1001", 0, 0, time.Hour / 2},
		{"1001", 2, time.Minute, time.Hour / 2},
		{"1001", 10, 10 * time.Minute, 90 * time.Minute},
		{"77", 20, 20 * time.Minute, time.Hour / 2}, // a factor was found
		{"77", 22, 21 * time.Minute, time.Hour / 2},
		{"77", 60, 30 * time.Minute, 10 * time.Minute},
		{"77", 100, 40 * time.Minute, 0},
	} {
		p := factor.Progress{Percent: c.percent, Left: time.Hour, Remaining: []string{c.remaining}}
		f.follow(p, c.elapsed)
		if got := f.left(p, c.elapsed, 2); got != c.want {
			t.Errorf("%+v: %v left", c, got)
		}
	}
}
