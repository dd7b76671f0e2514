package expression

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error says why an expression has no value that can be factored, and where.
type Error struct {
	// At is the byte of the text that the error is about, from 0. It is the length
	// of the text if something is missing at the end. For an error of a value it is
	// the operation that gives the value.
	At int
	// Reason is a sentence without the place.
	Reason string
	// Digits is how many digits the value of the expression has, if that is what is
	// wrong with it, and 0 otherwise.
	Digits int
}

func errorAt(at int, format string, args ...any) *Error {
	return &Error{At: at, Reason: fmt.Sprintf(format, args...)}
}

// Error is the reason and the place.
func (e *Error) Error() string { return fmt.Sprintf("%s (at byte %d)", e.Reason, e.At) }

// How much of the text a caret line shows before and after the place.
const (
	shownBefore = 40
	shownAfter  = 30
)

// Caret returns two lines for a terminal, without a newline at the end: the text
// around the place, and a caret under it. Each rune is taken to be one column wide.
func (e *Error) Caret(text string) string {
	at := min(max(e.At, 0), len(text))
	before, cutBefore := lastRunes(text[:at], shownBefore)
	after, cutAfter := firstRunes(text[at:], shownAfter)
	var b strings.Builder
	columns := utf8.RuneCountInString(before)
	if cutBefore {
		b.WriteString("…")
		columns++
	}
	b.WriteString(printable(before))
	b.WriteString(printable(after))
	if cutAfter {
		b.WriteString("…")
	}
	b.WriteByte('\n')
	b.WriteString(strings.Repeat(" ", columns))
	b.WriteByte('^')
	return b.String()
}

func lastRunes(s string, n int) (last string, cut bool) {
	at := len(s)
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return s[at:], at > 0
}

func firstRunes(s string, n int) (first string, cut bool) {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return s[:at], at < len(s)
}

// printable replaces each rune that would move the caret or command the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, s)
}
