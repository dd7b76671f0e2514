package http

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"fairfactor"
)

var _ fairfactor.Keys = (*Client)(nil)

// Authorise sends an API key with all calls from now on; an empty one sends none. It
// must not be called while calls are made.
func (c *Client) Authorise(key string) { c.key = key }

// AddKey implements [fairfactor.Keys].
func (c *Client) AddKey(ctx context.Context, role fairfactor.Role, callers, group string) (fairfactor.APIKey, string, error) {
	members := map[string]string{"role": string(role)}
	if callers != "" {
		members["caller"] = callers
	}
	if group != "" {
		members["group"] = group
	}
	body, err := json.Marshal(members)
	if err != nil {
		return fairfactor.APIKey{}, "", fairfactor.Wrap(fairfactor.Internal, err, "the request can't be made")
	}
	var answer newKeyAnswer
	err = c.fetch(ctx, call{method: http.MethodPost, path: "/keys", header: http.Header{"Content-Type": {"application/json"}}, body: body}, &answer)
	return answer.key(), answer.Secret, err
}

// Keys implements [fairfactor.Keys].
func (c *Client) Keys(ctx context.Context, after string, limit int) ([]fairfactor.APIKey, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		query.Set("after", after)
	}
	var answer keysAnswer
	if err := c.fetch(ctx, call{method: http.MethodGet, path: "/keys", query: query}, &answer); err != nil {
		return nil, err
	}
	keys := make([]fairfactor.APIKey, len(answer.Keys))
	for i := range answer.Keys {
		keys[i] = answer.Keys[i].key()
	}
	return keys, nil
}

// RevokeKey implements [fairfactor.Keys].
func (c *Client) RevokeKey(ctx context.Context, id string) error {
	return c.send(ctx, call{method: http.MethodDelete, path: "/keys/" + url.PathEscape(id)}, func(io.Reader) error { return nil })
}
