package expression

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a piece of the text. Its kind is the sign itself, or one of these.
type token struct {
	kind rune
	at   int    // first byte
	text string // as it stands in the text
	number
}

const (
	endToken    rune = -1 - iota // the end of the text
	numberToken                  // a number, written in any way
	nameToken                    // letters and digits that begin with a letter
	powerToken                   // ^ or **
)

// number is what a number token says: digits in a base, times 10^exponent.
type number struct {
	digits   string // at least one, nothing but digits
	base     int    // 2, 8, 10 or 16
	exponent int    // 0 unless the base is 10
}

// signs are the other ways to write a sign.
var signs = map[rune]rune{'×': '*', '·': '*', '−': '-'}

// scanner cuts a text into tokens.
type scanner struct {
	text string
	at   int // of the next byte
}

// next returns the next token; after the end it returns the end again.
func (s *scanner) next() (token, *Error) {
	s.at += spaces(s.text[s.at:])
	begin := s.at
	if begin == len(s.text) {
		return token{kind: endToken, at: begin}, nil
	}
	r, size := utf8.DecodeRuneInString(s.text[begin:])
	t := token{kind: r, at: begin}
	if sign, ok := signs[r]; ok {
		t.kind = sign
	}
	switch {
	case isDigit(r):
		t.kind = numberToken
		var err *Error
		if t.number, err = s.number(); err != nil {
			return t, err
		}
	case isLetter(r):
		t.kind = nameToken
		for s.at < len(s.text) && (isLetter(rune(s.text[s.at])) || isDigit(rune(s.text[s.at]))) {
			s.at++
		}
	case strings.HasPrefix(s.text[begin:], "**"):
		t.kind = powerToken
		s.at += 2
	case strings.ContainsRune("+-*/%!#()", t.kind):
		s.at += size
	case r == '^':
		t.kind = powerToken
		s.at++
	case r == '.':
		return t, errorAt(begin, "a number has no decimal point: all values are integers")
	default:
		return t, errorAt(begin, "%q has no meaning in an expression", s.text[begin:begin+size])
	}
	t.text = s.text[begin:s.at]
	return t, nil
}

// number reads a number, whose first byte is a digit.
func (s *scanner) number() (number, *Error) {
	if rest := s.text[s.at:]; len(rest) > 1 && rest[0] == '0' {
		switch rest[1] {
		case 'x', 'X':
			return s.prefixed(16)
		case 'o', 'O':
			return s.prefixed(8)
		case 'b', 'B':
			return s.prefixed(2)
		}
	}
	digits, err := s.decimal()
	if err != nil {
		return number{}, err
	}
	n := number{digits: digits, base: 10}
	if c := s.byteAt(s.at); c == 'e' || c == 'E' {
		n.exponent, err = s.exponent()
	} else if c == '.' {
		err = errorAt(s.at, "a number has no decimal point: all values are integers")
	}
	return n, err
}

// prefixed reads a number that begins with 0x, 0o or 0b. Digits and letters of
// another base are an error, not the end of the number.
func (s *scanner) prefixed(base int) (number, *Error) {
	prefix := s.text[s.at : s.at+2]
	s.at += 2
	var digits strings.Builder
	for {
		c := s.byteAt(s.at)
		switch {
		case c == '_':
			if !isDigitOf(s.byteAt(s.at+1), base) {
				return number{}, errorAt(s.at, "an underscore stands between two digits")
			}
		case isDigitOf(c, base):
			digits.WriteByte(c)
		case isLetter(rune(c)) || isDigit(rune(c)):
			return number{}, errorAt(s.at, "%q is no digit after %s", string(c), prefix)
		case digits.Len() == 0:
			return number{}, errorAt(s.at, "digits are missing after %s", prefix)
		default:
			return number{digits: digits.String(), base: base}, nil
		}
		s.at++
	}
}

// decimal reads decimal digits with what may stand between them, and returns the
// digits alone.
func (s *scanner) decimal() (string, *Error) {
	begin := s.at
	s.skipDigits()
	digits := s.text[begin:s.at]
	if s.byteAt(s.at) == '_' {
		return s.underscored(digits)
	}
	if gap := s.gap(); gap != 0 {
		return s.grouped(digits, gap)
	}
	return digits, nil
}

// underscored reads the rest of a number that has an underscore after its first
// digits.
func (s *scanner) underscored(first string) (string, *Error) {
	digits := []byte(first)
	for s.byteAt(s.at) == '_' {
		if !isDigit(rune(s.byteAt(s.at + 1))) {
			return "", errorAt(s.at, "an underscore stands between two digits")
		}
		s.at++
		begin := s.at
		s.skipDigits()
		digits = append(digits, s.text[begin:s.at]...)
	}
	if gap := s.gap(); gap != 0 {
		return "", s.notGrouped(gap)
	}
	return string(digits), nil
}

// grouped reads the rest of a number that has a comma or white space after its
// first digits: groups of three, divided all alike.
func (s *scanner) grouped(first string, gap rune) (string, *Error) {
	if len(first) > 3 {
		return "", s.notGrouped(gap)
	}
	digits := []byte(first)
	for {
		switch now := s.gap(); {
		case now == 0 && s.byteAt(s.at) == '_':
			return "", errorAt(s.at, "a number has either underscores or groups of three digits")
		case now == 0:
			return string(digits), nil
		case now != gap:
			return "", s.notGrouped(now)
		}
		before := s.at
		s.at += s.gapBytes()
		begin := s.at
		s.skipDigits()
		if s.at-begin != 3 {
			s.at = before
			return "", s.notGrouped(gap)
		}
		digits = append(digits, s.text[begin:s.at]...)
	}
}

// gap says what stands between the digits here and more digits: a comma, white
// space as ' ', or 0 for anything else. A comma can't stand anywhere else, so it needs
// no digits behind it.
func (s *scanner) gap() rune {
	rest := s.text[s.at:]
	if strings.HasPrefix(rest, ",") {
		return ','
	}
	if n := spaces(rest); n > 0 && isDigit(rune(s.byteAt(s.at+n))) {
		return ' '
	}
	return 0
}

func (s *scanner) gapBytes() int { return max(spaces(s.text[s.at:]), 1) }

// notGrouped is the error for digits that are divided in a way that could mean
// several things: 1,5 or 15 21.
func (s *scanner) notGrouped(gap rune) *Error {
	if gap == ',' {
		return errorAt(s.at, "commas divide the digits of a number into groups of three, as in 1,000,007")
	}
	return errorAt(s.at+spaces(s.text[s.at:]), "an operator is missing between two numbers; white space may divide digits into groups of three only, as in 1 000 007")
}

// exponent reads e and the digits behind it. What is beyond any limit stays there.
func (s *scanner) exponent() (exponent int, err *Error) {
	const beyond = 1 << 40
	e := s.at
	s.at++
	if s.byteAt(s.at) == '+' {
		s.at++
	}
	if !isDigit(rune(s.byteAt(s.at))) {
		return 0, errorAt(e, "the e of a number is followed by digits, as in 1e20")
	}
	for isDigit(rune(s.byteAt(s.at))) {
		exponent = min(10*exponent+int(s.text[s.at]-'0'), beyond)
		s.at++
	}
	return exponent, nil
}

func (s *scanner) skipDigits() {
	for isDigit(rune(s.byteAt(s.at))) {
		s.at++
	}
}

// byteAt returns a byte of the text, and 0, which has no meaning, behind its end.
func (s *scanner) byteAt(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// spaces is how many bytes of white space a text begins with.
func spaces(s string) int { return len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace)) }

func isDigit(r rune) bool  { return '0' <= r && r <= '9' }
func isLetter(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }

func isDigitOf(c byte, base int) bool {
	switch {
	case isDigit(rune(c)):
		return int(c-'0') < base
	case base == 16:
		return 'a' <= c|0x20 && c|0x20 <= 'f'
	}
	return false
}
