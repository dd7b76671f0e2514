package fairfactor

import "strings"

// ParseNumber returns the canonical form of a positive integer in decimal
// digits: leading zeros dropped. Everything else is invalid: signs, spaces,
// exponents, other scripts' digits, zero. maxDigits, 1 or more, bounds the canonical form.
func ParseNumber(s string, maxDigits int) (string, error) {
	if s == "" {
		return "", Errorf(Invalid, "number is empty: send a positive integer in decimal digits")
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return "", Errorf(Invalid, "number %.40q has a character that is not a decimal digit at byte %d: send a positive integer in decimal digits only", s, i)
		}
	}
	n := strings.TrimLeft(s, "0")
	if n == "" {
		return "", Errorf(Invalid, "zero has no prime factors: send a positive integer")
	}
	if len(n) > maxDigits {
		return "", Errorf(Invalid, "number has %d digits, more than the %d that this service takes", len(n), maxDigits)
	}
	return n, nil
}

// ParseCaller returns s if it is a valid name of a caller: 1 to 64 bytes of
// A-Z a-z 0-9 . _ : @ -. Its error is [Invalid].
func ParseCaller(s string) (string, error) {
	if s == "" {
		return "", Errorf(Invalid, "caller id is missing: send it in the header X-Caller-ID or as ?caller_id=")
	}
	if len(s) > MaxCallerBytes {
		return "", Errorf(Invalid, "caller id has %d bytes, more than %d", len(s), MaxCallerBytes)
	}
	for i := 0; i < len(s); i++ {
		if !callerByte(s[i]) {
			return "", Errorf(Invalid, "caller id %q has a character outside A-Z a-z 0-9 . _ : @ - at byte %d", s, i)
		}
	}
	return s, nil
}

func callerByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("._:@-", c) >= 0
}

// BeforePrefix returns what stands right before all names of callers that begin with a
// prefix, in the order of lists of callers; empty for an empty one.
func BeforePrefix(prefix string) string {
	if prefix == "" {
		return ""
	}
	last := len(prefix) - 1
	return prefix[:last] + string(prefix[last]-1) + "~" // which sorts behind all that a name can have
}
