package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fairfactor"
	"fairfactor/factor/expression"
)

// form is what a submission may say. It has a number or an expression, and may have the
// members also besides.
type form struct {
	what      string // that holds it, for errors: body or line
	maxDigits int
	also      []string
	now       func() time.Time
	callbacks func(url string) error // says why a URL can't be called
}

var (
	numberMembers = []string{"number", "expression"}
	alsoSingle    = []string{"deadline", "callback_url", "ecm", "factors"}
	alsoLine      = []string{"deadline", "callback_url", "ecm", "factors", "key", "traceparent"} // of a line of a batch
)

// parse reads a submission, {"number":"..."} or {"expression":"..."}. The number is a
// string of decimal digits, or a JSON number written with digits only: 7.0 and 1e9 are
// refused, because what other programs make of them may no longer be exact. numbers keeps
// the number.
func (f *form) parse(body []byte, numbers *texts) (sub fairfactor.Submission, err error) {
	text, err := f.number(body, &sub)
	if err == nil {
		sub.Number, err = parseNumber(numbers.keep(text), f.maxDigits)
	}
	if err == nil {
		err = checkFactors(&sub)
	}
	return sub, err
}

// texts keeps short texts as parts of longer ones, so that not each is an object. In
// memory they stay together: some dozens of numbers.
type texts struct{ b strings.Builder }

// textBytes is how much texts are kept in one.
const textBytes = 1 << 10

func (t *texts) keep(text []byte) string {
	if t.b.Cap()-t.b.Len() < len(text) {
		t.b.Reset()
		t.b.Grow(max(textBytes, len(text)))
	}
	from := t.b.Len()
	t.b.Write(text)
	return t.b.String()[from:]
}

// number returns the text of the number in a submission, which may still be anything
// unless it is the value of an expression. It may be a part of the body. What the
// submission says besides is put into sub.
func (f *form) number(body []byte, sub *fairfactor.Submission) ([]byte, error) {
	if digits, ok := plainNumber(body); ok {
		return digits, nil
	}
	values, err := membersOf(f.what, body, numberMembers, f.also)
	if err != nil {
		return nil, err
	}
	if err := f.members(values, sub); err != nil {
		return nil, err
	}
	text, err := anyNumber(f.what, values, f.maxDigits)
	return []byte(text), err
}

// members reads what a submission says besides its number.
func (f *form) members(values map[string]json.RawMessage, sub *fairfactor.Submission) (err error) {
	if key := values["key"]; key != nil {
		if sub.Key, err = keyMember(key); err != nil {
			return err
		}
	}
	if deadline := values["deadline"]; deadline != nil {
		if sub.Deadline, err = deadlineMember(deadline, f.now()); err != nil {
			return err
		}
	}
	if trace := values["traceparent"]; trace != nil {
		if sub.Trace, err = traceMember(trace); err != nil {
			return err
		}
	}
	if ecm := values["ecm"]; ecm != nil {
		if sub.Curves, err = ecmMember(ecm); err != nil {
			return err
		}
	}
	if factors := values["factors"]; factors != nil {
		if sub.Factors, err = factorsMember(factors); err != nil {
			return err
		}
	}
	if callback := values["callback_url"]; callback != nil {
		sub.Callback, err = f.callbackMember(callback)
	}
	return err
}

// callbackMember is the URL that is told of the job's end.
func (f *form) callbackMember(raw json.RawMessage) (string, error) {
	if raw[0] != '"' {
		return "", refuse(badCallback, "callback_url must be a string", shown("callback_url", string(raw)))
	}
	text, err := stringOf(raw)
	if err != nil {
		return "", err
	}
	if err := f.callbacks(text); err != nil {
		return "", problemAs(badCallback, err, shown("callback_url", text))
	}
	return text, nil
}

// deadlineMember is when a job is cancelled if it has not ended.
func deadlineMember(raw json.RawMessage, now time.Time) (time.Time, error) {
	if raw[0] != '"' {
		return time.Time{}, refuse(badDeadline, "deadline must be a string, a time as in RFC 3339", shown("deadline", string(raw)))
	}
	text, err := stringOf(raw)
	if err != nil {
		return time.Time{}, err
	}
	at, err := fairfactor.ParseDeadline(text, now)
	if err != nil {
		return at, problemAs(badDeadline, err, shown("deadline", text))
	}
	return at, nil
}

// keyMember is the idempotency key of a line.
func keyMember(raw json.RawMessage) (string, error) {
	if raw[0] != '"' {
		return "", refuse(badRequest, "key must be a string", shown("key", string(raw)))
	}
	key, err := stringOf(raw)
	if err != nil {
		return "", err
	}
	if key == "" {
		return "", refuse(badRequest, "the key is empty: leave it out for none")
	}
	return key, checkKeyBytes("key", []byte(key))
}

// parseNumber returns the canonical form of a number.
func parseNumber(text string, maxDigits int) (string, error) {
	number, err := fairfactor.ParseNumber(text, maxDigits)
	if err != nil {
		return "", notANumber(err, text, maxDigits)
	}
	return number, nil
}

func notANumber(err error, text string, maxDigits int) *problem {
	facts := []fact{shown("number", text), count("max_digits", maxDigits)}
	if len(text) > factBytes {
		facts = append(facts, count("length", len(text)))
	}
	return problemAs(badNumber, err, facts...)
}

// plainNumber reads the body that nearly every client sends: one member, of
// digits. It says false to anything else, right or wrong, and leaves that to
// [membersOf].
func plainNumber(body []byte) (digits []byte, ok bool) {
	rest := skipSpace(body)
	for _, token := range [...]string{"{", `"number"`, ":"} {
		if len(rest) < len(token) || string(rest[:len(token)]) != token {
			return nil, false
		}
		rest = skipSpace(rest[len(token):])
	}
	quoted := len(rest) > 0 && rest[0] == '"'
	if quoted {
		rest = rest[1:]
	}
	n := 0
	for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
		n++
	}
	digits, rest = rest[:n], rest[n:]
	switch {
	case n == 0:
		return nil, false
	case !quoted && n > 1 && digits[0] == '0': // JSON has no 007
		return nil, false
	case quoted && (len(rest) == 0 || rest[0] != '"'):
		return nil, false
	case quoted:
		rest = rest[1:]
	}
	rest = skipSpace(rest)
	if len(rest) == 0 || rest[0] != '}' || len(skipSpace(rest[1:])) > 0 {
		return nil, false
	}
	return digits, true
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// anyNumber returns the text of the number among the members of any submission, which
// may still be anything, or the value of its expression.
func anyNumber(what string, values map[string]json.RawMessage, maxDigits int) (string, error) {
	number, typed := values["number"], values["expression"]
	switch {
	case number != nil && typed != nil:
		return "", refuse(badRequest, "the "+what+" gives both a number and an expression: send one of them", fact{name: "member", text: "expression"})
	case typed != nil:
		return typedNumber(typed, maxDigits)
	case number[0] == '"':
		return stringOf(number)
	}
	for _, c := range number {
		if c < '0' || c > '9' {
			return "", refuse(badNumber, "number must be a string of decimal digits, or a JSON number written with digits only", shown("number", string(number)))
		}
	}
	return string(number), nil
}

// typedNumber returns the value of the member expression.
func typedNumber(raw json.RawMessage, maxDigits int) (string, error) {
	if raw[0] != '"' {
		return "", refuse(badNumber, "expression must be a string", shown("expression", string(raw)))
	}
	text, err := stringOf(raw)
	if err != nil {
		return "", err
	}
	return valueOf(text, maxDigits)
}

// valueOf returns the value of an expression.
func valueOf(text string, maxDigits int) (string, error) {
	number, err := expression.Evaluate(text, maxDigits)
	if err == nil {
		return number, nil
	}
	p := refuse(badNumber, err.Error(), shown("expression", text), count("max_digits", maxDigits))
	var e *expression.Error
	if errors.As(err, &e) {
		p.facts = append(p.facts, count("at_byte", e.At))
		if e.Digits > 0 {
			p.facts = append(p.facts, count("length", e.Digits))
		}
	}
	return "", p
}

// stringOf returns the text of a JSON string.
func stringOf(raw json.RawMessage) (text string, err error) {
	if json.Unmarshal(raw, &text) != nil {
		return "", refuse(badRequest, "a string of the request is not JSON")
	}
	return text, nil
}

// members returns the members of an object that may have these, and must have one
// of them.
func members(body []byte, names ...string) (map[string]json.RawMessage, error) {
	return membersOf("body", body, names, nil)
}

// membersOf is members for an object that may also have others. It refuses everything
// that two programs could understand differently: a member given twice, members that
// are not known, bytes that are not UTF-8, more than one value.
func membersOf(what string, body []byte, names, also []string) (map[string]json.RawMessage, error) {
	switch {
	case len(skipSpace(body)) == 0:
		return nil, refuse(badRequest, "the "+what+` is empty: send {"`+names[0]+`": ...}`)
	case !utf8.Valid(body):
		return nil, refuse(badRequest, "the "+what+" is not UTF-8")
	case skipSpace(body)[0] != '{':
		return nil, refuse(badRequest, "the "+what+` must be a JSON object: {"`+names[0]+`": ...}`)
	}
	values := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, notJSON(what, d, err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, notJSON(what, d, err)
		}
		member, ok := token.(string)
		switch {
		case !ok:
			return nil, notJSON(what, d, errors.New("a member has no name"))
		case !slices.Contains(names, member) && !slices.Contains(also, member):
			return nil, refuse(badRequest, fmt.Sprintf("unknown member %.40q: the %s takes %s", member, what, strings.Join(slices.Concat(names, also), ", ")), shown("member", member))
		case values[member] != nil:
			return nil, refuse(badRequest, fmt.Sprintf("the %s gives the member %.40q twice: send it once", what, member), shown("member", member))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, notJSON(what, d, err)
		}
		values[member] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(what, d, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse(badRequest, "something follows the JSON object in the "+what+": send the object alone")
	}
	if !slices.ContainsFunc(names, func(name string) bool { return values[name] != nil }) {
		return nil, refuse(badRequest, "the "+what+" needs the member "+strings.Join(names, " or "), fact{name: "member", text: names[0]})
	}
	return values, nil
}

// notJSON says where a body stops being JSON; the decoder's own text is not
// shown, it names Go types.
func notJSON(what string, d *json.Decoder, cause error) *problem {
	at := int(d.InputOffset())
	p := refuse(badRequest, fmt.Sprintf("the %s is not JSON: the error is at byte %d", what, at), count("offset", at))
	p.cause = cause
	return p
}
