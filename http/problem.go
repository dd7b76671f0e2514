package http

import (
	"errors"
	"math"
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
	badWeight
	noSuchThing
	wrongMethod
	tooSlow
	wrongState
	tooLarge
	wrongMedia
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
	badNumber:    {422, fairfactor.Invalid, "bad-number", "The number is not one that can be factored here"},
	badKey:       {422, fairfactor.Invalid, "key-in-use", "The idempotency key belongs to another number"},
	badWeight:    {422, fairfactor.Invalid, "bad-weight", "The weight is not valid"},
	noSuchThing:  {404, fairfactor.NotFound, "not-found", "There is no such thing"},
	wrongMethod:  {405, fairfactor.Invalid, "method-not-allowed", "The method is not allowed here"},
	tooSlow:      {408, fairfactor.Unavailable, "too-slow", "The request did not arrive in time"},
	wrongState:   {409, fairfactor.Conflict, "conflict", "The job is in another state"},
	tooLarge:     {413, fairfactor.Limit, "too-large", "The body is too large"},
	wrongMedia:   {415, fairfactor.Invalid, "unsupported-media-type", "The media type is not supported"},
	headTooLarge: {431, fairfactor.Limit, "header-too-large", "The header is too large"},
	full:         {429, fairfactor.Limit, "limit", "A limit is reached"},
	broken:       {500, fairfactor.Internal, "internal", "Something is wrong on our side"},
	notNow:       {503, fairfactor.Unavailable, "unavailable", "The service can't take this now"},
	unanswered:   {504, fairfactor.Unavailable, "unanswered", "It is not known whether the request was carried out"},
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

// appendProblem appends the problem document.
func appendProblem(b []byte, p *problem) []byte {
	k := &kinds[p.kind]
	b = append(b, `{"type":"`...)
	b = append(b, typePrefix...)
	b = append(b, k.name...)
	b = append(b, `","title":`...)
	b = appendString(b, k.title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(k.status), 10)
	b = append(b, `,"detail":`...)
	b = appendString(b, p.detail)
	b = append(b, `,"code":"`...)
	b = append(b, k.code...)
	b = append(b, '"')
	for _, f := range p.facts {
		b = append(b, ',')
		b = appendString(b, f.name)
		b = append(b, ':')
		if f.isNumber {
			b = strconv.AppendInt(b, int64(f.number), 10)
		} else {
			b = appendString(b, f.text)
		}
	}
	if retry := p.retrySeconds(); retry > 0 {
		b = append(b, `,"retry_after":`...)
		b = strconv.AppendInt(b, int64(retry), 10)
	}
	return append(b, '}')
}

// answer makes the problem the response.
func (p *problem) answer(ctx *fasthttp.RequestCtx) {
	s := acquireScratch()
	defer s.release()
	s.out = append(appendProblem(s.out, p), '\n')
	ctx.Response.ResetBody()
	ctx.SetStatusCode(p.status())
	h := &ctx.Response.Header
	h.SetContentType(mediaProblem)
	h.Set("Cache-Control", "no-store")
	if retry := p.retrySeconds(); retry > 0 {
		h.Set("Retry-After", strconv.Itoa(retry))
	}
	ctx.SetBody(s.out)
}
