package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestSplitTyped: a line with an expression is one word, other lines are as many as
// they have.
func TestSplitTyped(t *testing.T) {
	for in, want := range map[string][]string{
		"":                          nil,
		"15 21\n":                   {"15", "21"},
		"1 000 000\n7":              {"1", "000", "000", "7"},
		"15\n2^67 - 1\n21 22\n3!":   {"15", "2^67 - 1", "21", "22", "3!"},
		"15\r\n 2^67-1 \r\n\r\n21":  {"15", "2^67-1", "21"},
		"15\r2^3\r\r21":             {"15", "2^3", "21"},
		"1 000 + 7\n":               {"1 000 + 7"},
		"10 - 3\n":                  {"10 - 3"},
		"2^67 - # Mersenne\n7#\n":   {"2^67 -", "7#"},
		"(2+\n3)":                   {"(2+", "3)"},
		"15 zero 0 -3 21":           {"15", "zero", "0", "-3", "21"}, // no expression, and without an operator
		"1e3 0x10\n1,000 2,000":     {"1e3", "0x10", "1,000", "2,000"},
		"15 3.5\n":                  {"15", "3.5"},
		"\ufeff2^3\n":               {"2^3"},
		"15\u00a021":                {"15", "21"},
		"7×13\n":                    {"7×13"},
		"\n\n  \n15\n\t\n":          {"15"},
		"x\xff y\n2+2":              {"x\xff", "y", "2+2"},
		strings.Repeat("7 ", 40000): slices.Repeat([]string{"7"}, 40000), // longer than any expression
		strings.Repeat("7 ", 40000) + "x\n2^3\n8": append(slices.Repeat([]string{"7"}, 40000), "x", "2^3", "8"),
	} {
		for what, reader := range map[string]io.Reader{
			"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)), "with the end": iotest.DataErrReader(strings.NewReader(in)),
		} {
			s := bufio.NewScanner(reader)
			s.Buffer(make([]byte, 64<<10), 1<<20)
			s.Split(splitTyped(bufio.ScanWords))
			var got []string
			for s.Scan() {
				got = append(got, s.Text())
			}
			if s.Err() != nil || !slices.Equal(got, want) {
				t.Errorf("%.40q %s: %d words %.300s, %v, want %d %.300s", in, what, len(got), fmt.Sprintf("%q", got), s.Err(), len(want), fmt.Sprintf("%q", want))
			}
		}
	}
}

func TestFactorTakesExpressions(t *testing.T) {
	const mersenne = "147573952589676412927: 193707721 761838257287\n"
	status, out, err := execute(t, "", "factor", "2^67-1", "1,000", "1 001", "0x10", "7", "F(10)")
	if status != 0 || out != mersenne+"1000: 2 2 2 5 5 5\n1001: 7 11 13\n16: 2 2 2 2\n7: 7\n55: 5 11\n" || err != "" {
		t.Errorf("arguments: status %d, %q, %q", status, out, err)
	}
	status, out, err = execute(t, "1 002 15\n2 ^ 67 - 1\n3!+1\n", "factor")
	if status != 0 || out != "1:\n2: 2\n15: 3 5\n"+mersenne+"7: 7\n" || err != "" {
		t.Errorf("standard input: status %d, %q, %q", status, out, err)
	}
}

func TestFactorPointsAtWhatIsWrong(t *testing.T) {
	status, out, err := execute(t, "", "factor", "2^67-", "15", "10^10^10", "x", "5-6")
	want := "fairfactor: \"2^67-\": a number is missing at the end (at byte 5)\n  2^67-\n       ^\n" +
		"fairfactor: \"10^10^10\": the power would have about 10000000001 digits; a value on the way may have 20000 (at byte 2)\n  10^10^10\n    ^\n" +
		"fairfactor: \"x\": \"x\" is no function: there are F (Fibonacci), L (Lucas), M (Mersenne) and R (repunit) (at byte 0)\n" +
		"fairfactor: \"5-6\": the value is negative: send a positive integer (at byte 1)\n  5-6\n   ^\n"
	if status != 1 || out != "15: 3 5\n" || err != want {
		t.Errorf("status %d, %q\n%s, want\n%s", status, out, err, want)
	}
}

// TestSubmitTakesExpressions: the node gets numbers; what is no expression is refused
// here, with a caret.
func TestSubmitTakesExpressions(t *testing.T) {
	p := serve(t, t.TempDir())
	t.Setenv("FAIRFACTOR_URL", p.url)
	const mersenne = "147573952589676412927: 193707721 761838257287\n"
	for in, args := range map[string][]string{"": {"2^67-1", "97"}, "2^67 - 1\n97": nil} {
		status, out, err := execute(t, in, append([]string{"submit", "--caller", "typed", "--wait"}, args...)...)
		if status != 0 || out != mersenne+"97: 97\n" {
			t.Errorf("%v: status %d, %q, %q", args, status, out, err)
		}
	}
	status, out, err := execute(t, "", "submit", "--caller", "typed", "-o", "json", "7*13", "7*", "1e300")
	if status == 0 || strings.Count(out, "\n") != 1 || !strings.Contains(out, `"number":"91"`) || !strings.Contains(err, "\n  7*\n    ^\n") || !strings.Contains(err, "301 digits") {
		t.Errorf("status %d, %q, %q", status, out, err)
	}
	if status, out, _ := execute(t, "", "submit", "--caller", "typed", "--wait", "--key", "k", "7*13"); status != 0 || out != "91: 7 13\n" {
		t.Errorf("with a key: status %d, %q", status, out)
	}
}
