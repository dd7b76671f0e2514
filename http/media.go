package http

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// Media types of request bodies.
var (
	jsonTypes   = []string{"application/json"}
	ndjsonTypes = []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}
)

// formType is what curl -d and HTML forms say of a body.
const formType = "application/x-www-form-urlencoded"

// checkMedia refuses a body that does not say it is of one of the types. A client
// that names its caller in X-Caller-ID may say nothing, or what curl -d says
// without being told; then form is true, and the caller has to look whether the
// body is JSON all the same. Others may not: a web page of a stranger can make a
// browser send such a request without asking, but neither a JSON type nor that
// header.
func checkMedia(r *request, types []string) (form bool, err error) {
	if coding := r.contentEncoding; len(coding) > 0 && !strings.EqualFold(string(coding), "identity") {
		return false, refuse(wrongMedia, "send the body without a Content-Encoding", shown("content_encoding", string(coding)))
	}
	sent := r.ctx.Request.Header.ContentType()
	if string(sent) == types[0] {
		return false, nil
	}
	media, params, err := "", map[string]string(nil), error(nil)
	if len(sent) > 0 {
		media, params, err = mime.ParseMediaType(string(sent))
	}
	switch {
	case err != nil || !charsetFits(params["charset"]):
		return false, notOfType(r, types)
	case slices.Contains(types, media):
		return false, nil
	case media != "" && media != formType:
		return false, notOfType(r, types)
	case len(r.caller) == 0 && r.method == postMethod:
		return false, refuse(wrongMedia, "send Content-Type: "+types[0]+", or name the caller in the header X-Caller-ID: a web page of another site could send this request as it is", shown("content_type", string(sent)), fact{name: "accept", text: types[0]})
	}
	return media == formType, nil
}

// notOfType is the problem of a body of another type.
func notOfType(r *request, types []string) *problem {
	return refuse(wrongMedia, "the body must be of the type "+types[0]+", in UTF-8", shown("content_type", string(r.ctx.Request.Header.ContentType())), fact{name: "accept", text: types[0]})
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
	return refuse(tooLarge, fmt.Sprintf("the body has more than %d bytes, the most that this path takes", maxBodyBytes), count("max_bytes", maxBodyBytes))
}

func tooSlowly() *problem {
	return refuse(tooSlow, "the request did not arrive in time: send it again, without pauses")
}

// brokenBody is the problem of a body that did not arrive as it should.
func brokenBody(err error) *problem {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return tooSlowly()
	}
	return refuse(badRequest, "the body ended before it was complete, or its chunks are broken: send the request again")
}
