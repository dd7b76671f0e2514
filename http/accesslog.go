package http

import (
	"bytes"
	"encoding/hex"
	"io"
	"strconv"
	"sync"
	"time"

	"fairfactor"
)

// accessLog writes one line of JSON for each request that was answered. It never has
// a key, a body or the parameters of a query.
type accessLog struct {
	to io.Writer

	mu  sync.Mutex // guards line, and keeps lines whole
	buf []byte
}

// seen is what the log says of a request. Its texts may be parts of the request.
type seen struct {
	from, who    string
	method, path []byte
	requestID    []byte
	trace        fairfactor.Trace // of the header traceparent, zero for none
	begun        time.Time
}

// kept returns what outlives the request.
func (v seen) kept() seen {
	v.method, v.path, v.requestID = bytes.Clone(v.method), bytes.Clone(v.path), bytes.Clone(v.requestID)
	return v
}

// seenOf is what the log says of a request.
func (s *Server) seenOf(r *request) (v seen) {
	if s.access == nil {
		return v
	}
	v = seen{from: s.site.client(r), method: r.ctx.Method(), path: r.ctx.URI().PathOriginal(), requestID: printable(r.requestID), begun: r.ctx.Time()}
	if len(r.traceparent) > 0 {
		if t, ok := fairfactor.ParseTrace(r.traceparent); ok {
			v.trace = t
		}
	}
	if r.as != nil {
		v.who = r.as.ID
	}
	return v
}

// write logs an answer. size is the length of its body, -1 if it is not known yet.
func (l *accessLog) write(v *seen, status, size int, now time.Time) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := append(l.buf[:0], `{"time":`...)
	b = appendTime(b, now)
	b = appendString(append(b, `,"from":`...), v.from)
	b = appendStringOrNull(append(b, `,"key_id":`...), v.who)
	b = appendString(append(b, `,"method":`...), string(v.method))
	b = appendString(append(b, `,"path":`...), string(v.path))
	b = strconv.AppendInt(append(b, `,"status":`...), int64(status), 10)
	if size >= 0 {
		b = strconv.AppendInt(append(b, `,"bytes":`...), int64(size), 10)
	}
	b = strconv.AppendInt(append(b, `,"took_us":`...), now.Sub(v.begun).Microseconds(), 10)
	if len(v.requestID) > 0 {
		b = appendString(append(b, `,"request_id":`...), string(v.requestID))
	}
	if v.trace != (fairfactor.Trace{}) {
		b = hex.AppendEncode(append(b, `,"trace_id":"`...), v.trace.ID[:])
		b = hex.AppendEncode(append(b, `","parent_id":"`...), v.trace.Parent[:])
		b = append(b, '"')
	}
	l.buf = append(b, "}\n"...)
	_, _ = l.to.Write(l.buf) // a log that can't be written must not keep the node from its work
}
