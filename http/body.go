package http

import (
	"errors"
	"io"
	"mime"
	"net"
	"strings"

	"github.com/valyala/fasthttp"
)

// Media types of request bodies.
var (
	jsonTypes   = []string{"application/json"}
	ndjsonTypes = []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}
)

// checkMedia refuses a body that does not say it is of one of the types. A body
// that says nothing is taken for what it should be: there are clients that send
// no Content-Type at all.
func checkMedia(ctx *fasthttp.RequestCtx, types []string) error {
	h := &ctx.Request.Header
	if coding := h.ContentEncoding(); len(coding) > 0 && !strings.EqualFold(string(coding), "identity") {
		return refuse(wrongMedia, "bodies are taken without a Content-Encoding only", shown("content_encoding", string(coding)))
	}
	sent := h.ContentType()
	if len(sent) == 0 || string(sent) == types[0] {
		return nil
	}
	media, params, err := mime.ParseMediaType(string(sent))
	if err == nil && charsetFits(params["charset"]) {
		for _, t := range types {
			if media == t {
				return nil
			}
		}
	}
	return refuse(wrongMedia, "the body must be of the type "+types[0]+", in UTF-8", shown("content_type", string(sent)), fact{name: "accept", text: types[0]})
}

func charsetFits(charset string) bool {
	return charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "us-ascii")
}

// readBody appends the body, at most [maxBodyBytes], to dst.
func readBody(ctx *fasthttp.RequestCtx, dst []byte) ([]byte, error) {
	if ctx.Request.Header.ContentLength() > maxBodyBytes {
		return dst, bodyTooLarge()
	}
	stream := ctx.Request.BodyStream()
	if stream == nil {
		return dst, nil
	}
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := stream.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > maxBodyBytes:
			return dst, bodyTooLarge()
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, brokenBody(err)
		}
	}
}

func bodyTooLarge() *problem {
	return refuse(tooLarge, "the body is longer than this path takes", count("max_bytes", maxBodyBytes))
}

func tooSlowly() *problem {
	return refuse(tooSlow, "the request did not arrive completely in time")
}

// brokenBody is the problem of a body that did not arrive as it should.
func brokenBody(err error) *problem {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return tooSlowly()
	}
	return refuse(badRequest, "the body ended before it was complete, or its chunks are broken")
}
