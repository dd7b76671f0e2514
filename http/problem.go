package http

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// kind is a sort of refusal. It fixes the status of the answer and the type and
// title of the problem document.
type kind uint8

const (
	badRequest kind = iota
	badCaller
	badNumber
	badKey
	badDeadline
	badCallback
	badECM
	badFactors
	badWeight
	badBound
	badGroup
	badAPIKey
	noKey
	forbidden
	noSuchThing
	wrongMethod
	tooSlow
	wrongState
	tooLarge
	wrongMedia
	wrongOrigin
	wrongHost
	headTooLarge
	full
	broken
	notNow
	unanswered
)

// kinds is the one table from what went wrong to what a client sees of it.
var kinds = [...]struct {
	status int
	code   fairfactor.Code
	name   string // last part of the problem's type
	title  string
}{
	badRequest:   {400, fairfactor.Invalid, "bad-request", "The request can't be read"},
	badCaller:    {400, fairfactor.Invalid, "bad-caller", "The caller id is missing or not valid"},
	badNumber:    {422, fairfactor.Invalid, "bad-number", "The number can't be factored here"},
	badKey:       {422, fairfactor.Invalid, "key-in-use", "The idempotency key belongs to another number"},
	badDeadline:  {422, fairfactor.Invalid, "bad-deadline", "The deadline can't be kept"},
	badCallback:  {422, fairfactor.Invalid, "bad-callback", "The callback can't be called from here"},
	badECM:       {422, fairfactor.Invalid, "bad-ecm", "The curves can't be counted"},
	badFactors:   {422, fairfactor.Invalid, "bad-factors", "The known factors can't be used"},
	badWeight:    {422, fairfactor.Invalid, "bad-weight", "The weight is not valid"},
	badBound:     {422, fairfactor.Invalid, "bad-bound", "The bound is not valid"},
	badGroup:     {422, fairfactor.Invalid, "bad-group", "The name of the group is not valid"},
	noSuchThing:  {404, fairfactor.NotFound, "not-found", "Not found"},
	badAPIKey:    {422, fairfactor.Invalid, "bad-api-key", "There can't be such an API key"},
	noKey:        {401, fairfactor.Invalid, "no-key", "A key is needed"},
	forbidden:    {403, fairfactor.Invalid, "forbidden", "The key does not allow this"},
	wrongOrigin:  {403, fairfactor.Invalid, "foreign-origin", "Pages of this origin may not use the node"},
	wrongMethod:  {405, fairfactor.Invalid, "method-not-allowed", "The method is not allowed here"},
	tooSlow:      {408, fairfactor.Unavailable, "too-slow", "The request did not arrive in time"},
	wrongState:   {409, fairfactor.Conflict, "conflict", "The present state does not allow this"},
	tooLarge:     {413, fairfactor.Limit, "too-large", "The body is too large"},
	wrongMedia:   {415, fairfactor.Invalid, "unsupported-media-type", "The media type is not supported"},
	wrongHost:    {421, fairfactor.Invalid, "unknown-host", "The node is not known by this name"},
	headTooLarge: {431, fairfactor.Limit, "header-too-large", "The header is too large"},
	full:         {429, fairfactor.Limit, "limit", "A limit was reached"},
	broken:       {500, fairfactor.Internal, "internal", "The node failed to answer"},
	notNow:       {503, fairfactor.Unavailable, "unavailable", "The service can't take this now"},
	unanswered:   {504, fairfactor.Unavailable, "unanswered", "The outcome of the request is unknown"},
}

// kindOf says which refusal a domain error becomes, unless the place where it
// arose knows better.
func kindOf(code fairfactor.Code) kind {
	switch code {
	case fairfactor.Invalid:
		return badRequest
	case fairfactor.NotFound:
		return noSuchThing
	case fairfactor.Conflict:
		return wrongState
	case fairfactor.Limit:
		return full
	case fairfactor.Unavailable, fairfactor.Canceled:
		return notNow
	}
	return broken
}

// typePrefix begins the type of every problem. The types are names: they lead
// nowhere.
const typePrefix = "urn:fairfactor:problem:"

// mediaProblem is the media type of problem documents (RFC 9457, section 3).
const mediaProblem = "application/problem+json"

// problem is a refusal on its way to a client.
type problem struct {
	kind   kind
	detail string
	facts  []fact
	retry  time.Duration // when to try again; zero leaves it to the kind
	cause  error         // for the log
}

// fact is one more member of a problem document: the offending value or the
// limit it broke. The value is a string unless isNumber is set.
type fact struct {
	name     string
	text     string
	number   int
	isNumber bool
}

func (p *problem) Error() string { return p.detail }

func (p *problem) Unwrap() error { return p.cause }

func refuse(k kind, detail string, facts ...fact) *problem {
	return &problem{kind: k, detail: detail, facts: facts}
}

// factBytes is how much of an offending value is shown.
const factBytes = 40

// shown is the fact of an offending value, cut to [factBytes].
func shown(name, value string) fact {
	if len(value) > factBytes {
		value = value[:factBytes] + "…"
	}
	return fact{name: name, text: value}
}

func count(name string, n int) fact { return fact{name: name, number: n, isNumber: true} }

// problemOf turns any error into a problem. The text of an error without a
// code never leaves the node.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if errors.Is(err, fairfactor.ErrUnanswered) {
		return problemAs(unanswered, err)
	}
	return problemAs(kindOf(fairfactor.CodeOf(err)), err)
}

// problemAs is the problem of a domain error whose kind the place knows.
func problemAs(k kind, err error, facts ...fact) *problem {
	p := &problem{kind: k, detail: fairfactor.MessageOf(err), facts: facts, cause: err}
	var e *fairfactor.Error
	if errors.As(err, &e) {
		p.retry = e.Retry
		if q := e.Quota; q != nil && quotaFacts[q.Name] != "" {
			p.facts = append(p.facts, count(quotaFacts[q.Name], int(q.Limit)))
		}
	}
	if k == broken {
		p.detail = "an internal error kept the node from answering; it has been logged"
	}
	return p
}

// retrySeconds is the value of Retry-After, 0 for none: at least a second for
// refusals that pass.
func (p *problem) retrySeconds() int {
	if p.kind != full && p.kind != notNow {
		return 0
	}
	return int(min(max(math.Ceil(p.retry.Seconds()), 1), 3600))
}

func (p *problem) status() int { return kinds[p.kind].status }

// appendProblem appends the problem document. What a problem adds about its cause
// never has the name of a member that all problems have, or of another fact.
func appendProblem(b []byte, p *problem) []byte {
	k := &kinds[p.kind]
	b = appendValue(b, problemAnswer{
		Type: typePrefix + k.name, Title: k.title, Status: k.status, Detail: p.detail, Code: string(k.code), RetryAfter: int64(p.retrySeconds()),
	})
	b = b[:len(b)-1]
	for i, f := range p.facts {
		if slices.Contains(reservedNames, f.name) || slices.ContainsFunc(p.facts[:i], func(before fact) bool { return before.name == f.name }) {
			continue
		}
		b = append(b, ',')
		b = appendString(b, f.name)
		b = append(b, ':')
		if f.isNumber {
			b = strconv.AppendInt(b, int64(f.number), 10)
		} else {
			b = appendString(b, f.text)
		}
	}
	return append(b, '}')
}

// reservedNames are the members of [problemAnswer].
var reservedNames = []string{"type", "title", "status", "detail", "code", "retry_after", "instance"}

// answer makes the problem the response.
func (p *problem) answer(resp *fasthttp.Response) {
	resp.ResetBody()
	resp.SetStatusCode(p.status())
	h := &resp.Header
	h.SetContentType(mediaProblem)
	h.SetCanonical(cacheName, noStore)
	if retry := p.retrySeconds(); retry > 0 {
		h.Set("Retry-After", strconv.Itoa(retry))
	}
	if q := quotaOf(p.cause); q != nil && p.kind == full {
		paceHeaders(h, q)
	}
	resp.SetBody(append(appendProblem(nil, p), '\n'))
}
