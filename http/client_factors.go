package http

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"fairfactor"
)

var _ fairfactor.Knowledge = (*Client)(nil)

// teachBytes bounds the digits of one request of [Client.Teach], well below what a
// node takes as a body.
const teachBytes = maxBodyBytes / 4

// Factorization implements [fairfactor.Knowledge].
func (c *Client) Factorization(ctx context.Context, number string) (fairfactor.Factorization, error) {
	var answer factorizationAnswer
	err := c.fetch(ctx, call{method: http.MethodGet, path: "/factors/" + url.PathEscape(number)}, &answer)
	return answer.factorization(), err
}

// Factorizations implements [fairfactor.Knowledge].
func (c *Client) Factorizations(ctx context.Context, cursor string, limit int) ([]fairfactor.Factorization, string, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var answer knownAnswer
	if err := c.fetch(ctx, call{method: http.MethodGet, path: "/factors", query: query}, &answer); err != nil {
		return nil, "", err
	}
	list := make([]fairfactor.Factorization, len(answer.Known))
	for i := range answer.Known {
		list[i] = answer.Known[i].factorization()
	}
	return list, string(answer.Next), nil
}

// Teach implements [fairfactor.Knowledge]. It sends as many results at once as a
// node takes.
func (c *Client) Teach(ctx context.Context, results []fairfactor.Known) ([]error, error) {
	errs := make([]error, 0, len(results))
	refused := false
	for len(errs) < len(results) {
		some := firstOf(results[len(errs):])
		got, err := c.teach(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, err := range got {
			refused = refused || err != nil
		}
		errs = append(errs, got...)
	}
	if !refused {
		return nil, nil
	}
	return errs, nil
}

// firstOf is the beginning of results that goes in one request.
func firstOf(results []fairfactor.Known) []fairfactor.Known {
	size := 0
	for i := range results {
		size += len(results[i].Number) + 64
		for _, f := range results[i].Factors {
			size += len(f.Prime) + 64
		}
		if i > 0 && size > teachBytes {
			return results[:i]
		}
	}
	return results
}

// teach sends results and returns an error for each.
func (c *Client) teach(ctx context.Context, results []fairfactor.Known) ([]error, error) {
	sent := make([]factorizationAnswer, len(results))
	for i := range results {
		sent[i] = factorizationOf(&fairfactor.Factorization{Number: results[i].Number, Factors: results[i].Factors})
	}
	body, err := json.Marshal(map[string]any{"known": sent})
	if err != nil {
		return nil, fairfactor.Wrap(fairfactor.Internal, err, "the request can't be made")
	}
	var answer taughtAnswer
	if err := c.fetch(ctx, call{method: http.MethodPost, path: "/factors", header: http.Header{"Content-Type": {"application/json"}}, body: body}, &answer); err != nil {
		return nil, err
	}
	return answer.errors(results), nil
}

// errors returns what became of each of the results that were sent.
func (a *taughtAnswer) errors(results []fairfactor.Known) []error {
	errs := make([]error, len(results))
	small := map[string]bool{}
	for _, number := range a.Small {
		small[number] = true
	}
	for i := range results {
		if small[results[i].Number] {
			errs[i] = fairfactor.ErrSmall
		}
	}
	for _, r := range a.Refused {
		if r.Index >= 0 && r.Index < len(errs) {
			errs[r.Index] = fairfactor.Errorf(fairfactor.Invalid, "%s", r.Detail)
		}
	}
	return errs
}
