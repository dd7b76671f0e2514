package webhook

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestErrorsAreCutBetweenCharacters: of an error so much is kept as fits, whole characters.
func TestErrorsAreCutBetweenCharacters(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("x", reasonBytes), strings.Repeat("x", reasonBytes+1)} {
		if got := cut(text); got != text[:min(len(text), reasonBytes)] {
			t.Errorf("%q was cut to %q", text, got)
		}
	}
	for before := range 8 {
		for _, character := range []string{"\u00e9", "\u20ac", "\U0001f600"} {
			got := cut(strings.Repeat("x", before) + strings.Repeat(character, reasonBytes))
			if !utf8.ValidString(got) || len(got) > reasonBytes || len(got) <= reasonBytes-len(character) {
				t.Errorf("%d, %s: cut to %d bytes, %q", before, character, len(got), got[len(got)-4:])
			}
		}
	}
}
