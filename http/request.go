package http

import (
	"bytes"
	"sync"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// request is one request while its handler runs: the header fields that the
// server looks at, gathered in one pass, and buffers for what came in and what
// goes out. It is lent for the time of a handler; nothing may keep a part of it.
type request struct {
	ctx      *fasthttp.RequestCtx
	res      *resource // nil if there is nothing at the path
	method   method
	arg      string // what stands for {id} in the path
	in, out  []byte
	subs     [1]fairfactor.Submission
	receipts [1]fairfactor.Receipt
	allowed  bool               // by its key, or because none is asked for
	as       *fairfactor.APIKey // of who sends it; nil if the node asks for none, or not here

	host, origin, fetchSite, requestID           []byte
	traceparent                                  []byte
	caller, key, prefer, match                   []byte
	authorization                                []byte // of several, all joined: no key has that form
	acceptEncoding, contentEncoding              []byte
	lastEvent                                    []byte
	forwardedFor, forwardedHost, forwardedPrefix []byte

	otherCaller []byte // a second X-Caller-ID that differs from the first
	keys        int    // Idempotency-Key fields
	prefers     int    // Prefer fields
}

// keptBytes is the largest buffer that is lent again; a long page of jobs is
// left to the garbage collector.
const keptBytes = 64 << 10

var requests = sync.Pool{New: func() any {
	return &request{in: make([]byte, 0, 512), out: make([]byte, 0, 1024)}
}}

func acquireRequest(ctx *fasthttp.RequestCtx) *request {
	r := requests.Get().(*request)
	*r = request{ctx: ctx, in: r.in[:0], out: r.out[:0]}
	for name, value := range ctx.Request.Header.All() {
		r.field(name, value)
	}
	return r
}

func (r *request) release() {
	if cap(r.in) <= keptBytes && cap(r.out) <= keptBytes {
		r.ctx, r.subs[0], r.receipts[0] = nil, fairfactor.Submission{}, fairfactor.Receipt{}
		requests.Put(r)
	}
}

// field notes a header field, whose name is in canonical form.
func (r *request) field(name, value []byte) {
	switch string(name) {
	case "Host":
		r.host = value
	case "X-Caller-Id":
		if r.caller == nil {
			r.caller = value
		} else if !bytes.Equal(r.caller, value) {
			r.otherCaller = value
		}
	case "Idempotency-Key":
		r.key = value
		r.keys++
	case "Prefer":
		r.prefer = value
		r.prefers++
	case "If-None-Match":
		r.match = value
	case "Last-Event-Id":
		r.lastEvent = value
	case "X-Request-Id":
		r.requestID = value
	case "Traceparent":
		r.traceparent = value
	case "Authorization":
		if r.authorization == nil {
			r.authorization = value
		} else {
			r.authorization = append(bytes.Clone(r.authorization), value...)
		}
	case "Origin":
		r.origin = value
	case "Sec-Fetch-Site":
		r.fetchSite = value
	case "Accept-Encoding":
		r.acceptEncoding = value
	case "Content-Encoding":
		r.contentEncoding = value
	case "X-Forwarded-For":
		if r.forwardedFor == nil {
			r.forwardedFor = value
		} else { // several lines are one list (RFC 9110, section 5.3)
			r.forwardedFor = append(append(bytes.Clone(r.forwardedFor), ','), value...)
		}
	case "X-Forwarded-Host":
		r.forwardedHost = value
	case "X-Forwarded-Prefix":
		r.forwardedPrefix = value
	}
}
