package http

import (
	"context"
	"net/http"
	"net/url"

	"github.com/valyala/fasthttp"

	"fairfactor"
)

// operationAnswer is an operation as the API shows it.
type operationAnswer struct {
	ID       string     `json:"operation"`
	Kind     string     `json:"kind"`
	Status   string     `json:"status"`
	Caller   textOrNull `json:"caller_id"`
	States   textOrNull `json:"job_status"`
	Number   textOrNull `json:"number"`
	Since    instant    `json:"since"`
	Until    instant    `json:"until"`
	Matched  uint64     `json:"matched"`
	Counted  bool       `json:"counted"`
	Done     uint64     `json:"done"`
	Skipped  uint64     `json:"skipped"`
	Created  instant    `json:"created_at"`
	Finished instant    `json:"finished_at"`
}

// acceptedAnswer is what is said of an operation when it is accepted.
type acceptedAnswer struct {
	ID      string `json:"operation"`
	Matched uint64 `json:"matched"`
	Counted bool   `json:"counted"`
}

func operationOf(op *fairfactor.Operation) operationAnswer {
	a := operationAnswer{
		ID: op.ID, Kind: string(op.Kind), Status: "running", Caller: textOrNull(op.Query.Caller), States: textOrNull(op.Query.States.String()),
		Number: textOrNull(op.Query.Number), Since: instant{op.Query.Since}, Until: instant{op.Query.Until},
		Matched: op.Matched, Counted: !op.Uncounted, Done: op.Done, Skipped: op.Skipped, Created: instant{op.Created}, Finished: instant{op.Finished},
	}
	if !op.Finished.IsZero() {
		a.Status = "done"
	}
	return a
}

func (a *operationAnswer) operation() fairfactor.Operation {
	op := fairfactor.Operation{
		ID: a.ID, Kind: fairfactor.OperationKind(a.Kind), Matched: a.Matched, Uncounted: !a.Counted, Done: a.Done, Skipped: a.Skipped,
		Created: a.Created.Time, Finished: a.Finished.Time,
		Query: fairfactor.Query{Caller: string(a.Caller), Number: string(a.Number), Since: a.Since.Time, Until: a.Until.Time},
	}
	op.Query.States, _, _ = fairfactor.ParseStates(string(a.States))
	return op
}

// cancelJobs ends all jobs of a caller that suit the filters.
func (s *Server) cancelJobs(r *request) error { return s.acceptOperation(r, s.jobs.CancelAll) }

// retryJobs puts all failed jobs that suit the filters back into their queues.
func (s *Server) retryJobs(r *request) error {
	if err := s.takesJobs(); err != nil {
		return err
	}
	return s.acceptOperation(r, s.jobs.RetryAll)
}

func (s *Server) acceptOperation(r *request, do func(context.Context, fairfactor.Query) (fairfactor.Operation, error)) error {
	for _, name := range filters {
		if text, has, err := queryValue(r, name); err == nil && has && text == "" {
			return refuse(badRequest, "the parameter "+name+" is empty: leave it out for all jobs", fact{name: "parameter", text: name})
		}
	}
	q, err := filtersOf(r)
	if err != nil {
		return err
	}
	op, err := do(s.bounded(), q)
	switch {
	case err != nil && fairfactor.CodeOf(err) == fairfactor.Invalid:
		return problemAs(badRequest, err)
	case err != nil && q.Caller != "":
		return about("caller_id", q.Caller, err)
	case err != nil:
		return err
	}
	if err := answerValue(&r.ctx.Response, acceptedAnswer{op.ID, op.Matched, !op.Uncounted}); err != nil {
		return err
	}
	r.out = append(append(s.site.appendPrefix(r.out, r), "/operations/"...), op.ID...)
	r.ctx.Response.Header.SetCanonical(locationName, r.out)
	r.ctx.SetStatusCode(fasthttp.StatusAccepted)
	return nil
}

// getOperation shows how far an operation is.
func (s *Server) getOperation(r *request) error {
	op, err := s.jobs.Operation(s.bounded(), r.arg)
	if err == nil && r.as != nil && r.as.Role == fairfactor.RoleCaller && !r.as.Reads(op.Query.Caller) {
		err = fairfactor.Errorf(fairfactor.NotFound, "there is no operation %.40q", r.arg)
	}
	if err != nil {
		return about("operation", r.arg, err)
	}
	return answerValue(&r.ctx.Response, operationOf(&op))
}

// CancelAll implements [fairfactor.Jobs].
func (c *Client) CancelAll(ctx context.Context, q fairfactor.Query) (fairfactor.Operation, error) {
	return c.begin(ctx, fairfactor.CancelJobs, http.MethodDelete, "/compute", q)
}

// RetryAll implements [fairfactor.Jobs].
func (c *Client) RetryAll(ctx context.Context, q fairfactor.Query) (fairfactor.Operation, error) {
	return c.begin(ctx, fairfactor.RetryJobs, http.MethodPost, "/compute/retry", q)
}

func (c *Client) begin(ctx context.Context, kind fairfactor.OperationKind, method, path string, q fairfactor.Query) (fairfactor.Operation, error) {
	var answer acceptedAnswer
	err := c.fetch(ctx, call{method: method, path: path, query: filterValues(&q)}, &answer)
	return fairfactor.Operation{ID: answer.ID, Kind: kind, Query: q, Matched: answer.Matched, Uncounted: !answer.Counted}, err
}

// Operation implements [fairfactor.Jobs].
func (c *Client) Operation(ctx context.Context, id string) (fairfactor.Operation, error) {
	var answer operationAnswer
	if err := c.fetch(ctx, call{method: http.MethodGet, path: "/operations/" + url.PathEscape(id)}, &answer); err != nil {
		return fairfactor.Operation{}, err
	}
	return answer.operation(), nil
}

// AppendOperation appends an operation as the API shows it.
func AppendOperation(b []byte, op *fairfactor.Operation) []byte {
	return appendValue(b, operationOf(op))
}
