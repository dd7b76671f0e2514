package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"

	"fairfactor"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"1234567890", 10, "1234567890"},
		{"1234567890", 9, "123...890"},
		{"1234567890", 8, "123...90"},
		{"1234567890", 4, "1..."},
		{"1234567890", 3, "123"},
		{"1234567890", 0, ""},
		{"äöüäöüäöü", 7, "äö...öü"},
		{"", 0, ""},
	} {
		if got := cut(c.text, c.width); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// TestTablesFit: no line is wider than the terminal, and the important columns stay.
func TestTablesFit(t *testing.T) {
	long := strings.Repeat("123456789", 20)
	jobs := []fairfactor.Job{
		{ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}, Caller: strings.Repeat("c", 64), Number: long, State: fairfactor.Completed, Factors: []fairfactor.Factor{{Prime: long, Exponent: 1}}},
		{ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 2}, Caller: "a", Number: "15", State: fairfactor.Pending},
	}
	callers := []fairfactor.Caller{{Name: strings.Repeat("c", 64), Group: strings.Repeat("g", 64), Weight: 1000, Queued: 1e6, Running: 12, Completed: 1e6, Failed: 1e5, Cancelled: 1e6, CPU: 1e18, Turns: 1e9}}
	nodes := []fairfactor.Node{{Name: strings.Repeat("n", 64), State: "suspect", Address: "[2001:db8::1234:5678:9abc:def0]:12345", Workers: []fairfactor.Worker{{Caller: "a", Number: long}}}}
	for width := 60; width < 300; width += 7 {
		for what, print := range map[string]func(printer){
			"STATUS": func(p printer) { p.jobs(jobs) }, "GROUP": func(p printer) { p.callers(callers) }, "WORKER": func(p printer) { p.nodes(nodes) },
		} {
			var out bytes.Buffer
			print(printer{out: &out, width: width})
			for line := range strings.Lines(out.String()) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%d characters in %d: %q", n, width, line)
				}
			}
			if !strings.Contains(out.String(), what) || !strings.Contains(out.String(), "...") && width < 200 {
				t.Errorf("%s in %d:\n%s", what, width, out.String())
			}
		}
	}
	for group, want := range map[string]bool{"": false, "g": true} {
		var out bytes.Buffer
		printer{out: &out, width: 120}.callers([]fairfactor.Caller{{Name: "a", Group: group, Weight: 1}, {Name: "b", Weight: 1}})
		if strings.Contains(out.String(), "GROUP") != want {
			t.Errorf("group %q:\n%s", group, out.String())
		}
	}
	var out bytes.Buffer
	printer{out: &out}.jobs(jobs)
	if strings.Count(out.String(), long) != 2 || !strings.Contains(out.String(), "RESULT") {
		t.Errorf("without a width something is cut:\n%s", out.String())
	}
}

// TestTableAligns: counts to the right, text to the left, nothing behind it.
func TestTableAligns(t *testing.T) {
	tab := table{columns: []column{{name: "NAME"}, {name: "COUNT", right: true}, {name: "TEXT"}}}
	tab.add("a", "1", "x")
	tab.add("long name", "123456", "")
	var out bytes.Buffer
	tab.write(&out, 0)
	want := "NAME        COUNT  TEXT\na               1  x\nlong name  123456\n"
	if out.String() != want {
		t.Errorf("got\n%q, want\n%q", out.String(), want)
	}
}

// TestListOnATerminal: a table is as wide as the terminal, -o wide shows all.
func TestListOnATerminal(t *testing.T) {
	p := serve(t, t.TempDir())
	t.Setenv("FAIRFACTOR_URL", p.url)
	number := "1" + strings.Repeat("0", 150)
	p.wait(p.submit("a", number).ID)
	list := func(args ...string) string {
		control, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer control.Close()
		if err := pty.Setsize(control, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
			t.Fatal(err)
		}
		read := make(chan string)
		go func() {
			var all bytes.Buffer
			_, _ = all.ReadFrom(control) // ends with an error when the other side is closed
			read <- all.String()
		}()
		if status := run(t.Context(), append([]string{"list"}, args...), streams{in: tty, out: tty, err: os.Stderr}); status != 0 {
			t.Errorf("%v: status %d", args, status)
		}
		tty.Close()
		return strings.ReplaceAll(<-read, "\r\n", "\n")
	}
	narrow := list()
	for line := range strings.Lines(narrow) {
		if len(line) > 81 {
			t.Errorf("%d characters: %q", len(line), line)
		}
	}
	if !strings.Contains(narrow, "10000") || !strings.Contains(narrow, "...") {
		t.Errorf("table:\n%s", narrow)
	}
	if wide := list("-o", "wide"); !strings.Contains(wide, number) {
		t.Errorf("-o wide:\n%s", wide)
	}
	if _, piped, _ := execute(t, "", "list"); !strings.Contains(piped, number) {
		t.Errorf("without a terminal:\n%s", piped)
	}
	if got := fmt.Sprint(sizeOf(&bytes.Buffer{})); got != "0 0" {
		t.Errorf("a buffer has the size %s", got)
	}
}
