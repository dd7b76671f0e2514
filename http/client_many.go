package http

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"fairfactor"
)

// maxAsked is how many ids go in one request.
const maxAsked = 10_000

// Get returns many jobs as they are now; one that does not exist is the zero Job.
func (c *Client) Get(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	jobs := make([]fairfactor.Job, 0, len(ids))
	for len(jobs) < len(ids) {
		some := ids[len(jobs):min(len(ids), len(jobs)+maxAsked)]
		got, err := c.getSome(ctx, some)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, got...)
	}
	return jobs, nil
}

func (c *Client) getSome(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	body := make([]byte, 0, len(ids)*(fairfactor.IDLen+3))
	for _, id := range ids {
		body = append(id.Append(append(body, '"')), "\"\n"...)
	}
	k := call{
		method: http.MethodPost, path: "/compute/get", body: body, patience: batchPatience, harmless: true,
		// The second field is not sent: it tells the transport that it may send the
		// request again.
		header: http.Header{"Content-Type": {"application/x-ndjson"}, "X-Idempotency-Key": nil},
	}
	jobs := make([]fairfactor.Job, 0, len(ids))
	err := c.send(ctx, k, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxAnswerLine)
		for len(jobs) < len(ids) && lines.Scan() {
			got, err := lineReceipt(lines.Bytes())
			switch {
			case err != nil:
				return c.senseless(err)
			case got.Err != nil && fairfactor.CodeOf(got.Err) != fairfactor.NotFound:
				return got.Err
			}
			jobs = append(jobs, got.Job)
		}
		if err := lines.Err(); err != nil {
			return c.senseless(err)
		}
		if len(jobs) < len(ids) {
			return c.senseless(io.ErrUnexpectedEOF)
		}
		return nil
	})
	return jobs, err
}

// Export writes all jobs that suit the filters of a query to w, one JSON object a line,
// newest first; limit and cursor have no meaning here. If it fails, what was written is
// not all.
func (c *Client) Export(ctx context.Context, q fairfactor.Query, w io.Writer) error {
	k := call{method: http.MethodGet, path: "/compute/export", query: filterValues(&q), patience: exportPatience}
	return c.send(ctx, k, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxAnswerLine)
		for lines.Scan() {
			if !bytes.HasPrefix(lines.Bytes(), []byte(`{"request_id":`)) {
				got, err := lineReceipt(lines.Bytes())
				if err == nil && got.Err != nil {
					return got.Err
				}
				return c.senseless(err)
			}
			if _, err := fmt.Fprintf(w, "%s\n", lines.Bytes()); err != nil {
				return fairfactor.Wrap(fairfactor.Canceled, err, "the jobs can't be written")
			}
		}
		if err := lines.Err(); err != nil {
			return c.senseless(err)
		}
		return nil
	})
}

// exportPatience is for a whole export.
const exportPatience = 24 * time.Hour
