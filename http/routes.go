package http

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
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

// endpoint answers requests of one method. An error becomes a problem document.
type endpoint struct {
	answer        func(s *Server, r *request) error // nil if the method is not allowed
	access        access                            // who may
	parameters    []string                          // of the query; others are refused
	anyParameters bool
}

func (e *endpoint) knows(parameter string) bool { return slices.Contains(e.parameters, parameter) }

// does makes an endpoint for those who may use it, which knows these parameters of
// the query.
func does(who access, answer func(*Server, *request) error, parameters ...string) endpoint {
	return endpoint{answer: answer, access: who, parameters: parameters}
}

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
	{path: "/compute", endpoints: [methodCount]endpoint{
		postMethod: does(submitters, (*Server).postCompute, "caller_id", "wait"), getMethod: does(listReaders, (*Server).listJobs, append(listFilters, "limit", "cursor")...),
		deleteMethod: does(listOwners, (*Server).cancelJobs, filters...),
	}},
	{path: "/compute/batch", endpoints: [methodCount]endpoint{postMethod: does(submitters, (*Server).postBatch, "caller_id")}},
	{path: "/compute/get", endpoints: [methodCount]endpoint{postMethod: does(manyReaders, (*Server).postGet)}},
	{path: "/compute/export", endpoints: [methodCount]endpoint{getMethod: does(listReaders, (*Server).exportJobs, listFilters...)}},
	{path: "/compute/retry", endpoints: [methodCount]endpoint{postMethod: does(listOwners, (*Server).retryJobs, filters...)}},
	{path: "/operations/{id}", endpoints: [methodCount]endpoint{getMethod: does(anyKey, (*Server).getOperation)}},
	{path: "/compute/{id}", endpoints: [methodCount]endpoint{getMethod: does(jobReaders, (*Server).getJob, "wait"), deleteMethod: does(jobOwners, (*Server).cancelJob)}},
	{path: "/compute/{id}/retry", endpoints: [methodCount]endpoint{postMethod: does(jobOwners, (*Server).retryJob)}},
	{path: "/compute/{id}/events", endpoints: [methodCount]endpoint{getMethod: does(jobReaders, (*Server).getJobEvents, "last_event_id")}},
	{path: "/events", endpoints: [methodCount]endpoint{getMethod: does(listReaders, (*Server).getEvents, "caller_id", "last_event_id")}},
	{path: "/callers", endpoints: [methodCount]endpoint{getMethod: does(viewers, (*Server).listCallers, "after", "limit", "prefix", "sort")}},
	{path: "/callers/{id}", endpoints: [methodCount]endpoint{getMethod: does(accountReaders, (*Server).getCaller), putMethod: does(operators, (*Server).putCaller)}},
	{path: "/groups/{id}", endpoints: [methodCount]endpoint{putMethod: does(operators, (*Server).putGroup)}},
	{path: "/keys", endpoints: [methodCount]endpoint{
		getMethod: does(operators, (*Server).listKeys, "after", "limit"), postMethod: does(operators, (*Server).postKey),
	}},
	{path: "/keys/current", endpoints: [methodCount]endpoint{getMethod: does(anyKey, (*Server).getCurrentKey)}},
	{path: "/keys/{id}", endpoints: [methodCount]endpoint{deleteMethod: does(operators, (*Server).deleteKey)}},
	{path: "/factors", endpoints: [methodCount]endpoint{
		getMethod: does(viewers, (*Server).listFactors, "cursor", "limit"), postMethod: does(operators, (*Server).postFactors),
	}},
	{path: "/factors/{id}", endpoints: [methodCount]endpoint{getMethod: does(anyKey, (*Server).getFactors)}},
	{path: "/fairness", endpoints: [methodCount]endpoint{getMethod: does(viewers, (*Server).getFairness)}},
	{path: "/nodes", endpoints: [methodCount]endpoint{getMethod: does(viewers, (*Server).getNodes)}},
	{path: "/livez", endpoints: [methodCount]endpoint{getMethod: does(anyone, (*Server).getLive)}},
	{path: "/readyz", endpoints: [methodCount]endpoint{getMethod: does(anyone, (*Server).getReady)}},
	{path: "/metrics", endpoints: [methodCount]endpoint{getMethod: does(viewers, (*Server).getMetrics)}},
	{path: "/openapi.json", endpoints: [methodCount]endpoint{getMethod: does(anyone, (*Server).getOpenAPI)}},
	{path: "/favicon.ico", endpoints: [methodCount]endpoint{getMethod: does(anyone, (*Server).getIcon)}},
	{path: "/page/{id}", endpoints: [methodCount]endpoint{getMethod: {answer: (*Server).getPageFile, access: anyone, anyParameters: true}}},
	{path: "/", endpoints: [methodCount]endpoint{getMethod: {answer: (*Server).getPage, access: anyone, anyParameters: true}}},
})

func compile(all []resource) []resource {
	for i := range all {
		r := &all[i]
		r.index = i
		r.before, r.after, r.open = strings.Cut(r.path, "{id}")
		var names []string
		for m, e := range r.endpoints {
			if e.answer == nil {
				continue
			}
			if !e.access.decided {
				panic("it is not decided who may " + methodNames[m] + " " + r.path)
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

// match finds the resource at a path, nil without one. The path is taken
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
