package http

import (
	"bytes"
	"encoding/json"

	"github.com/valyala/fasthttp"
)

// manners is what a request says about how it wants to be answered.
type manners struct {
	requestID []byte // sent back; empty for none
	origin    []byte // of a page on another site that may read the answer; empty for none
	match     []byte // If-None-Match
	gzip      bool
	close     bool // the connection ends with the answer
}

// mannersOf returns the manners of a request, whose parts are the request's.
func mannersOf(r *request) manners {
	return manners{requestID: printable(r.requestID), origin: r.origin, match: r.match, gzip: takesGzip(r.acceptEncoding)}
}

// takesGzip reports whether an Accept-Encoding names gzip, and not to refuse it.
func takesGzip(accepted []byte) bool {
	for coding := range bytes.SplitSeq(accepted, []byte{','}) {
		name, weight, _ := bytes.Cut(coding, []byte{';'})
		if bytes.EqualFold(bytes.TrimSpace(name), []byte("gzip")) {
			return string(bytes.TrimRight(bytes.TrimSpace(weight), "0.")) != "q="
		}
	}
	return false
}

// kept returns manners that outlive the request.
func (m manners) kept() manners {
	m.requestID, m.origin, m.match = bytes.Clone(m.requestID), bytes.Clone(m.origin), bytes.Clone(m.match)
	return m
}

// printable returns a client's name for its request if it can stand in a log: 1
// to 128 visible ASCII characters.
func printable(id []byte) []byte {
	if len(id) > maxRequestIDBytes {
		return nil
	}
	for _, c := range id {
		if c <= ' ' || c > '~' {
			return nil
		}
	}
	return id
}

// Names and values of header fields, in the form in which they are sent.
var (
	requestIDName  = []byte("X-Request-Id")
	varyName       = []byte("Vary")
	acceptEncoding = []byte("Accept-Encoding")
	cacheName      = []byte("Cache-Control")
	etagName       = []byte("Etag")
	locationName   = []byte("Location")
	policyName     = []byte("RateLimit-Policy")
	limitName      = []byte("RateLimit")
	noStore        = []byte("no-store")
	privateNoCache = []byte("private, no-cache")
	mediaJSONBytes = []byte(mediaJSON)
)

// gzipBytes is the length from which answers are compressed: shorter ones fit
// into a packet as they are.
const gzipBytes = 1 << 10

// finish adds to an answer what does not depend on the endpoint.
func (s *Server) finish(resp *fasthttp.Response, m manners) {
	h := &resp.Header
	if len(m.requestID) > 0 {
		h.SetCanonical(requestIDName, m.requestID)
	}
	if len(m.origin) > 0 {
		s.site.share(h, m.origin)
	}
	if !resp.IsBodyStream() && len(resp.Body()) > gzipBytes {
		compress(resp, m.gzip)
	}
	if m.close || s.left.Load() || s.polls.ended() {
		h.SetConnectionClose()
	}
}

// compress sends a long body as gzip to a client that takes it. The tag of the
// plain body becomes a weak one then: the bytes are others.
func compress(resp *fasthttp.Response, asked bool) {
	h := &resp.Header
	h.AddBytesKV(varyName, acceptEncoding)
	if !asked {
		return
	}
	resp.SetBodyRaw(fasthttp.AppendGzipBytesLevel(nil, resp.Body(), fasthttp.CompressBestSpeed))
	h.SetContentEncoding("gzip")
	if tag := h.PeekBytes(etagName); len(tag) > 0 && tag[0] == '"' {
		h.SetCanonical(etagName, append([]byte("W/"), tag...))
	}
}

// answerJSON answers 200 with something that is true only now. A long body is kept as it
// is, not copied: it comes from no buffer that is lent again.
func answerJSON(resp *fasthttp.Response, body []byte) {
	resp.Header.SetContentTypeBytes(mediaJSONBytes)
	resp.Header.SetCanonical(cacheName, noStore)
	if cap(body) > keptBytes {
		resp.SetBodyRaw(body)
		return
	}
	resp.SetBody(body)
}

// answerValue answers 200 with a value of answers.go.
func answerValue(resp *fasthttp.Response, value any) error {
	body, err := encode(value)
	if err != nil {
		return err
	}
	answerJSON(resp, body)
	return nil
}

// encode writes a value as one line of JSON.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return b.Bytes(), err
}
