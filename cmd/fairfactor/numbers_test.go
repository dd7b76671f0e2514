package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestNumbersInFiles: comments, byte order marks and line ends of any kind.
func TestNumbersInFiles(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "",
		" \n\t ":                                "",
		"15 21":                                 "15 21",
		"15\r\n21\r\n":                          "15 21",
		"15\r21":                                "15 21",
		"# all of it":                           "",
		"#15\n21":                               "21",
		"15 # fifteen\n21 #twenty-one\r\n#\n33": "15 21 33",
		"15 # mac\r21":                          "15 21",
		"13# 15":                                "13# 15", // a comment begins where a number could
		"\ufeff15\n21":                          "15 21",
		"\ufeff# first line\r\n15\r\n":          "15",
		"15\n\ufeff21\n":                        "15 21", // two files, one after the other
		"15\u00a021":                            "15 21",
		"x\xffy \xff":                           "x\xffy \xff",
		"## # ##\n\n#\n7#":                      "7#",
	} {
		for what, reader := range map[string]io.Reader{
			"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)), "with the end": iotest.DataErrReader(strings.NewReader(in)),
		} {
			got, err := allOf(wordsIn(t.Context(), reader, "test"))
			if err != nil || strings.Join(got, " ") != want {
				t.Errorf("%q %s: %q, %v, want %q", in, what, got, err, want)
			}
		}
	}
}

func allOf(next words) (all []string, err error) {
	for {
		batch, err := next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, batch...)
	}
}

// TestLongComment: one that is longer than a number may be, and than what is read at
// a time.
func TestLongComment(t *testing.T) {
	in := "15 # " + strings.Repeat("long ", maxWord/2) + "\n21"
	if got, err := allOf(wordsIn(t.Context(), strings.NewReader(in), "test")); err != nil || !slices.Equal(got, []string{"15", "21"}) {
		t.Errorf("%d words, %v", len(got), err)
	}
	_, err := allOf(wordsIn(t.Context(), strings.NewReader(strings.Repeat("7", maxWord+1)), "numbers.txt"))
	if err == nil || !strings.Contains(err.Error(), "numbers.txt") {
		t.Errorf("a word that is too long: %v", err)
	}
}

// TestSourcesOfNumbers: arguments, files, and standard input among both.
func TestSourcesOfNumbers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "numbers.txt")
	if err := os.WriteFile(file, []byte("\ufeff# two\r\n33\r\n35 # and three\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const a, b, c = "15: 3 5\n", "21: 3 7\n", "33: 3 11\n35: 5 7\n"
	for args, want := range map[string]string{
		"factor":                                b,
		"factor -":                              b,
		"factor 15 - 15":                        a + b + a,
		"factor --file " + file:                 c,
		"factor -f - -f " + file:                b + c,
		"factor 15 -f " + file:                  a + c,
		"submit --wait --timeout 1m - 15":       b + a,
		"submit --wait --timeout 1m -f " + file: c,
	} {
		if strings.HasPrefix(args, "submit") && os.Getenv("FAIRFACTOR_URL") == "" {
			t.Setenv("FAIRFACTOR_URL", serve(t, t.TempDir()).url)
		}
		if status, out, err := execute(t, "21 # input", strings.Fields(args)...); status != 0 || out != want {
			t.Errorf("%s: status %d, %q, want %q, %q", args, status, out, want, err)
		}
	}
	if status, _, err := execute(t, "", "submit", "--key", "k", "-"); status != exitUsage || !strings.Contains(err, "--key") {
		t.Errorf("--key with standard input: status %d, %q", status, err)
	}
	if _, err := numbersOf(context.Background(), nil, []string{file + "x"}, nil); err == nil || !strings.Contains(err.Error(), file+"x") {
		t.Errorf("a file that does not exist: %v", err)
	}
}

// TestBatches: short numbers come together, a long one alone, and none waits for the
// next to be typed.
func TestBatches(t *testing.T) {
	const longer = "1234567890123456"
	in := strings.Repeat("7 ", batchSize+2) + longer + " 8 " + longer + " 9\n"
	next := wordsIn(t.Context(), strings.NewReader(in), "test")
	for _, want := range []int{batchSize, 2, 1, 1, 1, 1} {
		if batch, err := next(); err != nil || len(batch) != want {
			t.Fatalf("a batch of %d, %v, want %d", len(batch), err, want)
		}
	}
	keyboard, typed := io.Pipe()
	next = wordsIn(t.Context(), keyboard, "test")
	for _, word := range []string{"15", longer, "21"} {
		go func() { _, _ = io.WriteString(typed, word+"\n") }() // the pipe stays open
		if batch, err := next(); err != nil || !slices.Equal(batch, []string{word}) {
			t.Errorf("typed %s: %q, %v", word, batch, err)
		}
	}
}

// TestSubmitBeforeBadInput: what was read before the input broke off is submitted.
func TestSubmitBeforeBadInput(t *testing.T) {
	p := serve(t, t.TempDir())
	in := strings.Repeat("15 ", batchSize/2) + strings.Repeat("7", maxWord+1)
	status, out, err := execute(t, in, "submit", "--url", p.url, "-o", "json")
	if status != exitError || strings.Count(out, "\n") != batchSize/2 || !strings.Contains(err, "standard input") {
		t.Errorf("status %d, %d lines, %q", status, strings.Count(out, "\n"), err)
	}
}

// TestSubmitAgain: with --key-prefix the same input gives the same jobs, also those
// that follow a number that is refused.
func TestSubmitAgain(t *testing.T) {
	p := serve(t, t.TempDir())
	submit := func(in, prefix string) []string {
		_, out, err := execute(t, in, "submit", "--url", p.url, "--caller", "c", "--key-prefix", prefix, "-o", "json")
		ids := regexp.MustCompile(`"request_id":"[^"]*"`).FindAllString(out, -1)
		if len(ids) == 0 {
			t.Fatalf("no jobs: %q, %q", out, err)
		}
		return ids
	}
	first := submit("15 x 21", "p")
	again := submit("15 x 21 22 15", "p")
	other := submit("15", "q")
	if len(first) != 2 || len(again) != 4 || !slices.Equal(again[:2], first) || slices.Contains(again, other[0]) {
		t.Errorf("first %v, again %v, with another prefix %v", first, again, other)
	}
	for _, args := range [][]string{{"--key", "k", "--key-prefix", "p", "15"}, {"--key-prefix", strings.Repeat("p", 109), "15"}} {
		if status, _, err := execute(t, "", append([]string{"submit", "--url", p.url}, args...)...); status != exitUsage || !strings.Contains(err, "--key-prefix") {
			t.Errorf("%v: status %d, %q", args, status, err)
		}
	}
}
