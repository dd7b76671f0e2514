// Package client talks to one node over HTTP as cheaply as it can, so that the
// load generator takes little from the node on the same machine.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
	"fairfactor/bench/internal/wait"
)

// Client talks to one node. It may be used by many goroutines.
type Client struct {
	host   *fasthttp.HostClient // submissions, and [Getter]
	asks   *fasthttp.HostClient // questions besides the load, on connections of their own
	dialer *dialer
	base   string // http://host:port
	key    string // API key, empty for none
}

// AnswerTime is how long an ordinary request may take.
const AnswerTime = 30 * time.Second

// Connections for questions besides the load; and a number of connections from
// which on each gets a smaller buffer, which still holds the head of an answer.
const (
	spareConns  = 16
	manyConns   = 1000
	smallBuffer = 1024
)

// repeats is how often a question is repeated on a new connection.
const repeats = 5

// New returns a client that opens at most conns connections for the load and a few
// more for questions. Nothing is repeated silently: a job that was
// sent twice would be accepted twice.
func New(base string, conns int) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q is not a URL like http://localhost:5555", base)
	}
	addr := u.Host
	if u.Port() == "" {
		addr += ":80"
	}
	d := newDialer(addr, conns)
	c := &Client{base: "http://" + u.Host, dialer: d, host: d.hostClient(conns), asks: d.hostClient(spareConns)}
	if conns > manyConns {
		c.host.ReadBufferSize, c.host.WriteBufferSize = smallBuffer, smallBuffer
	}
	return c, nil
}

// Authorise sends an API key with all requests. It comes before the first of them.
func (c *Client) Authorise(key string) { c.key = key }

func (c *Client) sign(req *fasthttp.Request) {
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
}

// Connect opens n connections of the load beforehand, so that connecting is no part of
// the answer times.
func (c *Client) Connect(ctx context.Context, n int) error { return c.dialer.keep(ctx, n) }

// Hangup closes all connections, so that requests under way fail at once.
func (c *Client) Hangup() { c.dialer.hangup() }

// Close closes the idle connections.
func (c *Client) Close() {
	c.host.CloseIdleConnections()
	c.dialer.drop()
	c.asks.CloseIdleConnections()
}

// Poster returns a sender of single POSTs.
func (c *Client) Poster() *Poster {
	p := &Poster{client: c, req: &fasthttp.Request{}, resp: &fasthttp.Response{}}
	p.req.SetRequestURI(c.base + "/compute")
	p.req.Header.SetMethod(fasthttp.MethodPost)
	c.sign(p.req)
	p.req.Header.SetContentType("application/json")
	return p
}

// Batch submits many numbers of one caller and returns the ids in their order.
// A refused line is an error, with the ids of those that were accepted.
func (c *Client) Batch(caller string, numbers []string) ([]string, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(c.base + "/compute/batch")
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/x-ndjson")
	req.Header.Set("X-Caller-ID", caller)
	c.sign(req)
	req.SetBodyRaw(ndjson(numbers))
	if err := c.host.DoTimeout(req, resp, AnswerTime); err != nil {
		return nil, err
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, fmt.Errorf("batch of %s: status %d: %.200s", caller, resp.StatusCode(), resp.Body())
	}
	var ids []string
	var refused error
	for line := range bytes.Lines(resp.Body()) {
		if id := RequestID(line); id != "" {
			ids = append(ids, id)
		} else if refused == nil {
			refused = fmt.Errorf("batch of %s: refused: %.200s", caller, line)
		}
	}
	if refused == nil && len(ids) != len(numbers) {
		refused = fmt.Errorf("batch of %s: %d answers to %d numbers", caller, len(ids), len(numbers))
	}
	return ids, refused
}

// statusError is the answer to a request that should have been 200.
type statusError struct {
	path   string
	status int
}

// Error implements the error interface.
func (e statusError) Error() string { return fmt.Sprintf("GET %s: status %d", e.path, e.status) }

// IsNotFound reports whether the node says that there is no such thing.
func IsNotFound(err error) bool {
	var e statusError
	return errors.As(err, &e) && e.status == fasthttp.StatusNotFound
}

// Get returns the body of a resource. It asks again when the node has closed the
// connection, which it may do at any time to one that was idle: unlike a submission,
// a question may be repeated.
func (c *Client) Get(path string) ([]byte, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(c.base + path)
	c.sign(req)
	err := c.asks.DoTimeout(req, resp, AnswerTime)
	for again := 0; errors.Is(err, fasthttp.ErrConnectionClosed) && again < repeats && !c.dialer.hung.Load(); again++ {
		c.asks.CloseIdleConnections() // the node may have closed the others too
		err = c.asks.DoTimeout(req, resp, AnswerTime)
	}
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, statusError{path, resp.StatusCode()}
	}
	return bytes.Clone(resp.Body()), nil
}

// Pause keeps a caller, which need not exist yet, from getting turns.
func (c *Client) Pause(caller string) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	path := "/callers/" + url.PathEscape(caller)
	req.SetRequestURI(c.base + path)
	req.Header.SetMethod(fasthttp.MethodPut)
	req.Header.SetContentType("application/json")
	c.sign(req)
	req.SetBodyString(`{"paused":true}`)
	if err := c.asks.DoTimeout(req, resp, AnswerTime); err != nil {
		return fmt.Errorf("PUT %s: %w", path, err)
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return fmt.Errorf("PUT %s: status %d", path, resp.StatusCode())
	}
	return nil
}

// GetJSON decodes a resource.
func (c *Client) GetJSON(path string, into any) error {
	raw, err := c.Get(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// Job returns one job.
func (c *Client) Job(id string) (j Job, err error) {
	err = c.GetJSON("/compute/"+id, &j)
	return j, err
}

// Completed returns a page of a caller's completed jobs, newest first, or of all
// callers' if caller is empty.
func (c *Client) Completed(caller, cursor string) (p Page, err error) {
	query := url.Values{"status": {"completed"}, "limit": {strconv.Itoa(fairfactor.MaxPage)}}
	if caller != "" {
		query.Set("caller_id", caller)
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err = c.GetJSON("/compute?"+query.Encode(), &p)
	return p, err
}

// Account returns what the node counts for a caller.
func (c *Client) Account(caller string) (a Account, err error) {
	err = c.GetJSON("/callers/"+url.PathEscape(caller), &a)
	return a, err
}

// Fairness returns the answer of GET /fairness.
func (c *Client) Fairness() (p Fairness, err error) {
	err = c.GetJSON("/fairness", &p)
	return p, err
}

// Metrics reads all samples.
func (c *Client) Metrics() (Metrics, error) {
	raw, err := c.Get("/metrics")
	if err != nil {
		return nil, err
	}
	all := Metrics{}
	for line := range strings.Lines(string(raw)) {
		name, text, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			all[name] = value
		}
	}
	return all, nil
}

// WaitIdle waits until every job that a node accepted since its start has ended.
func WaitIdle(ctx context.Context, c *Client) error {
	return wait.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		m, err := c.Metrics()
		return err == nil && m.Unfinished() == 0, err
	})
}

// ndjson is the body of a batch.
func ndjson(numbers []string) []byte {
	var b strings.Builder
	for _, n := range numbers {
		b.WriteString(`{"number":"`)
		b.WriteString(n)
		b.WriteString("\"}\n")
	}
	return []byte(b.String())
}
