package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// client talks to one node. It may be used by many goroutines.
type client struct {
	host *fasthttp.HostClient
	base string // http://host:port
}

// answerTime is how long an ordinary request may take.
const answerTime = 30 * time.Second

// newClient returns a client that opens at most conns connections and two more,
// for questions beside the load. Nothing is repeated silently: a job that was
// sent twice would be accepted twice.
func newClient(base string, conns int) (*client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q is not a URL like http://localhost:5555", base)
	}
	addr := u.Host
	if u.Port() == "" {
		addr += ":80"
	}
	return &client{base: "http://" + u.Host, host: &fasthttp.HostClient{
		Addr: addr, MaxConns: conns + 2, MaxConnWaitTimeout: answerTime,
		MaxIdemponentCallAttempts: 1, MaxResponseBodySize: 256 << 20, NoDefaultUserAgentHeader: true,
		RetryIfErr: func(*fasthttp.Request, int, error) (bool, bool) { return false, false },
	}}, nil
}

// close closes the connections that nobody uses.
func (c *client) close() { c.host.CloseIdleConnections() }

// reply is what a node said to one POST.
type reply struct {
	id     string // of the accepted job, empty if it was refused
	status int
	retry  time.Duration // from Retry-After, 0 if there was none
}

// poster sends one POST after the other with the same buffers. It belongs to
// one goroutine.
type poster struct {
	client *client
	req    *fasthttp.Request
	resp   *fasthttp.Response
	body   []byte
}

func (c *client) poster() *poster {
	p := &poster{client: c, req: &fasthttp.Request{}, resp: &fasthttp.Response{}}
	p.req.SetRequestURI(c.base + "/compute")
	p.req.Header.SetMethod(fasthttp.MethodPost)
	p.req.Header.SetContentType("application/json")
	return p
}

// post submits one number.
func (p *poster) post(caller, number string) (reply, error) {
	p.body = append(p.body[:0], `{"number":"`...)
	p.body = append(p.body, number...)
	p.body = append(p.body, `"}`...)
	p.req.SetBodyRaw(p.body)
	p.req.Header.Set("X-Caller-ID", caller)
	if err := p.client.host.DoTimeout(p.req, p.resp, answerTime); err != nil {
		return reply{}, err
	}
	r := reply{status: p.resp.StatusCode()}
	if r.status == fasthttp.StatusAccepted {
		if r.id = requestID(p.resp.Body()); r.id == "" {
			return r, fmt.Errorf("202 without a request_id: %.200s", p.resp.Body())
		}
		return r, nil
	}
	r.retry = retryAfter(p.resp.Header.Peek("Retry-After"))
	return r, nil
}

// accepted submits one number that must be accepted and returns the job's id;
// anything else is an error.
func (p *poster) accepted(caller, number string) (string, error) {
	r, err := p.post(caller, number)
	if err == nil && r.id == "" {
		err = fmt.Errorf("number %s of %s: status %d: %.200s", number, caller, r.status, p.resp.Body())
	}
	return r.id, err
}

// requestID finds the id in the body of a 202 without decoding the rest; it is
// empty if there is none.
func requestID(body []byte) string {
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

// batch submits many numbers of one caller and returns the ids in their order.
// A refused line is an error, with the ids of those that were accepted.
func (c *client) batch(caller string, numbers []string) ([]string, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(c.base + "/compute/batch")
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/x-ndjson")
	req.Header.Set("X-Caller-ID", caller)
	req.SetBodyRaw(ndjson(numbers))
	if err := c.host.DoTimeout(req, resp, answerTime); err != nil {
		return nil, err
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, fmt.Errorf("batch of %s: status %d: %.200s", caller, resp.StatusCode(), resp.Body())
	}
	var ids []string
	var refused error
	for line := range bytes.Lines(resp.Body()) {
		if id := requestID(line); id != "" {
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

// errStatus is the answer to a request that should have been 200.
type errStatus struct {
	path   string
	status int
}

func (e errStatus) Error() string { return fmt.Sprintf("GET %s: status %d", e.path, e.status) }

// missing reports whether the node says that there is no such thing.
func missing(err error) bool {
	var e errStatus
	return errors.As(err, &e) && e.status == fasthttp.StatusNotFound
}

// get returns the body of a resource.
func (c *client) get(path string) ([]byte, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(c.base + path)
	if err := c.host.DoTimeout(req, resp, answerTime); err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, errStatus{path, resp.StatusCode()}
	}
	return bytes.Clone(resp.Body()), nil
}

// getJSON decodes a resource.
func (c *client) getJSON(path string, into any) error {
	raw, err := c.get(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// job is what the node says of a job.
type job struct {
	ID        string         `json:"request_id"`
	Caller    string         `json:"caller_id"`
	Number    string         `json:"number"`
	Status    string         `json:"status"`
	Result    map[string]int `json:"result"`
	Submitted time.Time      `json:"submitted_at"`
	Started   time.Time      `json:"started_at"`
	Finished  time.Time      `json:"finished_at"`
	Attempts  int            `json:"attempts"`
	Turn      uint64         `json:"turn"`
	CPU       int64          `json:"cpu_us"`
}

// page is one page of a list of jobs.
type page struct {
	Jobs []job  `json:"jobs"`
	Next string `json:"next"`
}

// job returns one job.
func (c *client) job(id string) (j job, err error) {
	err = c.getJSON("/compute/"+id, &j)
	return j, err
}

// completed returns a page of a caller's completed jobs, newest first.
func (c *client) completed(caller, cursor string) (p page, err error) {
	query := url.Values{"caller_id": {caller}, "status": {"completed"}, "limit": {strconv.Itoa(fairfactor.MaxPage)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err = c.getJSON("/compute?"+query.Encode(), &p)
	return p, err
}

// account is what the node says of a caller.
type account struct {
	Queued     int     `json:"queued"` // unfinished, running ones included
	Completed  int     `json:"completed"`
	Failed     int     `json:"failed"`
	CPUSeconds float64 `json:"cpu_seconds"`
	Turns      uint64  `json:"turns"`
}

func (c *client) account(caller string) (a account, err error) {
	err = c.getJSON("/callers/"+url.PathEscape(caller), &a)
	return a, err
}

// promise is what the node says of its own fairness; times in microseconds.
type promise struct {
	Quantum    int64   `json:"quantum_us"`
	Bound      int64   `json:"bound_us"`
	MaxLag     int64   `json:"max_lag_us"`
	Jain       float64 `json:"jain"`
	Violations int     `json:"violations"`
	HandedOut  uint64  `json:"handed_out"`
}

func (c *client) fairness() (p promise, err error) {
	err = c.getJSON("/fairness", &p)
	return p, err
}

// gauges are the samples of /metrics by name with labels, as written there.
type gauges map[string]float64

// metrics reads all samples.
func (c *client) metrics() (gauges, error) {
	raw, err := c.get("/metrics")
	if err != nil {
		return nil, err
	}
	all := gauges{}
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

// unfinished is how many of the jobs accepted since the node's start have not
// ended.
func (g gauges) unfinished() int {
	jobs := func(state string) float64 { return g[`fairfactor_jobs_total{state="`+state+`"}`] }
	return int(jobs("accepted") - jobs("completed") - jobs("failed") - jobs("cancelled"))
}
