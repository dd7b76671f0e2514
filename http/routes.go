package http

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// method is a request method that some resource knows.
type method uint8

const (
	getMethod method = iota // HEAD too: the same answer, sent without its body
	postMethod
	putMethod
	deleteMethod
	optionsMethod
	otherMethod
	methodCount
)

var methodNames = [methodCount]string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "other"}

// endpoint answers a request. arg is what stands for {id} in the path. An error
// becomes a problem document.
type endpoint func(s *Server, ctx *fasthttp.RequestCtx, arg string) error

// resource is what lies at a path. In the path {id} stands for one segment.
type resource struct {
	path      string
	endpoints [methodCount]endpoint
	allow     string // value of the header Allow
	index     int    // in resources

	before, after string // of {id}
	open          bool   // has {id}
}

// resources are all paths of the API. A path without {id} stands before those
// it would match too.
var resources = compile([]resource{
	{path: "/compute", endpoints: [methodCount]endpoint{postMethod: (*Server).postCompute, getMethod: (*Server).listJobs}},
	{path: "/compute/batch", endpoints: [methodCount]endpoint{postMethod: (*Server).postBatch}},
	{path: "/compute/{id}", endpoints: [methodCount]endpoint{getMethod: (*Server).getJob, deleteMethod: (*Server).cancelJob}},
	{path: "/compute/{id}/retry", endpoints: [methodCount]endpoint{postMethod: (*Server).retryJob}},
	{path: "/callers", endpoints: [methodCount]endpoint{getMethod: (*Server).listCallers}},
	{path: "/callers/{id}", endpoints: [methodCount]endpoint{getMethod: (*Server).getCaller, putMethod: (*Server).putCaller}},
	{path: "/fairness", endpoints: [methodCount]endpoint{getMethod: (*Server).getFairness}},
	{path: "/nodes", endpoints: [methodCount]endpoint{getMethod: (*Server).getNodes}},
	{path: "/livez", endpoints: [methodCount]endpoint{getMethod: (*Server).getLive}},
	{path: "/readyz", endpoints: [methodCount]endpoint{getMethod: (*Server).getReady}},
	{path: "/metrics", endpoints: [methodCount]endpoint{getMethod: (*Server).getMetrics}},
	{path: "/openapi.json", endpoints: [methodCount]endpoint{getMethod: (*Server).getOpenAPI}},
	{path: "/", endpoints: [methodCount]endpoint{getMethod: (*Server).getPage}},
})

func compile(all []resource) []resource {
	for i := range all {
		r := &all[i]
		r.index = i
		r.before, r.after, r.open = strings.Cut(r.path, "{id}")
		var names []string
		for m, e := range r.endpoints {
			if e == nil {
				continue
			}
			names = append(names, methodNames[m])
			if method(m) == getMethod {
				names = append(names, "HEAD")
			}
		}
		r.allow = strings.Join(append(names, "OPTIONS"), ", ")
	}
	return all
}

// match finds the resource at a path, nil if there is none. The path is taken
// as it was sent: callers may be named . or .., so nothing is cleaned.
func match(path, name []byte) (*resource, method, string) {
	m := methodOf(name)
	for i := range resources {
		r := &resources[i]
		if !r.open {
			if string(path) == r.path {
				return r, m, ""
			}
			continue
		}
		if len(path) <= len(r.before)+len(r.after) || string(path[:len(r.before)]) != r.before || string(path[len(path)-len(r.after):]) != r.after {
			continue
		}
		middle := path[len(r.before) : len(path)-len(r.after)]
		if bytes.IndexByte(middle, '/') >= 0 {
			continue
		}
		return r, m, unescape(string(middle))
	}
	return nil, m, ""
}

func methodOf(name []byte) method {
	switch string(name) {
	case "GET", "HEAD":
		return getMethod
	case "POST":
		return postMethod
	case "PUT":
		return putMethod
	case "DELETE":
		return deleteMethod
	case "OPTIONS":
		return optionsMethod
	}
	return otherMethod
}

// unescape decodes %XX; what can't be decoded stays as it is, and is then the
// name of nothing.
func unescape(segment string) string {
	if strings.IndexByte(segment, '%') < 0 {
		return segment
	}
	if plain, err := url.PathUnescape(segment); err == nil {
		return plain
	}
	return segment
}

// options says what may be done with a resource.
func options(ctx *fasthttp.RequestCtx, r *resource) error {
	ctx.Response.Header.Set("Allow", r.allow)
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	return nil
}
