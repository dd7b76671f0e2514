package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// Reply is what a node said to one POST.
type Reply struct {
	ID     string // of the accepted job, empty if it was refused
	Status int
	Retry  time.Duration // from Retry-After, 0 if there was none
}

// Poster sends one POST after the other with the same buffers. It belongs to
// one goroutine.
type Poster struct {
	client *Client
	req    *fasthttp.Request
	resp   *fasthttp.Response
	body   []byte
}

// Post submits one number.
func (p *Poster) Post(caller, number string) (Reply, error) {
	p.fill(caller, number)
	if err := p.client.host.DoTimeout(p.req, p.resp, AnswerTime); err != nil {
		return Reply{}, err
	}
	r := Reply{Status: p.resp.StatusCode()}
	if r.Status == fasthttp.StatusAccepted {
		if r.ID = RequestID(p.resp.Body()); r.ID == "" {
			return r, fmt.Errorf("202 without a request_id: %.200s", p.resp.Body())
		}
		return r, nil
	}
	r.Retry = retryAfter(p.resp.Header.Peek("Retry-After"))
	return r, nil
}

// fill makes the request.
func (p *Poster) fill(caller, number string) {
	p.body = append(p.body[:0], `{"number":"`...)
	p.body = append(p.body, number...)
	p.body = append(p.body, `"}`...)
	p.req.SetBodyRaw(p.body)
	p.req.Header.Set("X-Caller-Id", caller)
}

// Accepted submits one number that must be accepted and returns the job's id;
// anything else is an error.
func (p *Poster) Accepted(caller, number string) (string, error) {
	r, err := p.Post(caller, number)
	if err == nil && r.ID == "" {
		err = fmt.Errorf("number %s of %s: status %d: %.200s", number, caller, r.Status, p.resp.Body())
	}
	return r.ID, err
}

// RequestID finds the id in the body of a 202 without decoding the rest; it is
// empty without one.
func RequestID(body []byte) string {
	_, rest, found := bytes.Cut(body, []byte(`"request_id":`))
	rest = bytes.TrimLeft(rest, " ")
	if !found || len(rest) < fairfactor.IDLen+2 || rest[0] != '"' || rest[fairfactor.IDLen+1] != '"' {
		return ""
	}
	return string(rest[1 : 1+fairfactor.IDLen])
}

func retryAfter(header []byte) time.Duration {
	seconds, err := strconv.Atoi(string(header))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// PostAndWait submits one number and returns the finished job. The node waits for
// the end of the job, at most a minute; a job that takes longer is an error.
func (p *Poster) PostAndWait(caller, number string) (j Job, err error) {
	p.req.Header.Set("Prefer", "wait=60")
	defer p.req.Header.Del("Prefer")
	p.fill(caller, number)
	if err := p.client.host.DoTimeout(p.req, p.resp, longestWait); err != nil {
		return j, err
	}
	if status := p.resp.StatusCode(); status != fasthttp.StatusOK {
		return j, fmt.Errorf("number %s of %s, with a wait: status %d: %.200s", number, caller, status, p.resp.Body())
	}
	err = json.Unmarshal(p.resp.Body(), &j)
	return j, err
}

// longestWait is above the minute that a node waits.
const longestWait = 70 * time.Second

// Getter sends one GET after the other with the same buffers. It belongs to one
// goroutine.
type Getter struct {
	client *Client
	req    *fasthttp.Request
	resp   *fasthttp.Response
}

// Getter returns a sender of GETs.
func (c *Client) Getter() *Getter {
	return &Getter{client: c, req: &fasthttp.Request{}, resp: &fasthttp.Response{}}
}

// OK asks for a path; an answer other than 200 with a body is an error.
func (g *Getter) OK(path string) error {
	g.req.SetRequestURI(g.client.base + path)
	g.client.sign(g.req)
	if err := g.client.host.DoTimeout(g.req, g.resp, AnswerTime); err != nil {
		return err
	}
	if status := g.resp.StatusCode(); status != fasthttp.StatusOK || len(g.resp.Body()) == 0 {
		return fmt.Errorf("GET %s: status %d: %.200s", path, status, g.resp.Body())
	}
	return nil
}
