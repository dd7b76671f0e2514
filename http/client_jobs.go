package http

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fairfactor"
)

// Long polls of a client. A slice stays below the minute after which proxies
// close a silent connection.
const (
	waitSlice = 30 * time.Second
	shortest  = 3 * waitSlice / 4      // slice: many clients that begin together spread over the rest
	waitPause = 250 * time.Millisecond // after a slice that a node ended early, as one does that drains
	lastLook  = time.Second            // for the state of a job after the time to wait for it is over
)

// Job returns a job as it is now.
func (c *Client) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	return c.job(ctx, call{method: http.MethodGet, path: jobPath(id)})
}

// Wait returns a job when it has ended, or as it is when ctx ends: the node is
// asked once more then, which takes a second at the most.
func (c *Client) Wait(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	for {
		begun := time.Now()
		slice := shortest + rand.N(waitSlice-shortest)
		if deadline, ok := ctx.Deadline(); ok {
			slice = min(slice, deadline.Sub(begun))
		}
		seconds := max(1, (slice+time.Second-1)/time.Second)
		job, err := c.job(ctx, call{
			method: http.MethodGet, path: jobPath(id),
			query:    url.Values{"wait": {strconv.Itoa(int(seconds))}},
			patience: seconds*time.Second + patience,
		})
		switch {
		case err == nil && (job.State.Final() || ctx.Err() != nil):
			return job, nil
		case ctx.Err() != nil:
			look, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
			defer cancel()
			return c.Job(look, id)
		case err != nil:
			return job, err
		}
		if time.Since(begun) < slice/2 {
			pause(ctx, waitPause)
		}
	}
}

// pause returns after a while, or when ctx ends.
func pause(ctx context.Context, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// List returns a page of jobs, newest first.
func (c *Client) List(ctx context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	query := filterValues(&q)
	if q.Limit != 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Cursor != "" {
		query.Set("cursor", q.Cursor)
	}
	var answer struct {
		Jobs []jobAnswer `json:"jobs"`
		Next string      `json:"next"`
	}
	if err := c.fetch(ctx, call{method: http.MethodGet, path: "/compute", query: query}, &answer); err != nil {
		return fairfactor.Page{}, err
	}
	page := fairfactor.Page{Jobs: make([]fairfactor.Job, len(answer.Jobs)), Next: answer.Next}
	for i := range answer.Jobs {
		job, err := answer.Jobs[i].job()
		if err != nil {
			return fairfactor.Page{}, c.senseless(err)
		}
		page.Jobs[i] = job
	}
	return page, nil
}

// filterValues are the filters of a query as parameters.
func filterValues(q *fairfactor.Query) url.Values {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("caller_id", q.Caller)
	set("status", q.States.String())
	set("number", q.Number)
	if q.Quarantined {
		set("quarantined", "true")
	}
	for name, at := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !at.IsZero() {
			set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return values
}

// Cancel ends an unfinished job.
func (c *Client) Cancel(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	return c.job(ctx, call{method: http.MethodDelete, path: jobPath(id)})
}

// Retry puts a failed job back into its caller's queue.
func (c *Client) Retry(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	return c.job(ctx, call{method: http.MethodPost, path: jobPath(id) + "/retry"})
}

// Callers returns callers by name, after the given one.
func (c *Client) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	page, err := c.RankedCallers(ctx, fairfactor.CallerQuery{After: after, Limit: limit})
	return page.Callers, err
}

// RankedCallers returns callers in another order than by name.
func (c *Client) RankedCallers(ctx context.Context, q fairfactor.CallerQuery) (page fairfactor.CallerPage, err error) {
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	order := q.Order.String()
	if q.Order == fairfactor.ByName {
		order = "" // an older node knows no other, and not its name
	}
	for name, value := range map[string]string{"sort": order, "prefix": q.Prefix, "after": q.After} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var answer callersAnswer
	if err := c.fetch(ctx, call{method: http.MethodGet, path: "/callers", query: query}, &answer); err != nil {
		return page, err
	}
	page.Callers, page.Next = make([]fairfactor.Caller, len(answer.Callers)), string(answer.Next)
	for i := range answer.Callers {
		page.Callers[i] = answer.Callers[i].caller()
	}
	return page, nil
}

// Caller returns one caller.
func (c *Client) Caller(ctx context.Context, name string) (fairfactor.Caller, error) {
	return c.caller(ctx, name, http.MethodGet, nil)
}

// SetWeight changes a caller's share.
func (c *Client) SetWeight(ctx context.Context, name string, weight int) (fairfactor.Caller, error) {
	return c.caller(ctx, name, http.MethodPut, []byte(`{"weight":`+strconv.Itoa(weight)+`}`))
}

// SetGroup puts a caller into a group, or into none if the group is empty.
func (c *Client) SetGroup(ctx context.Context, name, group string) (fairfactor.Caller, error) {
	body, err := json.Marshal(map[string]string{"group": group})
	if err != nil {
		return fairfactor.Caller{}, fairfactor.Wrap(fairfactor.Internal, err, "the request can't be made")
	}
	return c.caller(ctx, name, http.MethodPut, body)
}

// SetPaused keeps a caller from getting turns, or lets it get them again.
func (c *Client) SetPaused(ctx context.Context, name string, paused bool) (fairfactor.Caller, error) {
	return c.caller(ctx, name, http.MethodPut, []byte(`{"paused":`+strconv.FormatBool(paused)+`}`))
}

// SetBounds changes what a caller is allowed.
func (c *Client) SetBounds(ctx context.Context, name string, change fairfactor.BoundsChange) (fairfactor.Caller, error) {
	body, err := appendChange(&change)
	if err != nil {
		return fairfactor.Caller{}, fairfactor.Wrap(fairfactor.Internal, err, "the request can't be made")
	}
	return c.caller(ctx, name, http.MethodPut, body)
}

// WeighGroup changes a group's share.
func (c *Client) WeighGroup(ctx context.Context, group string, weight int) error {
	if err := checkGroup(group); err != nil {
		return fairfactor.Errorf(fairfactor.Invalid, "%s", err.Error())
	}
	var answer groupAnswer
	return c.fetch(ctx, call{
		method: http.MethodPut, path: "/groups/" + url.PathEscape(group), body: []byte(`{"weight":` + strconv.Itoa(weight) + `}`),
		header: http.Header{"Content-Type": {"application/json"}},
	}, &answer)
}

// Fairness returns the scheduler's account of its own promise.
func (c *Client) Fairness(ctx context.Context) (fairfactor.Fairness, error) {
	var answer fairnessAnswer
	err := c.fetch(ctx, call{method: http.MethodGet, path: "/fairness"}, &answer)
	return answer.fairness(), err
}

// Nodes returns the members of the cluster as the node sees them.
func (c *Client) Nodes(ctx context.Context) ([]fairfactor.Node, error) {
	var answer nodesAnswer
	if err := c.fetch(ctx, call{method: http.MethodGet, path: "/nodes"}, &answer); err != nil {
		return nil, err
	}
	nodes := make([]fairfactor.Node, len(answer.Nodes))
	for i := range answer.Nodes {
		nodes[i] = answer.Nodes[i].node()
	}
	return nodes, nil
}

// Ready returns nil if the node takes jobs and wants more of them, and the reason
// if not.
func (c *Client) Ready(ctx context.Context) error {
	var answer statusAnswer
	return c.fetch(ctx, call{method: http.MethodGet, path: "/readyz"}, &answer)
}

// job makes a call that is answered with a job.
func (c *Client) job(ctx context.Context, k call) (fairfactor.Job, error) {
	var answer jobAnswer
	if err := c.fetch(ctx, k, &answer); err != nil {
		return fairfactor.Job{}, err
	}
	job, err := answer.job()
	if err != nil {
		return fairfactor.Job{}, c.senseless(err)
	}
	return job, nil
}

// caller makes a call that is answered with a caller. A name that no caller
// can have never leaves: as part of a path it might mean something else.
func (c *Client) caller(ctx context.Context, name, method string, body []byte) (fairfactor.Caller, error) {
	if _, err := fairfactor.ParseCaller(name); err != nil {
		return fairfactor.Caller{}, err
	}
	k := call{method: method, path: "/callers/" + url.PathEscape(name), body: body}
	if body != nil {
		k.header = http.Header{"Content-Type": {"application/json"}}
	}
	var answer callerAnswer
	if err := c.fetch(ctx, k, &answer); err != nil {
		return fairfactor.Caller{}, err
	}
	return answer.caller(), nil
}

func jobPath(id fairfactor.ID) string { return "/compute/" + id.String() }
