package fairfactor

import (
	"bytes"
	"encoding/hex"
)

// Trace is the place of a job in its submitter's trace, as the header traceparent of W3C
// Trace Context has it. It doesn't change.
type Trace struct {
	ID     [16]byte // of the trace
	Parent [8]byte  // the span that the submission was a part of
	Flags  byte     // see [Trace.Sampled]
}

// TraceBytes is the length of a [Trace] as text.
const TraceBytes = 2 + 1 + 32 + 1 + 16 + 1 + 2

// sampled is the flag that says that the caller may have recorded the trace.
const sampled = 1

// ParseTrace reads a trace as the header traceparent has it. It is false if the text is not
// as W3C Trace Context wants it. Of a version that is not known it reads what each version
// must begin with.
func ParseTrace(text []byte) (t Trace, ok bool) {
	if len(text) < TraceBytes || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return t, false
	}
	version, id, parent, flags := text[:2], text[3:35], text[36:52], text[53:TraceBytes]
	for _, part := range [][]byte{version, id, parent, flags} {
		if len(bytes.Trim(part, "0123456789abcdef")) > 0 {
			return t, false
		}
	}
	switch {
	case string(version) == "ff", string(version) == "00" && len(text) != TraceBytes, len(text) > TraceBytes && text[TraceBytes] != '-':
		return t, false
	}
	var flag [1]byte
	_, _ = hex.Decode(t.ID[:], id) // these are digits
	_, _ = hex.Decode(t.Parent[:], parent)
	_, _ = hex.Decode(flag[:], flags)
	t.Flags = flag[0]
	return t, t.ID != [16]byte{} && t.Parent != [8]byte{}
}

// Sampled reports whether the submitter may have recorded its part of the trace.
func (t *Trace) Sampled() bool { return t.Flags&sampled != 0 }

// Append appends the trace as the header traceparent has it, in version 00.
func (t *Trace) Append(b []byte) []byte {
	b = hex.AppendEncode(append(b, "00-"...), t.ID[:])
	b = hex.AppendEncode(append(b, '-'), t.Parent[:])
	return hex.AppendEncode(append(b, '-'), []byte{t.Flags})
}

func (t *Trace) String() string { return string(t.Append(make([]byte, 0, TraceBytes))) }
