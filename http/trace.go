package http

import (
	"encoding/json"

	"fairfactor"
)

// traceOf returns what a header traceparent says, nil without one or if it is not as W3C
// Trace Context has it: such a header is to be ignored.
func traceOf(header []byte) *fairfactor.Trace {
	if len(header) == 0 {
		return nil
	}
	if t, ok := fairfactor.ParseTrace(header); ok {
		return &t
	}
	return nil
}

// traceMember is the member traceparent of a line, whose job belongs to another trace than
// the request.
func traceMember(raw json.RawMessage) (*fairfactor.Trace, error) {
	if raw[0] == '"' {
		text, err := stringOf(raw)
		if err != nil {
			return nil, err
		}
		if t := traceOf([]byte(text)); t != nil {
			return t, nil
		}
	}
	return nil, refuse(badRequest, "traceparent must be a string as in W3C Trace Context, such as \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"", shown("traceparent", string(raw)))
}
