package expression_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"fairfactor/factor/expression"
)

// FuzzEvaluate evaluates anything: it must end soon, with a value that is a number
// again, or an error whose place lies in the text.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range []string{
		"2^67-1", "30!+1", "10^10^10", "((9!)!)!", "1 000 007", "1,000", "0xFF_FF%7", "0b", "1e20", "F(L(M(R(3))))", "5##", "-2**-3", "(((", "1_", "7×11·13−1", "\u00a0", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := expression.Evaluate(text, digits)
		if err != nil {
			var e *expression.Error
			if !errors.As(err, &e) || e.At < 0 || e.At > len(text) || e.Reason == "" {
				t.Fatalf("%q: %v", text, err)
			}
			shown, under, _ := strings.Cut(e.Caret(text), "\n")
			if !utf8.ValidString(shown) || utf8.RuneCountInString(under) > utf8.RuneCountInString(shown)+1 {
				t.Fatalf("%q: the caret is\n%s\n%s", text, shown, under)
			}
			return
		}
		if len(got) > digits || got[0] == '0' || strings.Trim(got, "0123456789") != "" {
			t.Fatalf("%q: %q", text, got)
		}
		again, err := expression.Evaluate(got, digits)
		if err != nil || again != got {
			t.Fatalf("%q: %s, and that is %s, %v", text, got, again, err)
		}
		if inside, err := expression.Evaluate("("+text+")*1", digits+1); err == nil && inside != got { // it may be too deep
			t.Fatalf("%q: %s, in parentheses %s", text, got, inside)
		}
	})
}
