package http

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"fairfactor"
)

// Watch says which events [Client.Follow] asks for: those of one job, of one caller, or,
// if both are zero, all.
type Watch struct {
	Job    fairfactor.ID
	Caller string
	After  fairfactor.Position // zero for now on; of one job, how it is first
}

// Told is one event.
type Told struct {
	Name string              // accepted, running, progress, completed, failed, cancelled, or gap
	At   fairfactor.Position // to go on from
	Job  fairfactor.Job      // none of a gap
	Data []byte              // as the node sent it, valid until the next event
}

// Times of following.
const (
	silence    = 45 * time.Second // without a heartbeat, after which a connection counts as dead
	firstPause = 100 * time.Millisecond
	longPause  = 3 * time.Second
	goneLimit  = time.Minute // without an answer, after which following is given up
)

// errStop ends the reading of a stream by the wish of the caller.
type errStop struct{ error }

// Follow calls f with each event until f returns an error, which it returns, ctx ends,
// or the job has ended. When the connection breaks, it goes on at the node that answers
// next, behind the last event: none is missing and none comes twice.
func (c *Client) Follow(ctx context.Context, w Watch, f func(Told) error) error {
	wait, heard, connected := firstPause, time.Now(), false
	for {
		done, err := c.followOnce(ctx, &w, func(t Told) error {
			wait, heard = firstPause, time.Now()
			return f(t)
		}, &connected)
		var stop errStop
		switch {
		case errors.As(err, &stop):
			return stop.error
		case done:
			return nil
		case ctx.Err() != nil:
			return fairfactor.Wrap(fairfactor.Canceled, context.Cause(ctx), "the events were not wanted any more")
		case err == nil:
			heard = time.Now()
		case !connected, !passing(err), time.Since(heard) > goneLimit:
			return err
		}
		pause(ctx, wait/2+rand.N(wait/2))
		wait = min(2*wait, longPause)
	}
}

// passing tells whether an error may go away.
func passing(err error) bool {
	code := fairfactor.CodeOf(err)
	return code == fairfactor.Unavailable || code == fairfactor.Limit
}

// followOnce follows one connection and moves w on. done says that there will be nothing
// more.
func (c *Client) followOnce(ctx context.Context, w *Watch, f func(Told) error, connected *bool) (done bool, err error) {
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(silence, func() { cancel(errPatience) })
	defer quiet.Stop()
	body, err := c.openEvents(ctx, bounded, w)
	if err != nil || body == nil {
		return err == nil, err
	}
	defer body.Close()
	*connected = true
	events := eventReader{lines: bufio.NewReaderSize(body, 16<<10), heard: func() { quiet.Reset(silence) }}
	for {
		name, data, at, err := events.next()
		if at.Group > 0 {
			w.After = at
		}
		switch {
		case errors.Is(err, errSenseless):
			return false, c.senseless(err)
		case err != nil:
			return false, nil // a stream has no other end
		}
		done, err := c.told(w, name, data, f)
		if done || err != nil {
			return done, err
		}
	}
}

// Latest returns the position behind all that has happened by now, as far as w.Caller is
// told of it: with it as After, [Client.Follow] tells what happens from now on.
func (c *Client) Latest(ctx context.Context, w Watch) (fairfactor.Position, error) {
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(silence, func() { cancel(errPatience) })
	defer quiet.Stop()
	body, err := c.openEvents(ctx, bounded, &Watch{Caller: w.Caller})
	if err != nil {
		return fairfactor.Position{}, err
	}
	if body == nil {
		return fairfactor.Position{}, c.senseless(errSenseless)
	}
	defer body.Close()
	events := eventReader{lines: bufio.NewReader(body), heard: func() {}}
	at, err := events.first()
	if errors.Is(err, errSenseless) {
		return at, c.senseless(err)
	}
	if err != nil {
		return at, c.broken(ctx, bounded, call{method: http.MethodGet, path: "/events"}, err)
	}
	return at, nil
}

// openEvents asks for events. The body is nil if there will be none.
func (c *Client) openEvents(ctx, bounded context.Context, w *Watch) (io.ReadCloser, error) {
	k := call{method: http.MethodGet, path: "/events", query: url.Values{}, header: http.Header{}}
	if w.Job != (fairfactor.ID{}) {
		k.path = jobPath(w.Job) + "/events"
	} else if w.Caller != "" {
		k.query.Set("caller_id", w.Caller)
	}
	if w.After.Group > 0 {
		k.header.Set("Last-Event-ID", w.After.String())
	}
	req, err := c.request(bounded, k)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", mediaEvents+", application/problem+json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, bounded, k, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, nil
	case http.StatusNoContent:
		return nil, resp.Body.Close()
	}
	defer resp.Body.Close()
	return nil, c.refusal(ctx, bounded, k, resp)
}

// told hands an event on.
func (c *Client) told(w *Watch, name string, data []byte, f func(Told) error) (done bool, err error) {
	t := Told{Name: name, At: w.After, Data: data}
	if name == "closed" {
		return false, nil // the connection ends, and the next one goes on from here
	}
	if name != "gap" {
		var answer jobAnswer
		if err := json.Unmarshal(data, &answer); err != nil {
			return false, c.senseless(err)
		}
		if t.Job, err = answer.job(); err != nil {
			return false, c.senseless(err)
		}
	}
	if err := f(t); err != nil {
		return false, errStop{err}
	}
	return w.Job != (fairfactor.ID{}) && t.Job.State.Final(), nil
}

// errSenseless is the error of a stream that no node sends.
var errSenseless = errors.New("the stream of events can't be read")

// eventReader takes a stream of events apart.
type eventReader struct {
	lines *bufio.Reader
	heard func() // is called with each line
	data  []byte
}

// next returns the next event that has data, and the last position up to there, zero if
// there was none.
func (r *eventReader) next() (name string, data []byte, at fairfactor.Position, err error) {
	r.data = r.data[:0]
	for {
		line, err := r.line()
		if err != nil {
			return "", nil, at, err
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			r.data = append(r.data, value...)
		case "id":
			if at, err = fairfactor.ParsePosition(string(value)); err != nil {
				return "", nil, at, errSenseless
			}
		}
		if len(line) == 0 {
			if len(r.data) > 0 {
				return name, r.data, at, nil
			}
			name = ""
		}
	}
}

// first returns the position that a stream begins with.
func (r *eventReader) first() (fairfactor.Position, error) {
	for {
		line, err := r.line()
		if err != nil {
			return fairfactor.Position{}, err
		}
		if value, ok := bytes.CutPrefix(line, []byte("id: ")); ok {
			at, err := fairfactor.ParsePosition(string(value))
			if err != nil {
				return at, errSenseless
			}
			return at, nil
		}
	}
}

// line returns the next line without its end.
func (r *eventReader) line() ([]byte, error) {
	var long []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		switch {
		case err == nil && long == nil:
			r.heard()
			return bytes.TrimRight(part, "\r\n"), nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, io.ErrUnexpectedEOF
		case len(long)+len(part) > maxAnswerLine:
			return nil, errSenseless
		}
		if long = append(long, part...); err == nil {
			r.heard()
			return bytes.TrimRight(long, "\r\n"), nil
		}
	}
}
