package main

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"fairfactor"
	"fairfactor/factor/expression"
)

// expressionsHelp says in the help of commands what may stand for a number.
const expressionsHelp = `An expression may stand for a number: + - * / % ^, ! (factorial), # (primorial) and
parentheses; F(n), L(n), M(p) and R(n) are Fibonacci, Lucas, Mersenne and repunit
numbers; numbers may be 1,000,007 or 1_000_007, 1e20, 0xff, 0b11 or 0o17. On standard
input a line with more than digits and white space is one expression.`

// parseTyped returns the number that an argument or a word of the input says: plain
// digits, or the value of an expression.
func parseTyped(word string) (string, error) {
	if isNumber(word) {
		return fairfactor.ParseNumber(word, maxLocalDigits)
	}
	return valueOf(word)
}

// submittedNumber is [parseTyped] for a node: digits go to it as they are, because
// it knows how many it takes.
func submittedNumber(word string) (string, error) {
	if isNumber(word) {
		return word, nil
	}
	return valueOf(word)
}

func isNumber(word string) bool { return strings.Trim(word, "0123456789") == "" }

// valueOf evaluates an expression; its error points at what is wrong.
func valueOf(word string) (string, error) {
	number, err := expression.Evaluate(word, maxLocalDigits)
	if err == nil {
		return number, nil
	}
	var e *expression.Error
	if !errors.As(err, &e) || e.At == 0 { // the first byte needs no caret
		return "", fairfactor.Errorf(fairfactor.Invalid, "%.60q: %v", word, err)
	}
	caret := strings.ReplaceAll(e.Caret(word), "\n", "\n  ")
	return "", fairfactor.Errorf(fairfactor.Invalid, "%.60q: %v\n  %s", word, err, caret)
}

// longestLine is how much of a line splitTyped looks at: a longer one is no
// expression, but may be any number of numbers. It is above what
// [expression.Evaluate] takes for maxLocalDigits.
const longestLine = 32 << 10

// splitTyped returns a split function that hands out a line with an expression as a
// whole, without white space and a comment at its end, and leaves any other line
// to words.
func splitTyped(words bufio.SplitFunc) bufio.SplitFunc {
	l := &typedLines{words: words}
	return func(data []byte, atEOF bool) (advance int, token []byte, err error) {
		for advance < len(data) && token == nil && err == nil {
			var n int
			if n, token, err = l.next(data[advance:], atEOF); n == 0 {
				break
			}
			advance += n
		}
		return advance, token, err
	}
}

// typedLines is where splitTyped is in its input. It looks at each byte for the end of
// a line once, however often it is asked.
type typedLines struct {
	words  bufio.SplitFunc
	inside bool // in a line that is left to words
	line   int  // bytes of this line with its end; 0 while the end is not in sight
	clear  int  // bytes that hold no end of a line, while line is 0
}

// next goes on by a part of a line that has at most one word; 0 asks for more data.
func (l *typedLines) next(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if l.line == 0 {
		if end := bytes.IndexAny(data[l.clear:], "\r\n"); end >= 0 {
			l.line = l.clear + end + 1
		} else {
			l.clear = len(data)
		}
	}
	if !l.inside {
		if l.line == 0 && !atEOF && len(data) < longestLine {
			return 0, nil, nil
		}
		text, whole := data, len(data)
		if l.line > 0 {
			text, whole = data[:l.line-1], l.line
		}
		if typed := expressionIn(text); typed != nil {
			l.line, l.clear = 0, 0
			return whole, typed, nil
		}
		l.inside = true
	}
	if l.line == 0 {
		advance, token, err = l.words(data, atEOF)
		l.clear -= advance
		return advance, token, err
	}
	advance, token, err = l.words(data[:l.line], true) // with its end, where a comment ends too
	l.line -= advance
	l.inside, l.clear = l.line > 0, 0
	return advance, token, err
}

// expressionIn returns the expression that a line is, or nil if the line holds
// numbers, perhaps with words among them that are wrong: each gets its own answer.
func expressionIn(line []byte) []byte {
	if len(line) >= longestLine || isPlain(line) {
		return nil
	}
	typed := bytes.TrimFunc(withoutComment(line), isBlank)
	if isPlain(typed) {
		return nil
	}
	if expression.Check(string(typed), maxLocalDigits) != nil && !bytes.ContainsAny(typed, "+*/%^!#()×·−") {
		return nil
	}
	return typed
}

// isPlain reports whether a line has nothing but digits and white space.
func isPlain(line []byte) bool {
	for i, c := range line {
		switch {
		case '0' <= c && c <= '9', c == ' ', c == '\t':
		case c < utf8.RuneSelf:
			return false
		default:
			return bytes.IndexFunc(line[i:], func(r rune) bool { return (r < '0' || '9' < r) && !isBlank(r) }) < 0
		}
	}
	return true
}

// withoutComment cuts a line at a # where a number could begin.
func withoutComment(line []byte) []byte {
	for at := 0; at < len(line); at++ {
		if line[at] != '#' {
			continue
		}
		if r, _ := utf8.DecodeLastRune(line[:at]); at == 0 || isBlank(r) {
			return line[:at]
		}
	}
	return line
}

// isBlank reports whether a rune separates numbers: white space or a byte order mark.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' }
