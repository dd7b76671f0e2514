package fairfactor_test

import (
	"strings"
	"testing"

	"fairfactor"
)

func TestPositions(t *testing.T) {
	for _, p := range []fairfactor.Position{{Group: 1}, {Line: 7, Group: 42, Index: 3}, {Line: 1<<64 - 1, Group: 1<<64 - 1, Index: 1<<64 - 1}} {
		if got, err := fairfactor.ParsePosition(p.String()); err != nil || got != p || len(p.String()) > fairfactor.MaxPositionBytes {
			t.Errorf("%s: got %v, %v", p, got, err)
		}
	}
	for _, bad := range []string{"", "-", "--", "1", "1-2", "1-2-3-4", "1-0-0", "0-0-0", "01-2-3", "1-2-+3", " 1-2-3", "1-2-3 ", "1-2-18446744073709551616", "a-b-c", "1--3", "-1-2-3", strings.Repeat("1", 63)} {
		if p, err := fairfactor.ParsePosition(bad); fairfactor.CodeOf(err) != fairfactor.Invalid || p != (fairfactor.Position{}) {
			t.Errorf("%q: %v, %v", bad, p, err)
		}
	}
	ascending := []fairfactor.Position{{Line: 9, Group: 1}, {Group: 1, Index: 1}, {Group: 2}, {Line: 1, Group: 2, Index: 5}, {Group: 10}}
	for i, p := range ascending {
		for k, q := range ascending {
			if got := p.Compare(q); (got < 0) != (i < k) || (got > 0) != (i > k) {
				t.Errorf("%v and %v: %d", p, q, got)
			}
		}
	}
}

// FuzzParsePosition: what is taken is what String writes, so a position has one form.
func FuzzParsePosition(f *testing.F) {
	for _, text := range []string{"0-1-0", "1-42-7", "1-2", "00-1-1", "1-2-3-4", "18446744073709551615-18446744073709551615-18446744073709551615"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := fairfactor.ParsePosition(text)
		if err == nil && (p.String() != text || p.Group == 0) {
			t.Errorf("%q was read as %s", text, p)
		}
		if err != nil && fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	})
}
