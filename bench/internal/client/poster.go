package client

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// reply is what a node said to one POST.
type reply struct {
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
func (p *Poster) Post(caller, number string) (reply, error) {
	p.body = append(p.body[:0], `{"number":"`...)
	p.body = append(p.body, number...)
	p.body = append(p.body, `"}`...)
	p.req.SetBodyRaw(p.body)
	p.req.Header.Set("X-Caller-Id", caller)
	if err := p.client.host.DoTimeout(p.req, p.resp, AnswerTime); err != nil {
		return reply{}, err
	}
	r := reply{Status: p.resp.StatusCode()}
	if r.Status == fasthttp.StatusAccepted {
		if r.ID = RequestID(p.resp.Body()); r.ID == "" {
			return r, fmt.Errorf("202 without a request_id: %.200s", p.resp.Body())
		}
		return r, nil
	}
	r.Retry = retryAfter(p.resp.Header.Peek("Retry-After"))
	return r, nil
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
