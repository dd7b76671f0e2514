package http

import "bytes"

// traceOf returns the parts of a traceparent header that a log needs, the trace and the
// span that asks, both in hexadecimal; nil if it is not as W3C Trace Context has it. Of a
// version that is not known it reads what each version must begin with.
func traceOf(header []byte) (trace, parent []byte) {
	const length = 2 + 1 + 32 + 1 + 16 + 1 + 2
	h := header
	if len(h) < length || h[2] != '-' || h[35] != '-' || h[52] != '-' {
		return nil, nil
	}
	version, trace, parent, flags := h[:2], h[3:35], h[36:52], h[53:55]
	for _, part := range [][]byte{version, trace, parent, flags} {
		if len(bytes.Trim(part, "0123456789abcdef")) > 0 {
			return nil, nil
		}
	}
	switch {
	case string(version) == "ff", string(version) == "00" && len(h) != length, len(h) > length && h[length] != '-':
		return nil, nil
	case len(bytes.Trim(trace, "0")) == 0, len(bytes.Trim(parent, "0")) == 0:
		return nil, nil
	}
	return trace, parent
}
