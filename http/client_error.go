package http

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fairfactor"
)

// codeOfStatus turns the status of a refusal into the code it was made from; a
// status that a node does not use gives internal.
func codeOfStatus(status int) fairfactor.Code {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusMisdirectedRequest, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return fairfactor.Invalid
	case http.StatusNotFound:
		return fairfactor.NotFound
	case http.StatusConflict:
		return fairfactor.Conflict
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusRequestHeaderFieldsTooLarge:
		return fairfactor.Limit
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return fairfactor.Unavailable
	}
	return fairfactor.Internal
}

func (p *problemAnswer) err() *fairfactor.Error {
	message := p.Detail
	if message == "" {
		message = p.Title
	}
	if message == "" {
		message = "the node answers " + strconv.Itoa(p.Status) + " " + http.StatusText(p.Status)
	}
	e := fairfactor.Errorf(codeOfStatus(p.Status), "%s", message)
	if p.Status == http.StatusBadGateway || p.Status == http.StatusGatewayTimeout {
		e.Err = fairfactor.ErrUnanswered
	}
	if e.Code == fairfactor.Limit || e.Code == fairfactor.Unavailable {
		e.Retry = time.Duration(min(max(p.RetryAfter, 0), 86400)) * time.Second
	}
	return e
}

// refusal turns an answer that is no success into an error.
func (c *Client) refusal(ctx, bounded context.Context, k call, resp *http.Response) error {
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return fairfactor.Errorf(fairfactor.Invalid, "%s sends callers on to %.200q: use that URL", c, resp.Header.Get("Location"))
	}
	body := &watchedReader{r: io.LimitReader(resp.Body, maxProblem)}
	raw, _ := io.ReadAll(body)
	if body.err != nil && ctx.Err() != nil {
		return c.broken(ctx, bounded, k, body.err)
	}
	var p problemAnswer
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(raw, &p) != nil {
		p = problemAnswer{Detail: c.String() + " answers " + resp.Status + ", and not as a fairfactor node would: check the URL"}
	}
	p.Status = resp.StatusCode
	if after := retryDelay(resp.Header, time.Now()); after > 0 {
		p.RetryAfter = after
	}
	return p.err()
}

// retryDelay reads the header Retry-After, which is seconds or a time. It is zero
// without the header.
func retryDelay(h http.Header, now time.Time) int64 {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return max(seconds, 0)
	}
	if at, err := http.ParseTime(value); err == nil {
		return int64(max(at.Sub(now), 0) / time.Second)
	}
	return 0
}

// broken turns a failure of the connection into an error that says what to do.
func (c *Client) broken(ctx, bounded context.Context, k call, err error) error {
	var dial *net.OpError
	var untrusted *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return fairfactor.Wrap(fairfactor.Canceled, context.Cause(ctx), "the call was given up before "+c.String()+" answered")
	case errors.As(err, &dial) && (dial.Op == "dial" || dial.Op == "proxyconnect"):
		return fairfactor.Wrap(fairfactor.Unavailable, dial, "no node answers at "+c.String()+": `fairfactor serve` starts one")
	case errors.As(err, &untrusted):
		return fairfactor.Wrap(fairfactor.Unavailable, untrusted, "the certificate of "+c.String()+" is not trusted, so nothing was sent: SSL_CERT_FILE names a file of further authorities")
	case errors.Is(err, http.ErrSchemeMismatch):
		return fairfactor.Wrap(fairfactor.Unavailable, err, c.String()+" speaks no HTTPS, so nothing was sent: begin the URL with http://")
	case errors.Is(context.Cause(bounded), errPatience):
		return c.lost(k, errPatience, "does not answer")
	}
	return c.lost(k, err, "broke off the connection")
}

// lost is the error of a call whose answer did not arrive.
func (c *Client) lost(k call, err error, what string) error {
	message := c.String() + " " + what
	if k.method != http.MethodGet && !k.harmless {
		err = errors.Join(fairfactor.ErrUnanswered, err)
		if k.header.Get("Idempotency-Key") != "" {
			message += ": submit the number again with the same key"
		} else {
			message += ": it is not known whether the call took effect"
		}
	}
	return fairfactor.Wrap(fairfactor.Unavailable, err, message)
}

// senseless is the error for an answer that no node gives.
func (c *Client) senseless(err error) error {
	return fairfactor.Wrap(fairfactor.Internal, err, "the answer of "+c.String()+" makes no sense: is it a fairfactor node?")
}
