package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fairfactor"
)

// Client is the service of a node on the other side of its HTTP API. It holds
// nothing but connections, may be used by many goroutines at once, and gives
// up a call as soon as the call's context ends.
//
// A call whose connection breaks is not sent again, unless it can do no harm:
// reads, and submissions with an idempotency key, on a kept connection that
// the node had closed. If the answer to a submission without a key is lost, the
// job may exist; the error says so.
type Client struct {
	base *url.URL // without a slash at the end
	key  string   // API key; empty for none
	http *http.Client
}

var _ fairfactor.Jobs = (*Client)(nil)

// Bounds of a client.
const (
	maxClientConns = 4096             // connections to the node at once, long polls included
	keepIdle       = 30 * time.Second // less than a node keeps them, so that the node never closes one that is just being used
	patience       = 30 * time.Second // for an answer, beyond what the node was asked to wait
	batchPatience  = 2 * time.Minute  // for all answers of one batch
	maxAnswer      = 64 << 20         // bytes: a page of 1,000 jobs of 10,000 digits each stays below
	maxProblem     = 64 << 10         // bytes of a refusal
)

// NewClient returns a client of the node with that URL, such as
// http://127.0.0.1:5555; without a scheme, http is meant. It does not connect
// yet. The URL may have a path, under which a proxy offers the API, and a name
// and password for that proxy.
func NewClient(address string) (*Client, error) {
	text := address
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fairfactor.Errorf(fairfactor.Invalid, "%.200q is not a URL: write it like http://127.0.0.1:5555", address)
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fairfactor.Errorf(fairfactor.Invalid, "the URL %.200s has the scheme %q: use http or https", base.Redacted(), base.Scheme)
	case base.Hostname() == "" || base.RawQuery != "" || base.Fragment != "":
		return nil, fairfactor.Errorf(fairfactor.Invalid, "%.200s is not the URL of a node: write it like http://127.0.0.1:5555", base.Redacted())
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), strings.TrimRight(base.RawPath, "/")
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		MaxConnsPerHost:     maxClientConns,
		MaxIdleConns:        maxClientConns,
		MaxIdleConnsPerHost: maxClientConns,
		IdleConnTimeout:     keepIdle,
		TLSHandshakeTimeout: 10 * time.Second,
	}
	return &Client{base: base, http: &http.Client{
		Transport: transport,
		// A submission that is redirected would become a GET; the person has to
		// know the right URL.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close drops the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call is one request.
type call struct {
	method   string
	path     string // escaped, below the base
	query    url.Values
	header   http.Header
	body     []byte        // nil for none
	patience time.Duration // zero for the usual one
	harmless bool          // changes nothing, though it is no GET
}

// errPatience ends a call that a node does not answer.
var errPatience = errors.New("no answer in time")

// send makes a call and hands its answer to read, if the node did what it was
// asked to; a refusal comes back as an error.
func (c *Client) send(ctx context.Context, k call, read func(io.Reader) error) error {
	if k.patience == 0 {
		k.patience = patience
	}
	bounded, cancel := context.WithTimeoutCause(ctx, k.patience, errPatience)
	defer cancel()
	req, err := c.request(bounded, k)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.broken(ctx, bounded, k, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return c.refusal(ctx, bounded, k, resp)
	}
	body := &watchedReader{r: resp.Body}
	if err := read(body); body.err != nil {
		return c.broken(ctx, bounded, k, body.err)
	} else if err != nil {
		return err
	}
	// What is left is read, so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, resp.Body, maxProblem)
	return nil
}

func (c *Client) request(ctx context.Context, k call) (*http.Request, error) {
	target := c.base.String() + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	var body io.Reader
	if k.body != nil {
		body = bytes.NewReader(k.body)
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, body)
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Internal, err, "the request can't be made")
	}
	if k.header != nil {
		req.Header = k.header
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", "fairfactor-client")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return req, nil
}

// watchedReader remembers the error that ended a stream, so that a broken
// connection is told apart from an answer that makes no sense.
type watchedReader struct {
	r   io.Reader
	err error // never io.EOF
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// fetch makes a call whose answer is one JSON value.
func (c *Client) fetch(ctx context.Context, k call, into any) error {
	return c.send(ctx, k, func(r io.Reader) error {
		raw, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
		switch {
		case err != nil:
			return err
		case len(raw) > maxAnswer:
			return fairfactor.Errorf(fairfactor.Internal, "the answer of %s is longer than %d MiB", c, maxAnswer>>20)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return c.senseless(err)
		}
		return nil
	})
}

// String is the URL of the node, without a password.
func (c *Client) String() string { return c.base.Redacted() }
